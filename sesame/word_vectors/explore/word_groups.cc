#include "sesame/word_vectors/explore/word_groups.h"

#include <fmt/format.h>

#include <unordered_set>

#include "sesame/base/error.h"
#include "sesame/word_vectors/explore/text_lines.h"

namespace sesame {

WordGroups parse_word_groups(std::string_view text, const std::string& origin) {
  WordGroups result;
  std::unordered_set<std::string> seen;
  for_each_line(text, [&](std::string_view line, int64_t) {
    if (line.starts_with(':')) {
      result.names.emplace_back(trimmed(line.substr(1)));
      return;
    }
    for (const std::string_view word : split_fields(line, " \t")) {
      if (seen.emplace(word).second)
        result.words.push_back({std::string(word), static_cast<int>(result.names.size()) - 1});
    }
  });
  if (result.words.empty()) fail(fmt::format("{}: no word in it", origin));
  return result;
}

}  // namespace sesame
