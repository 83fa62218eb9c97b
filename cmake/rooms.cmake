# The rooms of the house, lowest first. A file may include headers of its own room and of rooms
# before it in this list; tools/check_includes proves it, and every header must compile alone.
set(EAD_ROOMS base net format kern text model engine remote decode)

add_custom_target(check_includes ALL
  COMMAND ${CMAKE_SOURCE_DIR}/tools/check_includes ${CMAKE_SOURCE_DIR} ${EAD_ROOMS}
  COMMENT "checking that includes point one way")

file(GLOB_RECURSE EAD_HEADERS CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/*.h
  ${CMAKE_SOURCE_DIR}/include/*.h ${CMAKE_SOURCE_DIR}/apps/eval/*.h
  ${CMAKE_SOURCE_DIR}/apps/grade/*.h ${CMAKE_SOURCE_DIR}/apps/hub/*.h
  ${CMAKE_SOURCE_DIR}/apps/json/*.h ${CMAKE_SOURCE_DIR}/apps/server/*.h)
set(alone "")
foreach(header ${EAD_HEADERS})
  file(RELATIVE_PATH name ${CMAKE_SOURCE_DIR} ${header})
  string(REPLACE "/" "_" unit ${name})
  set(unit ${CMAKE_BINARY_DIR}/headers/${unit}.c)
  file(CONFIGURE OUTPUT ${unit} CONTENT "#include \"${header}\"\n#include \"${header}\"\n")
  list(APPEND alone ${unit})
endforeach()
add_library(headers_alone OBJECT ${alone})
target_include_directories(headers_alone PRIVATE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include
  ${CMAKE_SOURCE_DIR}/apps)
target_link_libraries(headers_alone PRIVATE ead_flags PkgConfig::CURL PkgConfig::JANSSON PkgConfig::MICROHTTPD)
