# cmake -DBUILD=dir -DSOURCE=dir -DFLAGS=flags -P check.cmake: installs the build to a fresh prefix, builds the consumer
# against it and runs it.
cmake_minimum_required(VERSION 3.25)

set(work ${BUILD}/consumer)
set(prefix ${work}/prefix)
file(REMOVE_RECURSE ${work})
function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${ARGV}\nfailed with ${status}:\n${output}")
  endif()
endfunction()
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${prefix})
run(${CMAKE_COMMAND} -G Ninja -S ${SOURCE} -B ${work}/build -DCMAKE_PREFIX_PATH=${prefix} -DCMAKE_BUILD_TYPE=Release
    "-DCMAKE_CXX_FLAGS=${FLAGS}")
run(${CMAKE_COMMAND} --build ${work}/build)
run(${work}/build/consumer)
file(WRITE ${work}/text.txt "the cat sat on the mat, the cat sat on the hat\n")
run(${prefix}/bin/sesame tokenizer train ${work}/text.txt --vocab-size 260 --out ${work}/tokenizer.json)
run(${work}/build/consumer_c ${work}/tokenizer.json)
