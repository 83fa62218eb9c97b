# What Debian has otherwise, in the tree that becomes the package: compressed pages, zsh's folder for
# packages, a copyright file.
set(usr ${CPACK_TEMPORARY_DIRECTORY}/usr/share)
file(MAKE_DIRECTORY ${usr}/zsh)
file(RENAME ${usr}/zsh/site-functions ${usr}/zsh/vendor-completions)
file(REMOVE ${usr}/doc/ead/LICENSE) # every Debian has it
file(COPY ${CMAKE_CURRENT_LIST_DIR}/../packaging/debian/copyright DESTINATION ${usr}/doc/ead)
file(RENAME ${usr}/doc/ead/CHANGELOG.md ${usr}/doc/ead/changelog)
file(GLOB pages ${usr}/man/man1/*.1)
execute_process(COMMAND gzip -9n ${pages} ${usr}/doc/ead/changelog COMMAND_ERROR_IS_FATAL ANY)
