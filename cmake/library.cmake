# The library: every .c file of the rooms, and the public face in src/. Kernel files get the flags of
# their instruction set; nothing else does, so that the rest runs on any machine.
set(sources "")
foreach(room ${EAD_ROOMS})
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${room}/*.c)
  list(APPEND sources ${files})
endforeach()
file(GLOB face CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/*.c)
list(APPEND sources ${face})

set(simd_files ${sources})
list(FILTER simd_files INCLUDE REGEX "kern_a[vm]x")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  foreach(file ${simd_files})
    set(avx512 "-mavx512f;-mavx512bw;-mavx512dq;-mavx512vl;-mavx512vnni;-mavx2;-mfma;-mf16c")
    if(file MATCHES "kern_amx")
      # Its unrolled loops are beyond what gcc can follow variables in, which it says at length.
      if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
        list(APPEND avx512 -fno-var-tracking-assignments)
      endif()
      set_source_files_properties(${file} PROPERTIES COMPILE_OPTIONS
        "${avx512};-mamx-tile;-mamx-int8;-mamx-bf16")
    elseif(file MATCHES "avx512")
      set_source_files_properties(${file} PROPERTIES COMPILE_OPTIONS "${avx512}")
    elseif(file MATCHES "avxvnni")
      set_source_files_properties(${file} PROPERTIES COMPILE_OPTIONS
        "-mavx2;-mfma;-mf16c;-mavxvnni")
    else()
      set_source_files_properties(${file} PROPERTIES COMPILE_OPTIONS
        "-mavx2;-mfma;-mf16c")
    endif()
  endforeach()
else()
  list(REMOVE_ITEM sources ${simd_files})
endif()

add_library(ead ${sources})
target_include_directories(ead PUBLIC $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include>
  $<INSTALL_INTERFACE:include> PRIVATE ${CMAKE_SOURCE_DIR}/src)
target_compile_definitions(ead PRIVATE EAD_VERSION="${EAD_VERSION}")
target_link_libraries(ead PRIVATE $<BUILD_INTERFACE:ead_flags> PkgConfig::PCRE2
  Threads::Threads m)
set_target_properties(ead PROPERTIES VERSION ${EAD_VERSION} SOVERSION 0)

include(GNUInstallDirs)
# The pkg-config file finds its prefix from where it lies, so that an installed tree may be moved. The
# library is an archive: whoever links it needs what it needs.
file(RELATIVE_PATH EAD_PC_TO_PREFIX "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
configure_file(cmake/ead.pc.in ead.pc @ONLY)
install(TARGETS ead)
install(FILES include/ead.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${CMAKE_BINARY_DIR}/ead.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
