# One target per folder of the house, with one-way dependencies.

set(sesame_warnings -Wall -Wextra -Wpedantic -Wshadow)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # False alarms on std::string's operator+ (GCC bug 105329).
  list(APPEND sesame_warnings -Wno-restrict)
endif()
if(SESAME_WARNINGS_AS_ERRORS)
  list(APPEND sesame_warnings -Werror)
endif()

# sesame_folder(NAME [DEPS folder ...] [LIBS library ...])
#
# Builds sesame/NAME/**.cc as the object library sesame_NAME, and sesame/NAME/**_test.cc as the test program NAME_test,
# which links the objects of NAME and of the closure of DEPS and nothing else. A folder without sources adds nothing.
# The build fails where a file of NAME includes a folder that is not in that closure. LIBS reach all folders above.
function(sesame_folder name)
  cmake_parse_arguments(arg "" "" "DEPS;LIBS" ${ARGN})
  set(dir ${PROJECT_SOURCE_DIR}/sesame/${name})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${dir}/*.cc)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${dir}/*.h)
  set(files ${sources} ${headers})
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(REMOVE_ITEM sources ${PROJECT_SOURCE_DIR}/sesame/cli/main.cc)
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")

  set(closure ${name})
  foreach(dep IN LISTS arg_DEPS)
    get_property(dep_closure GLOBAL PROPERTY sesame_closure_${dep})
    if(NOT dep_closure)
      message(FATAL_ERROR "sesame_folder(${name}): ${dep} must be declared before it")
    endif()
    list(APPEND closure ${dep_closure})
  endforeach()
  list(REMOVE_DUPLICATES closure)
  set_property(GLOBAL PROPERTY sesame_closure_${name} ${closure})
  set_property(GLOBAL APPEND PROPERTY sesame_folders ${name})
  set_property(GLOBAL APPEND PROPERTY sesame_libraries ${arg_LIBS})

  add_library(sesame_${name}_usage INTERFACE)
  target_include_directories(sesame_${name}_usage INTERFACE ${PROJECT_SOURCE_DIR})
  target_link_libraries(sesame_${name}_usage INTERFACE ${arg_LIBS})
  foreach(dep IN LISTS arg_DEPS)
    target_link_libraries(sesame_${name}_usage INTERFACE sesame_${dep}_usage)
  endforeach()

  sesame_check_includes(${name} "${closure}" "${files}")
  if(sources)
    add_library(sesame_${name} OBJECT ${sources})
    target_compile_options(sesame_${name} PRIVATE ${sesame_warnings})
    target_link_libraries(sesame_${name} PUBLIC sesame_${name}_usage)
    add_dependencies(sesame_${name} check_includes_${name})
  endif()
  if(tests AND SESAME_BUILD_TESTS)
    sesame_folder_test(${name} "${closure}" "${tests}")
  endif()
endfunction()

# Adds the target check_includes_NAME, which reads the files again when one of them changes.
function(sesame_check_includes name closure files)
  set(stamp ${PROJECT_BINARY_DIR}/check_includes/${name}.stamp)
  set(list ${PROJECT_BINARY_DIR}/check_includes/${name}.txt)
  list(JOIN files "\n" lines)
  file(CONFIGURE OUTPUT ${list} CONTENT "${lines}" @ONLY)
  add_custom_command(OUTPUT ${stamp}
    COMMAND ${CMAKE_COMMAND} "-DFOLDER=${name}" "-DALLOWED=${closure}" -DFILES=${list} -DROOT=${PROJECT_SOURCE_DIR}
            -DSTAMP=${stamp} -P ${PROJECT_SOURCE_DIR}/cmake/CheckIncludes.cmake
    DEPENDS ${files} ${list} ${PROJECT_SOURCE_DIR}/cmake/CheckIncludes.cmake
    COMMENT "Checking the includes of sesame/${name}" VERBATIM)
  add_custom_target(check_includes_${name} DEPENDS ${stamp})
  add_dependencies(check_includes check_includes_${name})
endfunction()

function(sesame_folder_test name closure tests)
  add_executable(${name}_test ${tests})
  target_compile_options(${name}_test PRIVATE ${sesame_warnings})
  target_link_libraries(${name}_test PRIVATE sesame_${name}_usage GTest::gtest_main GTest::gmock)
  add_dependencies(${name}_test check_includes_${name})
  foreach(folder IN LISTS closure)
    if(TARGET sesame_${folder})
      target_link_libraries(${name}_test PRIVATE sesame_${folder})
    endif()
  endforeach()
  add_test(NAME ${name} COMMAND ${name}_test WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES TIMEOUT 600)
endfunction()
