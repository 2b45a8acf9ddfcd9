#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sesame {

struct GroupedWord {
  std::string word;
  int group = -1;  // into WordGroups::names, or -1: of none
};

struct WordGroups {
  std::vector<std::string> names;
  std::vector<GroupedWord> words;  // each once, where it comes first
};

/// Words between white space; a line ": name" begins a group. Files of analogies have this form too. Throws Error,
/// which calls the text `origin`, where there is no word.
WordGroups parse_word_groups(std::string_view text, const std::string& origin);

}  // namespace sesame
