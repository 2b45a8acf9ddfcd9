# What is made of the folders: the library Sesame::sesame, the program sesame, the tests and benchmarks over the whole.

add_library(sesame STATIC)
add_library(Sesame::sesame ALIAS sesame)
set_target_properties(sesame PROPERTIES LINKER_LANGUAGE CXX)
target_compile_features(sesame PUBLIC cxx_std_20)
target_include_directories(sesame PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<INSTALL_INTERFACE:include>)

get_property(folders GLOBAL PROPERTY sesame_folders)
foreach(folder IN LISTS folders)
  if(TARGET sesame_${folder})
    target_sources(sesame PRIVATE $<TARGET_OBJECTS:sesame_${folder}>)
  endif()
endforeach()

get_property(libraries GLOBAL PROPERTY sesame_libraries)
list(REMOVE_DUPLICATES libraries)
set(header_only nlohmann_json::nlohmann_json CLI11::CLI11 tomlplusplus::tomlplusplus)
foreach(library IN LISTS libraries)
  if(library IN_LIST header_only)
    target_link_libraries(sesame PRIVATE $<BUILD_INTERFACE:${library}>)
  else()
    target_link_libraries(sesame PRIVATE ${library})
  endif()
endforeach()

if(EXISTS ${PROJECT_SOURCE_DIR}/sesame/cli/main.cc)
  add_executable(sesame_cli ${PROJECT_SOURCE_DIR}/sesame/cli/main.cc)
  set_target_properties(sesame_cli PROPERTIES OUTPUT_NAME sesame)
  target_compile_options(sesame_cli PRIVATE ${sesame_warnings})
  target_link_libraries(sesame_cli PRIVATE sesame sesame_cli_usage)
endif()

if(SESAME_BUILD_TESTS)
  add_test(NAME consumer COMMAND ${CMAKE_COMMAND} -DBUILD=${PROJECT_BINARY_DIR}
    -DSOURCE=${PROJECT_SOURCE_DIR}/tests/consumer "-DFLAGS=${CMAKE_CXX_FLAGS}"
    -P ${PROJECT_SOURCE_DIR}/tests/consumer/check.cmake)

  # tests/*_test.cc see the whole: the library, and the program by its path.
  file(GLOB whole_tests CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/*_test.cc)
  if(whole_tests AND TARGET sesame_cli)
    add_executable(whole_test ${whole_tests})
    target_compile_options(whole_test PRIVATE ${sesame_warnings})
    target_compile_definitions(whole_test PRIVATE SESAME_PROGRAM="$<TARGET_FILE:sesame_cli>")
    target_link_libraries(whole_test PRIVATE sesame sesame_cli_usage GTest::gtest_main GTest::gmock)
    add_dependencies(whole_test sesame_cli)
    add_test(NAME whole COMMAND whole_test WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(whole PROPERTIES TIMEOUT 600)
  endif()
endif()
