# A Debian package: "cpack" in the build directory makes it.  Debian wants copyright, changelog and manuals in its own places and
# compressed; so they are made when the package is.
set(PATHTUNE_MAINTAINER "pathtune maintainers <maintainers@pathtune.invalid>" CACHE STRING
	"who answers for a package: Name <mail>")
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME pathtune)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "${PATHTUNE_MAINTAINER}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "measured network advisor and auto-tuner for virtual machines")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"pathtune probes a host, searches by measuring over socket buffers and
congestion control, says what limits a transfer, and leaves behind a
persisted sysctl fragment with an undo. It never credits noise, and leaves
the machine as it was unless it is told to change it.
.
It knows Linux, FreeBSD, NetBSD, OpenBSD and DragonFly, and reaches them
locally or by ssh.")
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS iproute2)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ
	GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/deb_files.cmake)
include(CPack)
