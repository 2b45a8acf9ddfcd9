#include "sesame/word_vectors/words/phrases.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "sesame/base/error.h"
#include "sesame/text/words/word_counts.h"
#include "sesame/word_vectors/words/phrase_joiner.h"

namespace sesame {
namespace {

void check(const WordSourceOptions& source, const PhraseOptions& options) {
  if (options.thresholds.empty()) fail_usage("phrases: no threshold, expected one for each pass");
  for (const double threshold : options.thresholds) {
    if (!std::isfinite(threshold)) fail_usage(fmt::format("--threshold: {} is no finite number", threshold));
  }
  if (options.min_count == 0) fail_usage("--min-count: 0 is not 1 or more");
  if (options.delimiter.find_first_of(" \t\r\n") != std::string::npos) {
    fail_usage("--delimiter: white space can't join words");
  }
  for (const CorpusFile& file : expand_sources(source.sources)) {
    if (file.regular) continue;
    fail_usage(
        fmt::format("{}: phrases are found by reading the text several times, which this source does not allow; "
                    "store it in a file first",
                    file.path == "-" ? "standard input" : file.path));
  }
}

/// The words of one pass that are frequent enough to be in a phrase.
struct FrequentWords {
  std::unique_ptr<WordCounts> counts;  // which own the words of the entries
  std::vector<WordCount> entries;
  WordMap numbers;  // index into entries, plus 1
  uint64_t words = 0;
};

FrequentWords count_frequent_words(const WordSourceOptions& source, const PhraseModel& model,
                                   const PhraseOptions& options, ThreadPool& threads, const ReadProgress& progress) {
  struct Line {};
  FrequentWords result;
  result.counts = std::make_unique<WordCounts>(threads.threads(), options.memory_bytes, options.temporary_directory);
  for_each_joined_line<Line>(
      source, model, threads, progress,
      [&](Line&, std::string_view word, bool, int thread) { result.counts->add(thread, WordKey::of(word)); },
      [](Line&, int) {}, [](int) {});
  WordCounts::Merged merged = result.counts->merge(options.min_count, threads);
  result.entries = std::move(merged.entries);
  result.words = merged.words;
  for (size_t i = 0; i < result.entries.size(); ++i) result.numbers[WordKey::of(result.entries[i].word)] = i + 1;
  return result;
}

/// Calls found(pair, count) for the pairs of frequent words that occur min_count times.
template <typename Found>
void count_pairs(const WordSourceOptions& source, const PhraseModel& model, const FrequentWords& frequent,
                 const PhraseOptions& options, ThreadPool& threads, const ReadProgress& progress, Found&& found) {
  struct Line {
    uint32_t previous = 0;  // number of the word before, or 0
  };
  WordCounts pairs(threads.threads(), options.memory_bytes, options.temporary_directory);
  for_each_joined_line<Line>(
      source, model, threads, progress,
      [&](Line& line, std::string_view word, bool, int thread) {
        const WordPair pair{line.previous, static_cast<uint32_t>(frequent.numbers.find(WordKey::of(word))->value)};
        line.previous = pair.second;
        if (pair.first != 0 && pair.second != 0) pairs.add(thread, WordKey::of(pair.bytes()));
      },
      [](Line&, int) {}, [](int) {});
  for (const WordCount& entry : pairs.merge(options.min_count, threads).entries) {
    WordPair pair;
    std::memcpy(&pair, entry.word.data(), sizeof pair);
    found(pair, entry.count);
  }
}

std::shared_ptr<const PhraseModel::Pass> learn_pass(const WordSourceOptions& source, const PhraseModel& model,
                                                    const PhraseOptions& options, ThreadPool& threads,
                                                    const PhraseProgress& progress) {
  const auto number = static_cast<int>(model.passes().size());
  const double threshold = options.thresholds[static_cast<size_t>(number)];
  const auto report = [&](int reading) -> ReadProgress {
    if (!progress) return {};
    return [&progress, reading](uint64_t bytes) { progress(reading, bytes); };
  };
  const FrequentWords frequent = count_frequent_words(source, model, options, threads, report(2 * number));
  auto pass = std::make_shared<PhraseModel::Pass>();
  count_pairs(source, model, frequent, options, threads, report(2 * number + 1), [&](WordPair pair, uint64_t count) {
    const WordCount& first = frequent.entries[pair.first - 1];
    const WordCount& second = frequent.entries[pair.second - 1];
    const double score =
        phrase_score(options.score, count, first.count, second.count, frequent.words, options.min_count);
    if (!(score > threshold)) return;
    std::string text = std::string(first.word) + options.delimiter + std::string(second.word);
    pass->add(first.word, second.word, {std::move(text), count, score, number + 1});
  });
  return pass;
}

}  // namespace

PhraseScore parse_phrase_score(std::string_view text) {
  if (text == "word2phrase") return PhraseScore::word2phrase;
  if (text == "npmi") return PhraseScore::npmi;
  fail_usage(fmt::format("--method: \"{}\" is not one of word2phrase, npmi", text));
}

std::string_view name_of(PhraseScore score) { return score == PhraseScore::npmi ? "npmi" : "word2phrase"; }

double phrase_score(PhraseScore score, uint64_t pair, uint64_t first, uint64_t second, uint64_t words,
                    uint64_t min_count) {
  const auto ab = static_cast<double>(pair);
  const auto a = static_cast<double>(first);
  const auto b = static_cast<double>(second);
  const auto n = static_cast<double>(words);
  if (score == PhraseScore::word2phrase) return (ab - static_cast<double>(min_count)) / a / b * n;
  // A text that is this pair alone: the limit for p(a b) towards 1.
  if (pair == words) return 1;
  return std::log(ab / a * (n / b)) / -std::log(ab / n);
}

std::vector<Phrase> PhraseModel::phrases() const {
  std::vector<Phrase> phrases;
  for (const auto& pass : passes_) phrases.insert(phrases.end(), pass->phrases().begin(), pass->phrases().end());
  std::sort(phrases.begin(), phrases.end(), [](const Phrase& a, const Phrase& b) {
    if (a.score != b.score) return a.score > b.score;
    return a.text != b.text ? a.text < b.text : a.pass < b.pass;
  });
  return phrases;
}

PhraseModel learn_phrases(const WordSourceOptions& source, const PhraseOptions& options, ThreadPool& threads,
                          const PhraseProgress& progress) {
  check(source, options);
  PhraseModel model(options.delimiter);
  while (model.passes().size() < options.thresholds.size()) {
    model.add(learn_pass(source, model, options, threads, progress));
  }
  return model;
}

JoinedText write_joined_text(const WordSourceOptions& source, const PhraseModel& model, FileWriter& out,
                             ThreadPool& threads, const std::function<void(uint64_t)>& progress) {
  struct Line {
    bool begun = false;
  };
  struct Output {
    std::string text;
    JoinedText counts;
  };
  std::vector<Output> outputs(static_cast<size_t>(threads.threads()));
  for_each_joined_line<Line>(
      source, model, threads, progress,
      [&](Line& line, std::string_view word, bool joined, int thread) {
        Output& output = outputs[static_cast<size_t>(thread)];
        if (std::exchange(line.begun, true)) output.text += ' ';
        output.text += word;
        ++output.counts.words;
        output.counts.joined += joined ? 1 : 0;
      },
      [&](Line&, int thread) { outputs[static_cast<size_t>(thread)].text += '\n'; },
      [&](int thread) {
        Output& output = outputs[static_cast<size_t>(thread)];
        out.write(output.text);
        output.text.clear();
      });
  JoinedText total;
  for (const Output& output : outputs) {
    total.words += output.counts.words;
    total.joined += output.counts.joined;
  }
  return total;
}

}  // namespace sesame
