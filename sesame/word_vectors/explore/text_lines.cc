#include "sesame/word_vectors/explore/text_lines.h"

namespace sesame {

std::string_view trimmed(std::string_view text) noexcept {
  constexpr std::string_view kBlank = " \t\r";
  const size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) + 1 - first);
}

void for_each_line(std::string_view text, FunctionRef<void(std::string_view line, int64_t number)> f) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  for (int64_t number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    f(trimmed(text.substr(0, end)), number);
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

std::vector<std::string_view> split_fields(std::string_view line, std::string_view separators) {
  std::vector<std::string_view> fields;
  for (;;) {
    const size_t first = line.find_first_not_of(separators);
    if (first == std::string_view::npos) return fields;
    line.remove_prefix(first);
    const size_t end = line.find_first_of(separators);
    fields.push_back(line.substr(0, end));
    if (end == std::string_view::npos) return fields;
    line.remove_prefix(end);
  }
}

}  // namespace sesame
