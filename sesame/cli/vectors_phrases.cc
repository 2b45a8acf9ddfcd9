#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/base/interrupt.h"
#include "sesame/base/machine.h"
#include "sesame/base/progress.h"
#include "sesame/base/text_format.h"
#include "sesame/cli/vectors.h"
#include "sesame/word_vectors/words/phrases.h"

namespace sesame {
namespace {

struct PhraseArguments {
  WordSourceOptions source;
  PhraseOptions options;
  std::string method = "word2phrase";
  std::string format = "auto";
  std::string unit = "whitespace";
  std::string memory = "1GiB";
  std::vector<double> thresholds;
  size_t passes = 0;
  size_t top = 0;
  std::string out;
  int threads = 0;
  bool json = false;
};

/// One threshold a pass, from the list on the command line, which may be one for all passes.
std::vector<double> thresholds_of(const PhraseArguments& a) {
  constexpr double kWordToPhrase = 100;
  constexpr double kNpmi = 0.5;
  std::vector<double> thresholds = a.thresholds;
  if (thresholds.empty()) thresholds = {a.method == "npmi" ? kNpmi : kWordToPhrase};
  if (a.passes == 0) return thresholds;
  if (thresholds.size() == 1) thresholds.resize(a.passes, thresholds.front());
  if (thresholds.size() != a.passes) {
    fail_usage(fmt::format("--threshold: {} values for {} passes, expected one for each, or one for all",
                           thresholds.size(), a.passes));
  }
  return thresholds;
}

PhraseArguments checked(PhraseArguments a) {
  if (a.out.empty() && a.top == 0) fail_usage("nothing to do: name --out F for the joined text, or --top N for a list");
  a.options.score = parse_phrase_score(a.method);
  a.options.thresholds = thresholds_of(a);
  a.options.memory_bytes = parse_bytes(a.memory, "--memory");
  a.source.corpus.format = parse_corpus_format(a.format, "--format");
  a.source.unit = a.unit == "character" ? WordUnit::character : WordUnit::whitespace;
  return a;
}

void end_when_interrupted() {
  if (InterruptGuard::interrupted()) fail("stopped; no file was written");
}

PhraseModel learn(const PhraseArguments& a, ThreadPool& threads) {
  const size_t readings = a.options.thresholds.size() * 2;
  Progress bar("phrases", 0);
  const auto show = [&](int reading, uint64_t bytes) {
    end_when_interrupted();
    if (bar.due()) {
      bar.update(bytes, fmt::format("{} of text, reading {} of {}", human_bytes(bytes), reading + 1, readings));
    }
  };
  return learn_phrases(a.source, a.options, threads, show);
}

JoinedText write(const PhraseArguments& a, const PhraseModel& model, ThreadPool& threads) {
  JoinedText joined;
  Progress bar("joining", 0);
  const auto show = [&](uint64_t bytes) {
    end_when_interrupted();
    if (bar.due()) bar.update(bytes, fmt::format("{} of text", human_bytes(bytes)));
  };
  write_file_atomically(a.out,
                        [&](FileWriter& out) { joined = write_joined_text(a.source, model, out, threads, show); });
  return joined;
}

nlohmann::ordered_json to_json(const Phrase& phrase) {
  return {{"phrase", phrase.text}, {"score", phrase.score}, {"count", phrase.count}, {"pass", phrase.pass}};
}

void run_phrases(const PhraseArguments& arguments) {
  const PhraseArguments a = checked(arguments);
  const auto start = std::chrono::steady_clock::now();
  ThreadPool threads(a.threads);
  const InterruptGuard guard;
  const PhraseModel model = learn(a, threads);
  const std::vector<Phrase> phrases = model.phrases();
  JoinedText joined;
  if (!a.out.empty()) joined = write(a, model, threads);
  const size_t shown = std::min(a.top, phrases.size());
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (a.json) {
    nlohmann::ordered_json result = {{"phrases", phrases.size()},
                                     {"words_written", joined.words},
                                     {"joined_words", joined.joined},
                                     {"out", a.out},
                                     {"method", name_of(a.options.score)},
                                     {"thresholds", a.options.thresholds},
                                     {"seconds", seconds},
                                     {"peak_rss_bytes", peak_resident_bytes()}};
    result["top"] = nlohmann::ordered_json::array();
    for (size_t i = 0; i < shown; ++i) result["top"].push_back(to_json(phrases[i]));
    std::cout << result.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
    return;
  }
  for (size_t i = 0; i < shown; ++i) {
    fmt::print("{:10.4g} {:9} {}\n", phrases[i].score, phrases[i].count, phrases[i].text);
  }
  fmt::print(stderr, "{} phrases in {}\n", phrases.size(), human_duration(seconds));
  if (!a.out.empty()) {
    fmt::print(stderr, "{}: {} words, {} of them phrases\n", a.out, joined.words, joined.joined);
  }
}

}  // namespace

void add_vectors_phrases(CLI::App& app, int& /*status*/) {
  auto a = std::make_shared<PhraseArguments>();
  app.add_option("FILES", a->source.sources, "text, jsonl, .gz, .zst, or a glob")->required();
  app.add_option("--format", a->format, "auto, txt or jsonl");
  app.add_option("--text-field", a->source.corpus.text_field, "of jsonl: the field that holds the text");
  app.add_option("--unit", a->unit, "what a word is: whitespace or character (Chinese)")
      ->check(CLI::IsMember({"whitespace", "character"}));
  app.add_flag("--lower", a->source.lower_case, "lower-case the text");
  app.add_option("--out", a->out, "write the text here, the words of each phrase joined");
  app.add_option("--top", a->top, "print so many phrases: score, count, phrase");
  app.add_option("--method", a->method, "score of a pair: word2phrase or npmi");
  app.add_option("--threshold", a->thresholds,
                 "join pairs with a higher score; one value, or one for each pass: 200,100 (default 100, npmi 0.5)")
      ->delimiter(',');
  app.add_option("--passes", a->passes, "times to join pairs, which may be joined ones (default: one a threshold)")
      ->check(CLI::Range(1, 20));
  app.add_option("--min-count", a->options.min_count, "leave out rarer words and pairs");
  app.add_option("--delimiter", a->options.delimiter, "what joins two words");
  app.add_option("--memory", a->memory, "most memory for counting; beyond it, counts go to temporary files");
  app.add_option("--temporary", a->options.temporary_directory, "directory for those");
  app.add_option("--threads", a->threads, "processors to use; 0: all")->check(CLI::Range(0, 1024));
  app.add_flag("--json", a->json, "one JSON object");
  app.footer("Example:\n  sesame vectors phrases corpus.txt --threshold 200,100 --out phrases.txt --top 20");
  app.callback([a] { run_phrases(*a); });
}

}  // namespace sesame
