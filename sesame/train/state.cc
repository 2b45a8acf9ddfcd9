#include "sesame/train/state.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <string>
#include <tuple>
#include <vector>

#include "sesame/base/error.h"
#include "sesame/io/safetensors.h"

namespace sesame {
namespace {

constexpr const char* kFirst = "adam.first_moment";
constexpr const char* kSecond = "adam.second_moment";

template <typename T>
struct StateField {
  const char* name;
  T TrainingState::*member;
};

constexpr auto kFields = std::make_tuple(
    StateField{"step", &TrainingState::step}, StateField{"micro_batches", &TrainingState::micro_batches},
    StateField{"sequences", &TrainingState::sequences}, StateField{"train_tokens", &TrainingState::train_tokens},
    StateField{"validation_tokens", &TrainingState::validation_tokens},
    StateField{"evaluated_step", &TrainingState::evaluated_step},
    StateField{"validation_loss", &TrainingState::validation_loss},
    StateField{"train_loss", &TrainingState::train_loss}, StateField{"best_step", &TrainingState::best_step},
    StateField{"best_loss", &TrainingState::best_loss}, StateField{"loss_sum", &TrainingState::loss_sum},
    StateField{"loss_count", &TrainingState::loss_count}, StateField{"elapsed", &TrainingState::elapsed});

template <typename State, typename Visit>
void for_each_field(State& state, Visit visit) {
  std::apply([&](const auto&... field) { (visit(field.name, state.*field.member), ...); }, kFields);
}

std::vector<int64_t> flat_shape(size_t elements) { return {static_cast<int64_t>(elements)}; }

}  // namespace

void save_state(const std::filesystem::path& path, const TrainingState& state, std::span<const float> first_moment,
                std::span<const float> second_moment) {
  std::vector<TensorView> tensors;
  tensors.push_back(view_of(kFirst, flat_shape(first_moment.size()), first_moment));
  tensors.push_back(view_of(kSecond, flat_shape(second_moment.size()), second_moment));
  for_each_field(state, [&]<typename T>(const char* name, const T& field) {
    tensors.push_back(view_of(name, {}, std::span<const T>(&field, 1)));
  });
  write_safetensors(path, tensors, {{"format", "sesame training state, version 1"}});
}

TrainingState load_state(const std::filesystem::path& path, std::span<float> first_moment,
                         std::span<float> second_moment) {
  const SafetensorsFile file(path);
  const auto read_moment = [&](const char* name, std::span<float> out) {
    const TensorView& tensor = file.at(name);
    if (tensor.elements() != static_cast<int64_t>(out.size()))
      fail(fmt::format("{}: {} has {} elements where the recipe's model has {}: it is the state of another model",
                       path.string(), name, tensor.elements(), out.size()));
    copy_elements<float>(tensor, out);
  };
  read_moment(kFirst, first_moment);
  read_moment(kSecond, second_moment);
  TrainingState state;
  for_each_field(
      state, [&]<typename T>(const char* name, T& field) { copy_elements<T>(file.at(name), std::span<T>(&field, 1)); });
  if (state.step < 0 || state.loss_count < 0)
    fail(fmt::format("{}: step {} is below zero: the file is damaged", path.string(), state.step));
  return state;
}

}  // namespace sesame
