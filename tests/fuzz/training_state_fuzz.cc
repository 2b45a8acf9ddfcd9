#include <array>

#include "sesame/train/state.h"
#include "tests/fuzz/target.h"

namespace sesame::fuzz {
namespace {

using Moments = std::array<float, 3>;

void parse(std::string_view input) {
  Moments first{}, second{};
  const TrainingState state = load_state(scratch_file("state.safetensors", input), first, second);
  require(state.step >= 0 && state.loss_count >= 0, "counts are not negative");
  const std::filesystem::path path = scratch_directory() / "state_again.safetensors";
  save_state(path, state, first, second);
  require(load_state(path, first, second).step == state.step, "a state is written as it was read");
}

std::vector<std::string> seeds() {
  const std::filesystem::path path = scratch_directory() / "state_seed.safetensors";
  save_state(path, {.step = 5, .loss_count = 2}, Moments{1, 2, 3}, Moments{4, 5, 6});
  return {file_bytes(path)};
}

const Target target("training_state", parse, seeds);

}  // namespace
}  // namespace sesame::fuzz
