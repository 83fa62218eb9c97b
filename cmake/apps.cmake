# The grader: text in, verdict out. It knows neither a model nor a run.
file(GLOB grade CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/apps/grade/*.c)
add_library(ead_grade STATIC ${grade})
target_include_directories(ead_grade PUBLIC ${CMAKE_SOURCE_DIR}/apps)
target_link_libraries(ead_grade PUBLIC ead_base m PRIVATE ead_flags)

# Text that may be no text, in JSON.
file(GLOB json CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/apps/json/*.c)
add_library(ead_json STATIC ${json})
target_include_directories(ead_json PUBLIC ${CMAKE_SOURCE_DIR}/apps)
target_link_libraries(ead_json PUBLIC ead_base PkgConfig::JANSSON PRIVATE ead_flags)

# Evaluation: datasets, runs, statistics and reports, over the public face, the grader and base. The
# program and the tests link it, and the library behind it: the public one, or as tests see it.
file(GLOB eval CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/apps/eval/*.c)
# embed_page(FOLDER NAME SYMBOL HEADER SCRIPT...): pages that the program carries; sets NAME_page to a C file.
function(embed_page folder name symbol header)
  file(GLOB parts CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/apps/${folder}/${name}*.html
    ${CMAKE_SOURCE_DIR}/apps/${folder}/${name}*.css ${CMAKE_SOURCE_DIR}/apps/${folder}/${name}*.js)
  set(out ${CMAKE_BINARY_DIR}/${folder}_${name}.c)
  list(JOIN ARGN " " scripts)
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -D PAGE=${CMAKE_SOURCE_DIR}/apps/${folder}/${name} -D "SCRIPTS=${scripts}"
      -D SYMBOL=${symbol} -D HEADER=${header} -D OUT=${out} -P ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
    DEPENDS ${parts} ${CMAKE_SOURCE_DIR}/apps/eval/dom.js ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
    VERBATIM COMMENT "putting the page of ${folder} into the program")
  set(${name}_page ${out} PARENT_SCOPE)
endfunction()

embed_page(eval report page eval/page.h dom report_base report_chart report_trace report)
add_library(ead_eval STATIC ${eval} ${report_page})
target_include_directories(ead_eval PUBLIC ${CMAKE_SOURCE_DIR}/apps ${CMAKE_SOURCE_DIR}/include)
target_link_libraries(ead_eval PUBLIC ead_grade ead_json ead_base m PRIVATE ead_flags)

# The server, over the public face and base.
file(GLOB server CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/apps/server/*.c)
embed_page(server page page_text server/page.h ../eval/dom page_base page_stream page_line page_answer page_controls page_talk page)
add_library(ead_server STATIC ${server} ${page_page})
target_include_directories(ead_server PUBLIC ${CMAKE_SOURCE_DIR}/apps ${CMAKE_SOURCE_DIR}/include)
target_link_libraries(ead_server PUBLIC ead_json ead_base PkgConfig::MICROHTTPD m PRIVATE ead_flags)

# Models of a hub, fetched into a folder: over HTTP, JSON and base, without the library.
file(GLOB hub CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/apps/hub/*.c)
add_library(ead_hub STATIC ${hub})
target_include_directories(ead_hub PUBLIC ${CMAKE_SOURCE_DIR}/apps)
target_link_libraries(ead_hub PUBLIC ead_json ead_net ead_base PRIVATE ead_flags)

file(GLOB cli CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/apps/cli/*.c)
if(cli)
  add_executable(ead_cli ${cli})
  set_target_properties(ead_cli PROPERTIES OUTPUT_NAME ead)
  target_compile_definitions(ead_cli PRIVATE EAD_VERSION="${EAD_VERSION}")
  target_include_directories(ead_cli PRIVATE ${CMAKE_SOURCE_DIR}/apps)
  target_link_libraries(ead_cli PRIVATE ead_eval ead_server ead_hub ead ead_net ead_base ead_flags PkgConfig::JANSSON PkgConfig::EDIT m)
  install(TARGETS ead_cli COMPONENT program)
  # The pair that `ead run` takes when none is named; see apps/cli/shipped.h.
  install(DIRECTORY ${CMAKE_SOURCE_DIR}/models/ DESTINATION ${CMAKE_INSTALL_DATADIR}/ead/models
    COMPONENT program FILES_MATCHING PATTERN "problems" EXCLUDE PATTERN "*.gguf" PATTERN "profile.json")
endif()
