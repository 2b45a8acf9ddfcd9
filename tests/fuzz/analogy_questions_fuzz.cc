#include <algorithm>

#include "sesame/word_vectors/explore/analogy_questions.h"
#include "sesame/word_vectors/explore/evaluation.h"
#include "sesame/word_vectors/explore/word_groups.h"
#include "tests/fuzz/target.h"

namespace sesame::fuzz {
namespace {

/// Vectors for the first words, so that some questions are asked.
WordVectors vectors_for(const AnalogyQuestions& questions) {
  constexpr size_t kMostWords = 64;
  std::vector<Vocabulary::Entry> entries;
  for (const auto& section : questions.sections) {
    for (const auto& question : section.questions) {
      for (const std::string& word : question) {
        const bool known = std::any_of(entries.begin(), entries.end(), [&](const auto& e) { return e.word == word; });
        if (!known && entries.size() < kMostWords) entries.push_back({word, 1});
      }
    }
  }
  WordVectors vectors;
  vectors.vocabulary = Vocabulary::in_order(entries);
  vectors.vectors = RowTable(vectors.size(), 3);
  for (int32_t i = 0; i < vectors.size(); ++i) {
    for (int d = 0; d < 3; ++d) vectors.vectors.row(i)[d] = static_cast<float>((i * 7 + d * 5) % 11 - 5);
  }
  return vectors;
}

void parse(std::string_view input) {
  (void)evaluation_kind(input);
  allow_error([&] { (void)parse_word_groups(input, "words"); });
  const AnalogyQuestions questions = parse_analogy_questions(input, "questions");
  static ThreadPool threads(1);
  const WordVectors vectors = vectors_for(questions);
  const VectorSearch search(vectors, threads);
  for (const AnalogyRule rule : {AnalogyRule::add, AnalogyRule::multiply}) {
    const AnalogyResult result = evaluate_analogies(vectors.vocabulary, search, questions, {.rule = rule});
    require(result.total.asked + result.total.skipped == questions.size(), "every question is asked or skipped");
    require(result.total.correct <= result.total.asked, "no more right answers than questions");
  }
}

std::vector<std::string> seeds() {
  return {": capital\nAthens Greece Oslo Norway\nathens greece oslo NORWAY\n: gram1\nbad worse good better\n",
          "//Copyright\n:a\r\n\r\n1 2 3 4\r\n:a\n5 6 7 8",
          "\xEF\xBB\xBF: \xFF\n\xC3 \xE4\xB8\xAD \xF0 d\n",
          repeated(": s\n", 20'000) + "a b c d\n",
          repeated("a b c d\n", 20'000),
          "a b c " + repeated("d", 200'000)};
}

const Target target("analogy_questions", parse, seeds);

}  // namespace
}  // namespace sesame::fuzz
