# One target per folder of the house, with one-way dependencies.

# sesame_folder(NAME [DEPS folder ...] [LIBS library ...])
#
# Builds sesame/NAME/**.cc as the object library sesame_NAME and sesame/NAME/**_test.cc as the test program
# NAME_test. A target check_includes_NAME fails the build when a file includes a folder that is not in the closure of DEPS.
function(sesame_folder name)
  cmake_parse_arguments(arg "" "" "DEPS;LIBS" ${ARGN})
  set(dir ${CMAKE_SOURCE_DIR}/sesame/${name})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${dir}/*.cc)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")

  set(allowed ${name})
  foreach(dep IN LISTS arg_DEPS)
    get_property(closure GLOBAL PROPERTY sesame_closure_${dep})
    list(APPEND allowed ${closure})
  endforeach()
  list(REMOVE_DUPLICATES allowed)
  set_property(GLOBAL PROPERTY sesame_closure_${name} ${allowed})

  if(NOT sources)
    return()
  endif()
  add_library(sesame_${name} OBJECT ${sources})
endfunction()
