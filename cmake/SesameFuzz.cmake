# The fuzz targets of tests/fuzz: replayed over seeds and a fixed number of mutations as the test fuzz_replay, and with
# SESAME_BUILD_FUZZERS (Clang only) as one libFuzzer program each.

option(SESAME_BUILD_FUZZERS "Build the libFuzzer programs of tests/fuzz (Clang with its runtime libraries)" OFF)

set(fuzz_dir ${PROJECT_SOURCE_DIR}/tests/fuzz)
file(GLOB fuzz_targets CONFIGURE_DEPENDS ${fuzz_dir}/*_fuzz.cc)
set(fuzz_shared ${fuzz_dir}/target.cc ${fuzz_dir}/tokenizer_use.cc ${fuzz_dir}/small_tokenizers.cc ${fuzz_dir}/llama2c_vocabulary.cc ${fuzz_dir}/word_vectors_use.cc)

if(SESAME_BUILD_TESTS)
  add_executable(fuzz_replay ${fuzz_targets} ${fuzz_shared} ${fuzz_dir}/mutate.cc ${fuzz_dir}/replay.cc)
  target_compile_options(fuzz_replay PRIVATE ${sesame_warnings})
  target_compile_definitions(fuzz_replay PRIVATE SESAME_FUZZ_CORPUS="${fuzz_dir}/corpus")
  target_link_libraries(fuzz_replay PRIVATE sesame sesame_cli_usage)
  add_test(NAME fuzz_replay COMMAND fuzz_replay WORKING_DIRECTORY ${PROJECT_BINARY_DIR})
  set_tests_properties(fuzz_replay PROPERTIES TIMEOUT 600)
endif()

if(SESAME_BUILD_FUZZERS)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "SESAME_BUILD_FUZZERS needs Clang: configure with -DCMAKE_CXX_COMPILER=clang++")
  endif()
  # Every folder stands on base, so this reaches the whole build.
  set(sanitizers -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=undefined)
  target_compile_options(sesame_base_usage INTERFACE ${sanitizers})
  target_link_options(sesame_base_usage INTERFACE ${sanitizers})
  add_custom_target(fuzzers)
  foreach(file IN LISTS fuzz_targets)
    get_filename_component(name ${file} NAME_WE)
    add_executable(${name} EXCLUDE_FROM_ALL ${file} ${fuzz_shared} ${fuzz_dir}/libfuzzer_entry.cc)
    target_compile_options(${name} PRIVATE ${sesame_warnings})
    target_link_libraries(${name} PRIVATE sesame sesame_cli_usage)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    add_dependencies(fuzzers ${name})
  endforeach()
endif()
