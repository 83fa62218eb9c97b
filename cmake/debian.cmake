# What Debian has otherwise, in the tree that becomes the package: compressed pages, zsh's folder for
# packages, a copyright file.
set(usr ${CPACK_TEMPORARY_DIRECTORY}/usr/share)
file(MAKE_DIRECTORY ${usr}/zsh)
file(RENAME ${usr}/zsh/site-functions ${usr}/zsh/vendor-completions)
file(RENAME ${usr}/doc/ead/LICENSE ${usr}/doc/ead/copyright)
file(RENAME ${usr}/doc/ead/CHANGELOG.md ${usr}/doc/ead/changelog)
file(GLOB pages ${usr}/man/man1/*.1)
execute_process(COMMAND gzip -9n ${pages} ${usr}/doc/ead/changelog COMMAND_ERROR_IS_FATAL ANY)
