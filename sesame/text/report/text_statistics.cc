#include "sesame/text/report/text_statistics.h"

#include <algorithm>
#include <map>

#include "sesame/text/report/sample_languages.h"
#include "sesame/text/report/script_of_text.h"
#include "sesame/text/unicode/unicode.h"
#include "sesame/text/unicode/unicode_properties.h"

namespace sesame {
TextStatistics& TextStatistics::operator+=(const TextStatistics& other) {
  bytes += other.bytes;
  characters += other.characters;
  words += other.words;
  tokens += other.tokens;
  unknown += other.unknown;
  return *this;
}

TextStatistics text_statistics(const Tokenizer& tokenizer, std::string_view text) {
  TextStatistics s;
  s.bytes = text.size();
  bool in_word = false;
  for (size_t i = 0; i < text.size();) {
    const Utf8Char c = decode_utf8(text, i);
    const bool space = c.valid && is_white_space(c.code);
    if (!space && !in_word) ++s.words;
    in_word = !space;
    ++s.characters;
    i += c.length;
  }
  const std::vector<int32_t> ids = tokenizer.encode(text);
  s.tokens = ids.size();
  if (const auto unknown = tokenizer.unknown()) {
    s.unknown = static_cast<uint64_t>(std::count(ids.begin(), ids.end(), *unknown));
  }
  return s;
}

std::vector<NamedStatistics> statistics_by_script(const Tokenizer& tokenizer, std::string_view text) {
  std::map<std::string, std::string> texts;
  while (!text.empty()) {
    const size_t feed = text.find('\n');
    const std::string_view line = text.substr(0, feed == std::string_view::npos ? text.size() : feed + 1);
    texts[script_of_text(line)] += line;
    text.remove_prefix(line.size());
  }
  std::vector<NamedStatistics> result;
  for (const auto& [script, part] : texts) result.push_back({script, text_statistics(tokenizer, part)});
  std::stable_sort(result.begin(), result.end(), [](const NamedStatistics& a, const NamedStatistics& b) {
    return a.statistics.bytes > b.statistics.bytes;
  });
  return result;
}

std::vector<NamedStatistics> statistics_of_sample_languages(const Tokenizer& tokenizer) {
  std::vector<NamedStatistics> result;
  for (const LanguageSample& sample : sample_languages()) {
    result.push_back({std::string(sample.language), text_statistics(tokenizer, sample.text)});
  }
  return result;
}

}  // namespace sesame
