#include "sesame/io/json_lines.h"
#include "tests/fuzz/target.h"

namespace sesame::fuzz {
namespace {

void parse(std::string_view input) {
  const auto path = scratch_file("metrics.jsonl", input);
  truncate_after_step(path, 10);
  const std::string once = file_bytes(path);
  require(once.size() <= input.size() + 1, "records are dropped, never added");
  truncate_after_step(path, 10);
  require(file_bytes(path) == once, "a truncated file stays as it is");
}

std::vector<std::string> seeds() {
  return {
      "{\"step\":10,\"loss\":1.5}\n{\"step\":11,\"loss\":null}\n{\"note\":\"a\"}\n\n{\"step\":12.5}\n{\"step\":9}\n{"
      "\"ste"};
}

const Target target("json_lines", parse, seeds);

}  // namespace
}  // namespace sesame::fuzz
