# What knows the place it is installed to: the unit of systemd names the program and its configuration.
# Runs at installation with CMAKE_INSTALL_PREFIX, in which BINDIR, SYSCONFDIR and SOURCE come from the
# caller. Below /usr the configuration is in /etc.
set(prefix ${CMAKE_INSTALL_PREFIX})
set(conf ${prefix}/${SYSCONFDIR}/ead/serve.conf)
if(prefix STREQUAL "/usr")
  set(conf /etc/ead/serve.conf)
endif()
set(CONF ${conf})
set(PROGRAM ${prefix}/${BINDIR}/ead)
configure_file(${SOURCE}/packaging/ead.service.in
  $ENV{DESTDIR}${prefix}/lib/systemd/system/ead.service @ONLY)
# Whoever changed the file keeps it.
if(NOT EXISTS $ENV{DESTDIR}${conf})
  get_filename_component(folder ${conf} DIRECTORY)
  file(COPY ${SOURCE}/packaging/serve.conf DESTINATION $ENV{DESTDIR}${folder})
endif()
