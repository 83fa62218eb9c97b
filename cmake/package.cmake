# A .deb of the program and of what belongs to it; the library is for those who build from source.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME ead)
set(CPACK_PACKAGE_VERSION ${EAD_VERSION})
set(CPACK_PACKAGE_VENDOR "ead developers")
set(CPACK_PACKAGE_CONTACT "ead developers <ead@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "entropy-adaptive decoding with two language models")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
  "A small model writes a text, and when the entropy of its predictions says
that it is unsure a large one takes over. ead runs any two GGUF files of one
vocabulary on the processor, shows which model wrote each token and what it
cost, and serves both to clients of OpenAI's API. A small pair for a first
try is included.")
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(control ${CMAKE_SOURCE_DIR}/packaging/debian)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  "${control}/conffiles;${control}/postinst;${control}/prerm;${control}/postrm")
# With a destination folder the prefix stays /usr, which the unit of systemd names.
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_CMAKE_PROJECTS "${CMAKE_BINARY_DIR};ead;program;/")
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_SOURCE_DIR}/cmake/debian.cmake)
include(CPack)
