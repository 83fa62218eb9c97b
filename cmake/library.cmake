# The two lowest rooms are libraries of their own, which the programs link too. The bottom one:
file(GLOB base CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/base/*.c)
add_library(ead_base STATIC ${base})
target_include_directories(ead_base PUBLIC ${CMAKE_SOURCE_DIR}/src)
target_link_libraries(ead_base PUBLIC Threads::Threads PRIVATE ead_flags)

# HTTP as a client, which programs link too.
file(GLOB net CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/net/*.c)
add_library(ead_net STATIC ${net})
target_link_libraries(ead_net PUBLIC ead_base PkgConfig::CURL PkgConfig::JANSSON m PRIVATE ead_flags)

# Every other room, and the public face in src/. Kernel files get the flags of their instruction set;
# nothing else does, so that the rest runs on any machine.
set(rooms ${EAD_ROOMS})
list(REMOVE_ITEM rooms base net)
file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/*.c)
foreach(room ${rooms})
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${room}/*.c
    ${CMAKE_SOURCE_DIR}/src/${room}/*/*.c)
  list(APPEND sources ${files})
endforeach()

set(simd_files ${sources})
list(FILTER simd_files INCLUDE REGEX "/src/kern/([a-z]+/)?[^/]*_(avx|amx)[^/]*$")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  foreach(file ${simd_files})
    get_filename_component(name ${file} NAME)
    set(avx512 "-mavx512f;-mavx512bw;-mavx512dq;-mavx512vl;-mavx512vnni;-mavx2;-mfma;-mf16c")
    if(name MATCHES "_amx")
      # Its unrolled loops are beyond what gcc can follow variables in, which it says at length.
      if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
        list(APPEND avx512 -fno-var-tracking-assignments)
      endif()
      set_source_files_properties(${file} PROPERTIES COMPILE_OPTIONS
        "${avx512};-mamx-tile;-mamx-int8;-mamx-bf16")
    elseif(name MATCHES "avx512")
      set_source_files_properties(${file} PROPERTIES COMPILE_OPTIONS "${avx512}")
    elseif(name MATCHES "avxvnni")
      set_source_files_properties(${file} PROPERTIES COMPILE_OPTIONS
        "-mavx2;-mfma;-mf16c;-mavxvnni")
    else()
      set_source_files_properties(${file} PROPERTIES COMPILE_OPTIONS
        "-mavx2;-mfma;-mf16c")
    endif()
    # Sharing subexpressions across these loops costs registers that sums need: without it products of
    # four rows and more are 3 to 5 % faster.
    if(name MATCHES "pack_avx(2|vnni)" AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
      set_property(SOURCE ${file} APPEND PROPERTY COMPILE_OPTIONS -fno-gcse)
    endif()
  endforeach()
else()
  list(REMOVE_ITEM sources ${simd_files})
endif()

# What tests link that reach inside: the rooms as they are.
add_library(ead_inside STATIC ${sources})
target_include_directories(ead_inside PUBLIC ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR}/src)
target_compile_definitions(ead_inside PRIVATE EAD_VERSION="${EAD_VERSION}")
target_link_libraries(ead_inside PUBLIC ead_net ead_base PkgConfig::PCRE2 PkgConfig::UTF8PROC PkgConfig::JANSSON m PRIVATE ead_flags)

# What users link shows the public face alone. A shared library hides the rest by visibility; for an
# archive all objects become one, in which hidden symbols are made local, so that a user's own buf_add
# is no second one.
set(objects $<TARGET_OBJECTS:ead_inside> $<TARGET_OBJECTS:ead_net> $<TARGET_OBJECTS:ead_base>)
if(BUILD_SHARED_LIBS)
  add_library(ead ${objects})
else()
  set(whole ${CMAKE_BINARY_DIR}/ead${CMAKE_C_OUTPUT_EXTENSION})
  add_custom_command(OUTPUT ${whole}
    COMMAND ${CMAKE_LINKER} -r -o ${whole} ${objects}
    COMMAND ${CMAKE_OBJCOPY} --localize-hidden ${whole}
    DEPENDS ead_inside ead_net ead_base ${objects}
    COMMAND_EXPAND_LISTS VERBATIM
    COMMENT "hiding what is not public")
  add_library(ead ${whole})
endif()
target_include_directories(ead PUBLIC $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include>
  $<INSTALL_INTERFACE:include>)
target_link_libraries(ead PRIVATE $<BUILD_INTERFACE:ead_flags> PkgConfig::PCRE2
  PkgConfig::UTF8PROC PkgConfig::JANSSON PkgConfig::CURL Threads::Threads m)
set_target_properties(ead PROPERTIES LINKER_LANGUAGE C VERSION ${EAD_VERSION} SOVERSION 0)

include(GNUInstallDirs)
# The pkg-config file finds its prefix from where it lies, so that an installed tree may be moved. The
# library is an archive: whoever links it needs what it needs.
file(RELATIVE_PATH EAD_PC_TO_PREFIX "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
configure_file(cmake/ead.pc.in ead.pc @ONLY)
install(TARGETS ead)
install(FILES include/ead.h include/ead_policy.h include/ead_file.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${CMAKE_BINARY_DIR}/ead.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
