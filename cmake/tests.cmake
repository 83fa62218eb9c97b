# One program per tests/test_*.c, each a CTest of the same name. Tests reach inside the library; they
# read ../shared where it exists and skip, saying so, where it does not; one of which nothing is left
# returns 77.
pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
set(EAD_SHARED_DIR "${CMAKE_SOURCE_DIR}/../shared" CACHE PATH "golden files; may be absent")

# Tiny models, made in memory, and engines without a model; see tests/tiny.h, tests/script_engine.h.
set(helpers ${CMAKE_SOURCE_DIR}/tests)
add_library(tiny STATIC ${helpers}/tiny.c ${helpers}/tiny_model.c ${helpers}/oracle.c ${helpers}/laws.c ${helpers}/opened.c
  ${helpers}/script_engine.c ${helpers}/dice.c)
target_include_directories(tiny PRIVATE ${CMAKE_SOURCE_DIR}/src)
target_link_libraries(tiny PUBLIC ead_inside PRIVATE ead_flags PkgConfig::CMOCKA)

# The examples are compiled as a user would, against the public headers alone.
foreach(example pair policy)
  add_executable(example_${example} ${CMAKE_SOURCE_DIR}/examples/${example}.c)
  target_link_libraries(example_${example} PRIVATE ead ead_flags)
endforeach()

# What measures is built with the tests, so that it follows the interfaces that it measures.
set(tools ${CMAKE_SOURCE_DIR}/tools)
add_executable(kern_bench ${tools}/kern_bench.c ${tools}/kern_peak.c ${tools}/stream.c)
target_link_libraries(kern_bench PRIVATE ead_inside ead_flags m)
add_executable(read_bandwidth ${tools}/read_bandwidth.c ${tools}/stream.c)
target_link_libraries(read_bandwidth PRIVATE ead_base ead_flags)
foreach(bench company template)
  add_executable(${bench}_bench ${tools}/${bench}_bench.c)
  target_link_libraries(${bench}_bench PRIVATE ead ead_flags)
endforeach()
add_executable(vocab_stream ${tools}/vocab_stream.c)
target_link_libraries(vocab_stream PRIVATE ead_inside ead_flags)

file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/test_*.c)
foreach(source ${tests})
  get_filename_component(name ${source} NAME_WE)
  add_executable(${name} ${source})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/tests
    ${CMAKE_SOURCE_DIR}/apps)
  target_link_libraries(${name} PRIVATE ead_eval ead_server ead_hub tiny ead_inside ead_flags PkgConfig::CMOCKA PkgConfig::JANSSON m)
  target_compile_definitions(${name} PRIVATE SHARED_DIR="${EAD_SHARED_DIR}"
    SOURCE_DIR="${CMAKE_SOURCE_DIR}" EAD_PROGRAM="$<TARGET_FILE:ead_cli>"
    EXAMPLE_PAIR="$<TARGET_FILE:example_pair>" EXAMPLE_POLICY="$<TARGET_FILE:example_policy>")
  add_dependencies(${name} ead_cli example_pair example_policy)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600)
endforeach()

# What a screen, a trace and an account say of a text, without the program around them.
foreach(part json report screen source trace)
  target_sources(test_screen PRIVATE ${CMAKE_SOURCE_DIR}/apps/cli/${part}.c)
endforeach()

add_test(NAME check_install
  COMMAND ${CMAKE_SOURCE_DIR}/tests/check_install ${CMAKE_BINARY_DIR} ${CMAKE_SOURCE_DIR}
    $<TARGET_FILE:ead_inside> $<TARGET_FILE:ead_net> $<TARGET_FILE:ead_base>)
set_tests_properties(check_install PROPERTIES ENVIRONMENT
  "CHECK_FLAGS=$<$<BOOL:${EAD_SANITIZE}>:-fsanitize=address$<COMMA>undefined>;CC=${CMAKE_C_COMPILER}")

foreach(check manual completion)
  add_test(NAME check_${check} COMMAND ${CMAKE_SOURCE_DIR}/tests/check_${check} $<TARGET_FILE:ead_cli>)
  set_tests_properties(check_${check} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 120)
endforeach()

add_test(NAME check_server
  COMMAND ${CMAKE_SOURCE_DIR}/tests/check_server $<TARGET_FILE:ead_cli> ${CMAKE_SOURCE_DIR} ${EAD_SHARED_DIR})
set_tests_properties(check_server PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600)

add_test(NAME check_limits COMMAND ${CMAKE_SOURCE_DIR}/tests/check_limits $<TARGET_FILE:ead_cli>)
set_tests_properties(check_limits PROPERTIES TIMEOUT 600)

if(NOT (BUILD_SHARED_LIBS OR EAD_SANITIZE OR EAD_TSAN))
  add_test(NAME check_package COMMAND ${CMAKE_SOURCE_DIR}/tests/check_package ${CMAKE_BINARY_DIR} ${CMAKE_SOURCE_DIR})
  set_tests_properties(check_package PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 120)
endif()
# A crowd of clients that stall and vanish for some seconds; by hand 200 of them for longer.
add_test(NAME check_crowd
  COMMAND ${CMAKE_SOURCE_DIR}/tests/server/chaos.py $<TARGET_FILE:ead_cli> --clients 30 --seconds 6)
set_tests_properties(check_crowd PROPERTIES TIMEOUT 300)

# Malformed HTTP for some seconds; by hand for longer.
add_test(NAME check_http
  COMMAND ${CMAKE_SOURCE_DIR}/tests/server/fuzz_http.py $<TARGET_FILE:ead_cli> 5)
set_tests_properties(check_http PROPERTIES TIMEOUT 120)
add_test(NAME check_chat_url
  COMMAND ${CMAKE_SOURCE_DIR}/tests/check_chat_url $<TARGET_FILE:ead_cli> ${EAD_SHARED_DIR})
set_tests_properties(check_chat_url PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600)
add_test(NAME check_pull COMMAND ${CMAKE_SOURCE_DIR}/tests/check_pull $<TARGET_FILE:ead_cli> ${CMAKE_SOURCE_DIR})
set_tests_properties(check_pull PROPERTIES TIMEOUT 300)
# Pairs over servers: our own, and by hand those that others wrote.
add_test(NAME check_remote COMMAND ${CMAKE_SOURCE_DIR}/tests/check_remote $<TARGET_FILE:ead_cli> ${CMAKE_SOURCE_DIR})
set_tests_properties(check_remote PROPERTIES ENVIRONMENT EAD_SHARED=${EAD_SHARED_DIR} TIMEOUT 900)
add_test(NAME check_real_servers
  COMMAND ${CMAKE_SOURCE_DIR}/tests/check_real_servers $<TARGET_FILE:ead_cli> ${CMAKE_SOURCE_DIR})
set_tests_properties(check_real_servers PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 900)
# Others' clients; tools/setup_clients gets them.
add_test(NAME check_clients
  COMMAND ${CMAKE_SOURCE_DIR}/tests/check_clients $<TARGET_FILE:ead_cli> ${CMAKE_SOURCE_DIR})
set_tests_properties(check_clients PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600)

add_test(NAME check_problems COMMAND ${CMAKE_SOURCE_DIR}/tests/check_problems ${CMAKE_SOURCE_DIR})
set_tests_properties(check_problems PROPERTIES SKIP_RETURN_CODE 77)
add_test(NAME test_judge_stories COMMAND test_judge stories)
set_tests_properties(test_judge_stories PROPERTIES SKIP_RETURN_CODE 77)

# Traces of the shipped pair, recomputed by a program that knows nothing of ours.
add_test(NAME check_trace COMMAND ${CMAKE_SOURCE_DIR}/tests/check_trace $<TARGET_FILE:ead_cli> ${CMAKE_SOURCE_DIR})
set_tests_properties(check_trace PROPERTIES TIMEOUT 600)

add_test(NAME check_golden
  COMMAND ${CMAKE_SOURCE_DIR}/tests/check_golden ${CMAKE_SOURCE_DIR})
set_tests_properties(check_golden PROPERTIES SKIP_RETURN_CODE 77)

# The pair as a checkpoint for other engines.
add_test(NAME check_export
  COMMAND ${CMAKE_SOURCE_DIR}/tests/check_export $<TARGET_FILE:ead_cli> ${CMAKE_SOURCE_DIR})
set_tests_properties(check_export PROPERTIES TIMEOUT 300)

# The server's page in a browser, against a server that is made up.
add_test(NAME check_page COMMAND ${CMAKE_SOURCE_DIR}/tests/check_page)
set_tests_properties(check_page PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600)

# The report of `ead eval` in a browser.
add_test(NAME check_report COMMAND ${CMAKE_SOURCE_DIR}/tests/check_report $<TARGET_FILE:ead_cli>)
set_tests_properties(check_report PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300)

# What `make tsan` runs; a report fails the test.
set_tests_properties(test_scheduler test_team test_threads test_watch check_server check_crowd check_http PROPERTIES LABELS threads
  ENVIRONMENT "TSAN_OPTIONS=exitcode=66;EAD_MODELS=${CMAKE_SOURCE_DIR}/models")

# Where the sanitizer owns the heap, the linker puts the test in front of what our own code calls.
if(EAD_SANITIZE)
  target_compile_definitions(test_memory PRIVATE HEAP_WRAPPED)
  target_link_options(test_memory PRIVATE LINKER:--wrap=malloc,--wrap=calloc,--wrap=realloc
    LINKER:--wrap=free,--wrap=mmap,--wrap=munmap,--wrap=strdup)
endif()

# `ctest -LE slow` (`make check`) leaves out what takes most of the time.
set_tests_properties(check_problems test_forward test_kern_quant test_memory test_stories PROPERTIES LABELS slow)

# Fuzz targets: libFuzzer programs under EAD_FUZZ, otherwise replayed over their corpus.
file(GLOB fuzzers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_*.c)
foreach(source ${fuzzers})
  get_filename_component(name ${source} NAME_WE)
  if(EAD_FUZZ)
    add_executable(${name} ${source})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  else()
    add_executable(${name} ${source} ${CMAKE_SOURCE_DIR}/tests/fuzz/replay.c)
    add_test(NAME ${name} COMMAND ${name} ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${name})
  endif()
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/tests
    ${CMAKE_SOURCE_DIR}/apps)
  target_link_libraries(${name} PRIVATE ead_server tiny ead_inside ead_flags)
  target_compile_definitions(${name} PRIVATE SOURCE_DIR="${CMAKE_SOURCE_DIR}")
endforeach()

# `ninja make_gguf_corpus && ./make_gguf_corpus FOLDER` writes the corpus of fuzz_gguf anew.
add_executable(make_gguf_corpus EXCLUDE_FROM_ALL
  ${CMAKE_SOURCE_DIR}/tests/fuzz/make_gguf_corpus.c)
target_include_directories(make_gguf_corpus PRIVATE ${CMAKE_SOURCE_DIR}/src
  ${CMAKE_SOURCE_DIR}/tests)
target_link_libraries(make_gguf_corpus PRIVATE tiny ead_flags)
