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
set(header_only sesame_highway_headers nlohmann_json::nlohmann_json CLI11::CLI11 tomlplusplus::tomlplusplus)
foreach(library IN LISTS libraries)
  if(library IN_LIST header_only)
    target_link_libraries(sesame PRIVATE $<BUILD_INTERFACE:${library}>)
  else()
    target_link_libraries(sesame PRIVATE ${library})
  endif()
endforeach()

# The tokenizers alone, for C and whoever calls C (sesame/tokenizer.h): nothing but its functions can be seen.
add_library(sesame_tokenizer SHARED)
add_library(Sesame::sesame_tokenizer ALIAS sesame_tokenizer)
set_target_properties(sesame_tokenizer PROPERTIES LINKER_LANGUAGE CXX VERSION ${PROJECT_VERSION}
  SOVERSION ${PROJECT_VERSION_MAJOR} LINK_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/tokenizer.map)
target_include_directories(sesame_tokenizer PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<INSTALL_INTERFACE:include>)
target_link_options(sesame_tokenizer PRIVATE -Wl,--version-script=${PROJECT_SOURCE_DIR}/cmake/tokenizer.map)
foreach(folder base simd io text)
  if(TARGET sesame_${folder})
    target_sources(sesame_tokenizer PRIVATE $<TARGET_OBJECTS:sesame_${folder}>)
  endif()
endforeach()
target_link_libraries(sesame_tokenizer PRIVATE $<BUILD_INTERFACE:sesame_text_usage>)

if(EXISTS ${PROJECT_SOURCE_DIR}/sesame/cli/main.cc)
  add_executable(sesame_program ${PROJECT_SOURCE_DIR}/sesame/cli/main.cc)
  set_target_properties(sesame_program PROPERTIES OUTPUT_NAME sesame)
  target_compile_options(sesame_program PRIVATE ${sesame_warnings})
  target_link_libraries(sesame_program PRIVATE sesame sesame_cli_usage)
endif()

if(SESAME_BUILD_TESTS)
  add_test(NAME consumer COMMAND ${CMAKE_COMMAND} -DBUILD=${PROJECT_BINARY_DIR}
    -DSOURCE=${PROJECT_SOURCE_DIR}/tests/consumer "-DFLAGS=${CMAKE_CXX_FLAGS}"
    -P ${PROJECT_SOURCE_DIR}/tests/consumer/check.cmake)

  # Sesame's side of tests/oracle/run, which compares tokenizers with other projects'.
  add_executable(oracle_encode ${PROJECT_SOURCE_DIR}/tests/oracle/encode_texts.cc)
  target_compile_options(oracle_encode PRIVATE ${sesame_warnings})
  target_link_libraries(oracle_encode PRIVATE sesame_base sesame_io sesame_text CLI11::CLI11)

  # tests/*_test.cc see the whole: the library, and the program by its path.
  file(GLOB whole_tests CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/*_test.cc
    ${PROJECT_SOURCE_DIR}/tests/end_to_end/*_test.cc)
  if(whole_tests AND TARGET sesame_program)
    add_executable(whole_test ${whole_tests})
    target_compile_options(whole_test PRIVATE ${sesame_warnings})
    target_compile_definitions(whole_test PRIVATE SESAME_PROGRAM="$<TARGET_FILE:sesame_program>")
    target_link_libraries(whole_test PRIVATE sesame sesame_cli_usage GTest::gtest_main GTest::gmock)
    add_dependencies(whole_test sesame_program)
    add_test(NAME whole COMMAND whole_test WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(whole PROPERTIES TIMEOUT 600)
  endif()
endif()

# bench/NAME_bench.cc is a program; the other files there are shared by all. oneDNN is measured beside ours where it is
# installed (libdnnl-dev).
if(SESAME_BUILD_BENCH)
  file(GLOB benches CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/bench/*_bench.cc)
  file(GLOB bench_shared CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/bench/*.cc)
  list(FILTER bench_shared EXCLUDE REGEX "_bench\\.cc$")
  sesame_find_plain(DNNL::dnnl oneapi/dnnl/dnnl.h dnnl libdnnl-dev)  # Debian's own config asks for OpenCL
  find_package(OpenMP QUIET)
  foreach(bench IN LISTS benches)
    get_filename_component(name ${bench} NAME_WE)
    add_executable(${name} ${bench} ${bench_shared})
    target_compile_options(${name} PRIVATE ${sesame_warnings})
    target_link_libraries(${name} PRIVATE sesame sesame_cli_usage)
    if(TARGET DNNL::dnnl AND OpenMP_CXX_FOUND)
      target_compile_definitions(${name} PRIVATE SESAME_BENCH_ONEDNN)
      target_link_libraries(${name} PRIVATE DNNL::dnnl OpenMP::OpenMP_CXX)
    endif()
  endforeach()
endif()
