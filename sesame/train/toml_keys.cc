#include "sesame/train/toml_keys.h"

#include <algorithm>
#include <string>

namespace sesame {
namespace {

/// Behind the string that begins at `at`: of one line or, with three quotes, of several.
size_t end_of_string(std::string_view toml, size_t at) {
  const char quote = toml[at];
  const bool several_lines = toml.substr(at, 3) == std::string(3, quote);
  const std::string_view closing = toml.substr(at, several_lines ? 3 : 1);
  for (at += closing.size(); at < toml.size(); ++at) {
    if (!several_lines && toml[at] == '\n') return at;
    if (toml.substr(at).starts_with(closing)) {
      at += closing.size();
      // Up to two quotes may stand before the closing three.
      for (int extra = 0; several_lines && extra < 2 && at < toml.size() && toml[at] == quote; ++extra) ++at;
      return at;
    }
    if (quote == '"' && toml[at] == '\\') ++at;
  }
  return toml.size();
}

}  // namespace

size_t most_dots_of_a_key(std::string_view toml) {
  size_t most = 0;
  size_t dots = 0;
  for (size_t at = 0; at < toml.size();) {
    const char c = toml[at];
    if (c == '"' || c == '\'') {
      at = end_of_string(toml, at);
      continue;
    }
    if (c == '.') most = std::max(most, ++dots);
    if (std::string_view("=,[]{}\n").find(c) != std::string_view::npos) dots = 0;
    at = c == '#' ? std::min(toml.find('\n', at), toml.size()) : at + 1;
  }
  return most;
}

}  // namespace sesame
