#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>

namespace sesame {

/// Where a run stands: with the parameters, all that the next step depends on. docs/formats.md describes the file.
struct TrainingState {
  int64_t step = 0;            // updates done
  uint64_t micro_batches = 0;  // the counter of all randomness inside the model
  uint64_t sequences = 0;      // position in the data: sequences drawn
  int64_t train_tokens = 0;    // of the data, to notice that it changed
  int64_t validation_tokens = 0;
  int64_t evaluated_step = -1;  // the last evaluation
  double validation_loss = std::numeric_limits<double>::infinity();
  double train_loss = std::numeric_limits<double>::infinity();  // mean of the steps up to that evaluation
  int64_t best_step = -1;
  double best_loss = std::numeric_limits<double>::infinity();
  double loss_sum = 0;  // of the steps since the last evaluation
  int64_t loss_count = 0;
  double elapsed = 0;  // seconds of training, all sessions together
};

/// Writes state.safetensors: the moments "adam.first_moment" and "adam.second_moment" and the fields above as scalars.
void save_state(const std::filesystem::path& path, const TrainingState& state, std::span<const float> first_moment,
                std::span<const float> second_moment);

/// Reads it back into buffers of the right size. Throws Error for a file that is damaged or of another model.
TrainingState load_state(const std::filesystem::path& path, std::span<float> first_moment,
                         std::span<float> second_moment);

}  // namespace sesame
