#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/base/file.h"
#include "sesame/base/thread_pool.h"
#include "sesame/word_vectors/words/word_source.h"

namespace sesame {

/// How much more often two words stand together than chance would have it. c are counts, m is min_count, N the words of
/// the text, p = c / N.
enum class PhraseScore {
  word2phrase,  // (c(a b) - m) / (c(a) c(b)) N: Mikolov et al., "Distributed Representations of Words and Phrases",
                // 2013, eq. 6
  npmi,         // ln(p(a b) / (p(a) p(b))) / -ln p(a b), in [-1, 1]: Bouma, "Normalized (Pointwise) Mutual
                // Information in Collocation Extraction", 2009
};

/// "word2phrase" or "npmi". Throws usage Error that names what is allowed.
PhraseScore parse_phrase_score(std::string_view text);
std::string_view name_of(PhraseScore score);
double phrase_score(PhraseScore score, uint64_t pair, uint64_t first, uint64_t second, uint64_t words,
                    uint64_t min_count);

struct PhraseOptions {
  PhraseScore score = PhraseScore::word2phrase;
  std::vector<double> thresholds = {100};  // a pass each: pairs with a higher score are joined
  uint64_t min_count = 5;                  // of the pair and of both its words
  std::string delimiter = "_";
  uint64_t memory_bytes = uint64_t{1} << 30;  // of the counts; beyond it they go to sorted temporary files
  std::filesystem::path temporary_directory = {};
};

/// Two words, each possibly joined in an earlier pass, that are to become one.
struct Phrase {
  std::string text;
  uint64_t count = 0;  // of the pair, overlapping ones included
  double score = 0;
  int pass = 0;  // 1, 2 ...
};

/// What is to be joined, pass by pass. Immutable, and cheap to copy.
class PhraseModel {
 public:
  class Pass;

  explicit PhraseModel(std::string delimiter = "_") : delimiter_(std::move(delimiter)) {}
  void add(std::shared_ptr<const Pass> pass) { passes_.push_back(std::move(pass)); }

  [[nodiscard]] const std::string& delimiter() const noexcept { return delimiter_; }
  [[nodiscard]] const std::vector<std::shared_ptr<const Pass>>& passes() const noexcept { return passes_; }
  /// By falling score, and by text where that is equal.
  [[nodiscard]] std::vector<Phrase> phrases() const;

 private:
  std::string delimiter_;
  std::vector<std::shared_ptr<const Pass>> passes_;
};

/// Called with the number of the reading, from 0, and the bytes of text read in it: from one thread, now and then.
using PhraseProgress = std::function<void(int reading, uint64_t bytes)>;

/// Finds the phrases of a corpus, reading it twice for each pass on all threads of the pool. Pairs are counted within
/// lines only. Exact, and the same for any number of threads. Throws Error for standard input and pipes, which can't be
/// read again.
PhraseModel learn_phrases(const WordSourceOptions& source, const PhraseOptions& options, ThreadPool& threads,
                          const PhraseProgress& progress = {});

struct JoinedText {
  uint64_t words = 0;   // written
  uint64_t joined = 0;  // of them phrases
};

/// Writes the corpus with its phrases joined: from left to right in each line, a pair that has been joined begins none
/// in the same pass. Words are separated by single spaces, line breaks stay; documents end with one.
JoinedText write_joined_text(const WordSourceOptions& source, const PhraseModel& model, FileWriter& out,
                             ThreadPool& threads, const std::function<void(uint64_t)>& progress = {});

}  // namespace sesame
