# Run by cpack on the tree that is to be packed: what Debian's policy wants beyond "cmake --install".
set(root "${CPACK_TEMPORARY_INSTALL_DIRECTORY}${CPACK_PACKAGING_INSTALL_PREFIX}")
set(doc "${root}/share/doc/pathtune")

# compress(FILE): to FILE.gz, without a name or time in it, so that the same input is the same output
function(compress file)
	execute_process(COMMAND gzip -9 -n -f "${file}" COMMAND_ERROR_IS_FATAL ANY)
endfunction()

foreach(page man8/pathtune.8 man5/pathtune-profile.5)
	compress("${root}/share/man/${page}")
endforeach()

file(READ "${CMAKE_CURRENT_LIST_DIR}/../../LICENSE" license)
string(REGEX MATCH "Copyright[^\n]*" copyright "${license}")
string(REGEX REPLACE "^.*All rights reserved.?\n|^[^\n]*\n+Copyright[^\n]*\n+" "" text "${license}")
string(REGEX REPLACE "\n\n" "\n.\n" text "${text}")
string(STRIP "${text}" text)
string(REPLACE "\n" "\n " text "${text}")
string(REGEX REPLACE "^Copyright *(\\([cC]\\))? *" "" holder "${copyright}")
file(WRITE "${doc}/copyright"
"Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: pathtune

Files: *
Copyright: ${holder}
License: BSD-2-Clause
 ${text}
")

string(TIMESTAMP now "%a, %d %b %Y %H:%M:%S +0000" UTC)
file(WRITE "${doc}/changelog"
"pathtune (${CPACK_PACKAGE_VERSION}) unstable; urgency=medium

  * Built from the sources; changes.md beside this file tells what is new.

 -- ${CPACK_PACKAGE_CONTACT}  ${now}
")
compress("${doc}/changelog")
