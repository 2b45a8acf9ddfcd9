# cmake -DFOLDER=name -DALLOWED="name;dep;..." -DFILES=list.txt -DROOT=dir -DSTAMP=file -P CheckIncludes.cmake
#
# Fails when a file of sesame/FOLDER includes "sesame/X/..." with X not in ALLOWED; names file, line and what is allowed.
# A header of sesame/ itself that stands on nothing (the C interface) is everyone's.

cmake_minimum_required(VERSION 3.25)

file(STRINGS ${FILES} files)
set(errors "")
foreach(file IN LISTS files)
  if(NOT EXISTS ${file})
    continue()
  endif()
  # Square brackets and semicolons would confuse CMake's lists: only whole include lines are kept, and they have none.
  file(STRINGS ${file} includes REGEX "^[ \t]*#[ \t]*include[ \t]*[<\"]sesame/")
  foreach(include IN LISTS includes)
    string(REGEX MATCH "[<\"]sesame/([^/\">]+)(/?)" ignored "${include}")
    if(CMAKE_MATCH_2 STREQUAL "/" AND CMAKE_MATCH_1 IN_LIST ALLOWED)
      continue()
    endif()
    set(target ${CMAKE_MATCH_1})
    if(EXISTS ${ROOT}/sesame/${target} AND NOT IS_DIRECTORY ${ROOT}/sesame/${target})
      file(STRINGS ${ROOT}/sesame/${target} stands_on REGEX "^[ \t]*#[ \t]*include[ \t]*[<\"]sesame/")
      if(NOT stands_on)
        continue()
      endif()
    endif()
    file(READ ${file} text)
    string(FIND "${text}" "${include}" position)
    string(SUBSTRING "${text}" 0 ${position} before)
    string(REGEX REPLACE "[^\n]" "" newlines "${before}")
    string(LENGTH "${newlines}" line)
    math(EXPR line "${line} + 1")
    file(RELATIVE_PATH relative ${ROOT} ${file})
    list(JOIN ALLOWED ", " allowed)
    string(APPEND errors "${relative}:${line}: error: sesame/${FOLDER} must not include sesame/${target}"
      " (allowed: ${allowed}; see the DEPS of sesame_folder(${FOLDER}) in CMakeLists.txt)\n")
  endforeach()
endforeach()
if(errors)
  message(NOTICE "${errors}")
  message(FATAL_ERROR "sesame/${FOLDER} includes what it must not")
endif()
file(TOUCH ${STAMP})
