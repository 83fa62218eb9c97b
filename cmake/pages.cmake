# The program writes its man pages and completions: at every build, from the tables that it was built with.
set(written ${CMAKE_BINARY_DIR}/written)
if(NOT CMAKE_CROSSCOMPILING OR CMAKE_CROSSCOMPILING_EMULATOR)
  add_custom_command(OUTPUT ${written}/stamp
    COMMAND ${CMAKE_COMMAND} -E rm -rf ${written}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${written}/man1
    COMMAND ead_cli manual --out ${written}/man1
    COMMAND ead_cli completion bash > ${written}/ead
    COMMAND ead_cli completion zsh > ${written}/_ead
    COMMAND ${CMAKE_COMMAND} -E touch ${written}/stamp
    DEPENDS ead_cli VERBATIM COMMENT "writing man pages and completions")
  add_custom_target(pages ALL DEPENDS ${written}/stamp)
  install(DIRECTORY ${written}/man1 DESTINATION ${CMAKE_INSTALL_MANDIR} COMPONENT program)
  install(FILES ${written}/ead DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT program)
  install(FILES ${written}/_ead DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions COMPONENT program)
endif()
install(FILES README.md CHANGELOG.md ARCHITECTURE.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT program)
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT program)
install(CODE "set(BINDIR ${CMAKE_INSTALL_BINDIR})
set(SYSCONFDIR ${CMAKE_INSTALL_SYSCONFDIR})
set(SOURCE ${CMAKE_SOURCE_DIR})
include(${CMAKE_SOURCE_DIR}/cmake/install_service.cmake)" COMPONENT program)
