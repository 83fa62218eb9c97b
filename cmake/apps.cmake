# The grader: text in, verdict out. It knows neither a model nor a run.
file(GLOB grade CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/apps/grade/*.c)
add_library(ead_grade STATIC ${grade})
target_include_directories(ead_grade PUBLIC ${CMAKE_SOURCE_DIR}/apps)
target_link_libraries(ead_grade PUBLIC ead_base m PRIVATE ead_flags)

# Evaluation: datasets, runs, statistics and reports, over the public face, the grader and base. The
# program and the tests link it, and the library behind it: the public one, or as tests see it.
file(GLOB eval CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/apps/eval/*.c)
file(GLOB page CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/apps/eval/report*.html
  ${CMAKE_SOURCE_DIR}/apps/eval/report*.css ${CMAKE_SOURCE_DIR}/apps/eval/report*.js)
add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/page.c
  COMMAND ${CMAKE_COMMAND} -D FOLDER=${CMAKE_SOURCE_DIR}/apps/eval -D OUT=${CMAKE_BINARY_DIR}/page.c
    -P ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
  DEPENDS ${page} ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
  COMMENT "putting the report's page into the program")
add_library(ead_eval STATIC ${eval} ${CMAKE_BINARY_DIR}/page.c)
target_include_directories(ead_eval PUBLIC ${CMAKE_SOURCE_DIR}/apps ${CMAKE_SOURCE_DIR}/include)
target_link_libraries(ead_eval PUBLIC ead_grade ead_base PkgConfig::JANSSON m PRIVATE ead_flags)

file(GLOB cli CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/apps/cli/*.c)
if(cli)
  add_executable(ead_cli ${cli})
  set_target_properties(ead_cli PROPERTIES OUTPUT_NAME ead)
  target_compile_definitions(ead_cli PRIVATE EAD_VERSION="${EAD_VERSION}")
  target_include_directories(ead_cli PRIVATE ${CMAKE_SOURCE_DIR}/apps)
  target_link_libraries(ead_cli PRIVATE ead_eval ead ead_base ead_flags PkgConfig::JANSSON PkgConfig::EDIT m)
  install(TARGETS ead_cli)
  # The pair that `ead run` takes when none is named; see apps/cli/shipped.h.
  install(DIRECTORY ${CMAKE_SOURCE_DIR}/models/ DESTINATION ${CMAKE_INSTALL_DATADIR}/ead/models
    FILES_MATCHING PATTERN "*.gguf" PATTERN "profile.json")
endif()
