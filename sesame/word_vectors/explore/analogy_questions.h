#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/word_vectors/explore/analogy.h"
#include "sesame/word_vectors/words/vocabulary.h"

namespace sesame {

struct AnalogyQuestions {
  struct Section {
    std::string name;
    std::vector<std::array<std::string, 4>> questions;  // the first is to the second as the third is to the fourth
  };
  std::vector<Section> sections;

  [[nodiscard]] int64_t size() const noexcept;
};

/// Lines ": section" and lines of four words between white space; empty lines and lines that begin with // are left
/// out. `origin` is what an Error calls the text when it names the line that has another form.
AnalogyQuestions parse_analogy_questions(std::string_view text, const std::string& origin);

struct AnalogyScore {
  int64_t correct = 0;
  int64_t asked = 0;
  int64_t skipped = 0;  // for a word that the vectors do not have

  /// Of the questions asked; NaN where none was.
  [[nodiscard]] double accuracy() const noexcept;
  /// Share of all questions that were asked; NaN where there are none.
  [[nodiscard]] double coverage() const noexcept;
  AnalogyScore& operator+=(const AnalogyScore& other) noexcept;
};

struct AnalogyResult {
  struct Section {
    std::string name;
    AnalogyScore score;
  };
  std::vector<Section> sections;
  AnalogyScore total;
  // As in the Google set, whose syntactic sections are those with a name that begins with "gram".
  bool has_kinds = false;
  AnalogyScore semantic;
  AnalogyScore syntactic;
};

struct AnalogyOptions {
  AnalogyRule rule = AnalogyRule::add;
  bool fold_case = true;  // upper and lower case are the same, and a word is the first one that is the same as it
};

/// What word2vec's compute-accuracy does: only the first words are known (as many as `search` has), a question with an
/// unknown word is skipped, the answer is the best word but the three of the question, and it is right where it is the
/// fourth. All questions are answered together.
AnalogyResult evaluate_analogies(const Vocabulary& vocabulary, const VectorSearch& search,
                                 const AnalogyQuestions& questions, const AnalogyOptions& options = {});

}  // namespace sesame
