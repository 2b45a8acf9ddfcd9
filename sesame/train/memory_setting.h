#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sesame {

/// How much memory a training step may take: train.memory of a recipe, understood.
struct MemorySetting {
  enum class Kind : uint8_t {
    free_replays,  // "": no limit; what costs nothing is computed again
    keep,          // "keep": no limit, and nothing is computed again
    automatic,     // "auto": 90 % of the memory that is free when the step is planned
    bytes          // a size: so much for values, parameters, gradients and moments together
  };
  Kind kind = Kind::free_replays;
  int64_t bytes = 0;  // of Kind::bytes

  /// What "auto" comes to at this moment, or the given size; absent without a limit.
  [[nodiscard]] std::optional<int64_t> budget() const;
};

/// From "", "keep", "auto" or a size such as "1.5GiB", "500 MB", "2000000". Throws usage Error that names `what`
/// otherwise.
MemorySetting parse_memory(std::string_view text, std::string_view what);

}  // namespace sesame
