#include "sesame/nn/parameters.h"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "sesame/base/error.h"
#include "sesame/base/hash.h"
#include "sesame/base/philox.h"

namespace sesame {

Value Parameters::get(Builder& builder, std::string_view local_name, const Shape& shape, Init init) {
  std::string name =
      builder.scope().empty() ? std::string(local_name) : fmt::format("{}.{}", builder.scope(), local_name);
  const auto [position, is_new] = index_.try_emplace(name, list_.size());
  if (is_new) {
    list_.push_back({name, shape, init, shape.rank() >= 2});
  } else if (const Parameter& known = list_[position->second]; known.shape != shape) {
    fail(fmt::format("parameter \"{}\" is asked for with shape {} but was made with {}", name, shape.to_string(),
                     known.shape.to_string()));
  }
  return builder.variable(std::move(name), {dtype_, shape});
}

int64_t Parameters::count() const { return count_of(list_); }

int64_t count_of(std::span<const Parameter> parameters) {
  int64_t count = 0;
  for (const Parameter& parameter : parameters) count += parameter.shape.elements();
  return count;
}

namespace {

constexpr int64_t kBlock = int64_t{1} << 16;  // values that one thread draws at a time; a multiple of 4

// Box and Muller 1958: two uniform numbers in (0, 1) become two independent normal ones.
void box_muller(uint32_t a, uint32_t b, double std, double out[2]) {
  const double radius = std * std::sqrt(-2.0 * std::log((a + 0.5) * 0x1p-32));
  const double angle = 2.0 * std::numbers::pi * ((b + 0.5) * 0x1p-32);
  out[0] = radius * std::cos(angle);
  out[1] = radius * std::sin(angle);
}

void draw_normal(const Philox& philox, double std, int64_t begin, int64_t end, std::span<float> values) {
  for (int64_t i = begin; i < end; i += 4) {
    const auto words = philox.block(static_cast<uint64_t>(i) / 4, 0);
    double normal[4];
    box_muller(words[0], words[1], std, normal);
    box_muller(words[2], words[3], std, normal + 2);
    for (int64_t j = i; j < std::min(i + 4, end); ++j)
      values[static_cast<size_t>(j)] = static_cast<float>(normal[j - i]);
  }
}

}  // namespace

void initialise(const Parameter& parameter, uint64_t seed, std::span<float> values, ThreadPool* threads) {
  const auto count = static_cast<int64_t>(values.size());
  if (count != parameter.shape.elements()) {
    fail(fmt::format("parameter \"{}\" has shape {}, so {} values, but room for {} is given", parameter.name,
                     parameter.shape.to_string(), parameter.shape.elements(), count));
  }
  if (parameter.init.kind != Init::Kind::normal) {
    std::fill(values.begin(), values.end(), parameter.init.kind == Init::Kind::ones ? 1.0f : 0.0f);
    return;
  }
  const Philox philox(seed, xxh3(parameter.name));
  const auto draw = [&](int64_t block, int) {
    draw_normal(philox, parameter.init.std, block * kBlock, std::min(count, (block + 1) * kBlock), values);
  };
  const int64_t blocks = (count + kBlock - 1) / kBlock;
  if (threads != nullptr) {
    threads->run(blocks, draw);
  } else {
    for (int64_t block = 0; block < blocks; ++block) draw(block, 0);
  }
}

}  // namespace sesame
