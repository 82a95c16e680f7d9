# Contents of the .deb besides the programs, and its dependencies: `cpack -G DEB` in a build directory. The
# units of a pool come from one template, so that pools differ in one line here and nowhere else.
function(pool POOL SLOTS NICE PATIENCE MEMORY REACHES)
  math(EXPR TASKS "${SLOTS} + 32")
  foreach(kind .socket @.service)
    configure_file(${CMAKE_SOURCE_DIR}/systemd/syncline-pool${kind}.in
                   ${CMAKE_BINARY_DIR}/units/syncline-${POOL}${kind} @ONLY)
    install(FILES ${CMAKE_BINARY_DIR}/units/syncline-${POOL}${kind} DESTINATION lib/systemd/system)
  endforeach()
endfunction()
# Memory: at least twice what is expected, so that only a fault of ours meets the limit; the process is then
# killed and started again. Peaks: 55 MiB in api; in edge the same, and 64 MiB for each concurrent password hash;
# in transfer 64 MiB over the start, but for collections with a row of hundreds of MB; in large 1 GiB, for a message
# of 300 MiB.
pool(api 8 0 30s 256M localhost)
pool(edge 16 10 30s 512M localhost)
pool(transfer 8 5 10min 2G localhost)
pool(large 16 5 30s 2G localhost)
pool(realtime 128 0 30s 512M any)

install(FILES systemd/syncline.target systemd/syncline-worker@.service systemd/syncline-migrate.service
        DESTINATION lib/systemd/system)
install(DIRECTORY systemd/syncline-.service.d DESTINATION lib/systemd/system)
install(FILES systemd/syncline.sysusers DESTINATION lib/sysusers.d RENAME syncline.conf)
install(FILES systemd/syncline.tmpfiles DESTINATION lib/tmpfiles.d RENAME syncline.conf)
install(FILES systemd/syncline.conf DESTINATION /etc/syncline)
install(PROGRAMS nginx/syncline-site DESTINATION sbin)
install(PROGRAMS nginx/render-site DESTINATION share/syncline)
install(FILES nginx/site.conf.in nginx/syncline_params nginx/syncline_authorize nginx/syncline_detail nginx/syncline_code nginx/syncline_error
              nginx/syncline_addon
        DESTINATION share/syncline)
install(DIRECTORY nginx/html DESTINATION share/syncline)
install(FILES README.md LICENSE DESTINATION share/doc/syncline)

# Depends: the group `run` of packages.txt and the libraries that the programs are linked to. The two servers
# may be on other machines.
set(recommended postgresql redis-server)
set(depends)
file(STRINGS ${CMAKE_SOURCE_DIR}/packages.txt lines REGEX "^[^#].* run$")
foreach(line IN LISTS lines)
  string(REGEX REPLACE " .*" "" package ${line})
  if(NOT package IN_LIST recommended)
    list(APPEND depends ${package})
  endif()
endforeach()
list(JOIN depends ", " CPACK_DEBIAN_PACKAGE_DEPENDS)
list(JOIN recommended ", " CPACK_DEBIAN_PACKAGE_RECOMMENDS)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_CONTACT "The Syncline maintainers <maintainers@syncline.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "self-hosted sync server for Anki and more")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_STRIP_FILES ON)
file(WRITE ${CMAKE_BINARY_DIR}/conffiles "/etc/syncline/syncline.conf\n")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_SOURCE_DIR}/systemd/postinst ${CMAKE_SOURCE_DIR}/systemd/prerm
    ${CMAKE_BINARY_DIR}/conffiles)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
