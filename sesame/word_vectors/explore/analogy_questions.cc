#include "sesame/word_vectors/explore/analogy_questions.h"

#include <fmt/format.h>

#include <limits>

#include "sesame/base/error.h"
#include "sesame/text/unicode/unicode.h"
#include "sesame/text/words/string_map.h"
#include "sesame/word_vectors/explore/text_lines.h"

namespace sesame {
namespace {

/// Finds words among the first ones of a vocabulary, upper and lower case alike where that is asked for.
class WordLookup {
 public:
  WordLookup(const Vocabulary& vocabulary, int64_t words, bool fold_case) : fold_case_(fold_case) {
    first_like_.reserve(static_cast<size_t>(words));
    for (int32_t id = 0; id < words; ++id) {
      first_like_.push_back(ids_.try_emplace(key(vocabulary.word(id)), id).first->second);
    }
  }

  /// The first word that is the same, or -1.
  [[nodiscard]] int32_t find(std::string_view word) const {
    const auto found = ids_.find(key(word));
    return found == ids_.end() ? -1 : found->second;
  }
  /// The first word that is the same as the one with this id.
  [[nodiscard]] int32_t first_like(int32_t id) const { return first_like_[static_cast<size_t>(id)]; }

 private:
  [[nodiscard]] std::string key(std::string_view word) const {
    return fold_case_ ? lowercase_unicode(word) : std::string(word);
  }

  bool fold_case_;
  StringMap ids_;
  std::vector<int32_t> first_like_;
};

struct Asked {
  std::vector<AnalogyIds> questions;
  std::vector<int32_t> expected;
  std::vector<size_t> section;
};

/// The questions of which all words are known; counts the others as skipped.
Asked known_questions(const AnalogyQuestions& questions, const WordLookup& lookup, AnalogyResult& result) {
  Asked asked;
  for (size_t s = 0; s < questions.sections.size(); ++s) {
    AnalogyScore& score = result.sections[s].score;
    for (const auto& [a, b, c, d] : questions.sections[s].questions) {
      const AnalogyIds ids{lookup.find(a), lookup.find(b), lookup.find(c)};
      const int32_t expected = lookup.find(d);
      if (ids.a < 0 || ids.b < 0 || ids.c < 0 || expected < 0) {
        ++score.skipped;
        continue;
      }
      ++score.asked;
      asked.questions.push_back(ids);
      asked.expected.push_back(expected);
      asked.section.push_back(s);
    }
  }
  return asked;
}

bool is_syntactic(std::string_view section) { return section.starts_with("gram"); }

double share(int64_t part, int64_t whole) {
  return whole == 0 ? std::numeric_limits<double>::quiet_NaN() : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

int64_t AnalogyQuestions::size() const noexcept {
  int64_t count = 0;
  for (const Section& section : sections) count += static_cast<int64_t>(section.questions.size());
  return count;
}

double AnalogyScore::accuracy() const noexcept { return share(correct, asked); }

double AnalogyScore::coverage() const noexcept { return share(asked, asked + skipped); }

AnalogyScore& AnalogyScore::operator+=(const AnalogyScore& other) noexcept {
  correct += other.correct;
  asked += other.asked;
  skipped += other.skipped;
  return *this;
}

AnalogyQuestions parse_analogy_questions(std::string_view text, const std::string& origin) {
  AnalogyQuestions result;
  StringMap section_of;  // a name that comes again goes on with its section
  size_t section = 0;
  const auto begin_section = [&](std::string_view name) {
    const auto [at, fresh] = section_of.try_emplace(std::string(name), static_cast<int32_t>(result.sections.size()));
    if (fresh) result.sections.push_back({at->first, {}});
    section = static_cast<size_t>(at->second);
  };
  for_each_line(text, [&](std::string_view line, int64_t number) {
    if (line.empty() || line.starts_with("//")) return;
    if (line.front() == ':') {
      begin_section(trimmed(line.substr(1)));
      return;
    }
    const std::vector<std::string_view> words = split_fields(line, " \t");
    if (words.size() != 4) {
      fail(fmt::format("{}:{}: {} words, where a question has four, and a section begins with \": \"", origin, number,
                       words.size()));
    }
    if (result.sections.empty()) begin_section("");
    auto& question = result.sections[section].questions.emplace_back();
    for (size_t i = 0; i < 4; ++i) question[i] = words[i];
  });
  if (result.size() == 0) fail(fmt::format("{}: no question of four words in it", origin));
  return result;
}

AnalogyResult evaluate_analogies(const Vocabulary& vocabulary, const VectorSearch& search,
                                 const AnalogyQuestions& questions, const AnalogyOptions& options) {
  const WordLookup lookup(vocabulary, search.size(), options.fold_case);
  AnalogyResult result;
  for (const auto& section : questions.sections) result.sections.push_back({section.name, {}});
  const Asked asked = known_questions(questions, lookup, result);
  const std::vector<int32_t> answers = solve_analogies(search, asked.questions, options.rule);
  for (size_t q = 0; q < answers.size(); ++q) {
    const bool right = answers[q] >= 0 && lookup.first_like(answers[q]) == asked.expected[q];
    result.sections[asked.section[q]].score.correct += right ? 1 : 0;
  }
  for (const AnalogyResult::Section& section : result.sections) {
    result.total += section.score;
    result.has_kinds = result.has_kinds || is_syntactic(section.name);
    (is_syntactic(section.name) ? result.syntactic : result.semantic) += section.score;
  }
  return result;
}

}  // namespace sesame
