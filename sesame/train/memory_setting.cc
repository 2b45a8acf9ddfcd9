#include "sesame/train/memory_setting.h"

#include <fmt/format.h>

#include "sesame/base/error.h"
#include "sesame/base/machine.h"
#include "sesame/base/text_format.h"

namespace sesame {

std::optional<int64_t> MemorySetting::budget() const {
  if (kind == Kind::bytes) return bytes;
  if (kind == Kind::automatic) return static_cast<int64_t>(available_memory() / 10 * 9);
  return std::nullopt;
}

MemorySetting parse_memory(std::string_view text, std::string_view what) {
  using Kind = MemorySetting::Kind;
  if (text.empty()) return {};
  if (text == "keep") return {Kind::keep, 0};
  if (text == "auto") return {Kind::automatic, 0};
  if (text.front() < '0' || text.front() > '9')
    fail_usage(fmt::format("{} = \"{}\": must be a size, such as 512MiB, 1.5GiB or 500MB, or \"auto\" or \"keep\"",
                           what, text));
  const auto bytes = static_cast<int64_t>(parse_bytes(text, what));
  if (bytes == 0) fail_usage(fmt::format("{} = \"{}\": a step cannot do without memory", what, text));
  return {Kind::bytes, bytes};
}

}  // namespace sesame
