#include "sesame/word_vectors/words/phrases.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "sesame/base/error_of.h"
#include "sesame/word_vectors/words/test_corpus.h"

namespace sesame {
namespace {

using testing::HasSubstr;
using Lines = std::vector<std::vector<std::string>>;

/// The same rules written down once more, in the plainest way and in memory: words of lines, empty ones included.
class PlainPhrases {
 public:
  PlainPhrases(Lines lines, const PhraseOptions& options) : lines_(std::move(lines)) {
    for (const double threshold : options.thresholds) join(options, threshold);
  }
  [[nodiscard]] const Lines& lines() const { return lines_; }
  [[nodiscard]] const std::set<std::string>& phrases() const { return phrases_; }

 private:
  void join(const PhraseOptions& options, double threshold) {
    std::map<std::string, double> words;
    std::map<std::pair<std::string, std::string>, double> pairs;
    double total = 0;
    for (const auto& line : lines_) {
      for (size_t i = 0; i < line.size(); ++i) {
        ++total;
        ++words[line[i]];
        if (i > 0) ++pairs[{line[i - 1], line[i]}];
      }
    }
    const auto joins = [&](const std::string& a, const std::string& b) {
      const auto m = static_cast<double>(options.min_count);
      const double ab = pairs[{a, b}];
      if (ab < m || words[a] < m || words[b] < m) return false;
      const double npmi = std::log(ab / total / (words[a] / total * (words[b] / total))) / -std::log(ab / total);
      const double ratio = (ab - m) / words[a] / words[b] * total;
      return (options.score == PhraseScore::npmi ? npmi : ratio) > threshold;
    };
    for (const auto& [pair, count] : std::map(pairs)) {
      if (joins(pair.first, pair.second)) phrases_.insert(pair.first + options.delimiter + pair.second);
    }
    for (auto& line : lines_) {
      std::vector<std::string> joined;
      for (size_t i = 0; i < line.size(); ++i) {
        if (i + 1 < line.size() && joins(line[i], line[i + 1])) {
          joined.push_back(line[i] + options.delimiter + line[i + 1]);
          ++i;
        } else {
          joined.push_back(line[i]);
        }
      }
      line = joined;
    }
  }

  Lines lines_;
  std::set<std::string> phrases_;
};

Lines lines_of(const std::string& text) {
  Lines lines;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const Lines sentences = plain_sentences(text.substr(begin, end - begin));
    lines.push_back(sentences.empty() ? std::vector<std::string>{} : sentences[0]);
    begin = end + 1;
  }
  return lines;
}

std::string text_of(const Lines& lines) {
  std::string text;
  for (const auto& line : lines) text += fmt::format("{}\n", fmt::join(line, " "));
  return text;
}

struct Result {
  std::string text;
  std::set<std::string> phrases;
};

Result find_phrases(const WordSourceOptions& source, const PhraseOptions& options, int threads = 2) {
  ThreadPool pool(threads);
  const PhraseModel model = learn_phrases(source, options, pool);
  Result result;
  for (const Phrase& phrase : model.phrases()) result.phrases.insert(phrase.text);
  const TemporaryDirectory directory;
  FileWriter out = FileWriter::create(directory.path() / "out");
  const JoinedText joined = write_joined_text(source, model, out, pool);
  out.close();
  result.text = read_file(directory.path() / "out");
  uint64_t words = 0;
  for (const auto& line : lines_of(result.text)) words += line.size();
  EXPECT_EQ(joined.words, words);
  return result;
}

/// Words of a small vocabulary, some of which like each other.
std::string phrase_text(uint64_t seed, size_t words, uint32_t line) {
  const Philox random(seed, 1);
  std::string text;
  uint32_t previous = 0;
  for (uint64_t i = 0; i < words; ++i) {
    const uint32_t draw = random.word(i, 0);
    const uint32_t word = previous % 5 == 1 && draw % 3 != 0 ? previous + 1 : draw / 3 % 40;
    text += "w" + std::to_string(word);
    text += random.word(i, 1) % line == 0 ? "\n" : random.word(i, 2) % 50 == 0 ? "\t \r" : " ";
    if (random.word(i, 3) % (20 * line) == 0) text += "\n \n";
    previous = word;
  }
  return text;
}

TEST(PhraseScore, IsWordToPhrasesRatioAndNormalizedMutualInformation) {
  EXPECT_DOUBLE_EQ(phrase_score(PhraseScore::word2phrase, 10, 20, 50, 1000, 5), 5.0);
  EXPECT_DOUBLE_EQ(phrase_score(PhraseScore::npmi, 10, 20, 50, 1000, 5), std::log(10.0) / std::log(100.0));
  EXPECT_DOUBLE_EQ(phrase_score(PhraseScore::npmi, 10, 10, 10, 1000, 5), 1.0);
  EXPECT_DOUBLE_EQ(phrase_score(PhraseScore::npmi, 7, 7, 7, 7, 5), 1.0);
  EXPECT_EQ(parse_phrase_score("npmi"), PhraseScore::npmi);
  EXPECT_THAT(error_of([] { parse_phrase_score("pmi"); }), HasSubstr("word2phrase, npmi"));
}

TEST(Phrases, JoinFromTheLeftWithinLinesAndDoNotChain) {
  const TestCorpus corpus("x x x\nnew york  city\n\nold\tnew york\r\nnew\nyork x");
  // c(new york) = 2, c(x x) = 2; pairs across line breaks do not count.
  PhraseOptions options{.thresholds = {0}, .min_count = 2};
  options.thresholds = {-1};
  EXPECT_EQ(find_phrases(corpus.source(), options).text, "x_x x\nnew_york city\n\nold new_york\nnew\nyork x\n");
  options.thresholds = {0};
  EXPECT_EQ(find_phrases(corpus.source(), options).text, "x x x\nnew york city\n\nold new york\nnew\nyork x\n");
}

TEST(Phrases, HaveCountsScoresAndPasses) {
  std::string text;
  for (int i = 0; i < 10; ++i) text += "a b c\nd e f g\n";
  const TestCorpus corpus(text);
  ThreadPool pool(2);
  const PhraseModel model = learn_phrases(corpus.source(), {.thresholds = {3, 3}, .min_count = 5}, pool);
  const std::vector<Phrase> phrases = model.phrases();
  std::string shown;
  for (const Phrase& p : phrases) shown += fmt::format("{} {} {:.2f} {}\n", p.text, p.count, p.score, p.pass);
  // 70 words, then 40; (10 - 5) / 10 / 10 * 70 and * 40.
  EXPECT_EQ(shown, "a_b 10 3.50 1\nb_c 10 3.50 1\nd_e 10 3.50 1\ne_f 10 3.50 1\nf_g 10 3.50 1\n");
  const PhraseModel lower = learn_phrases(corpus.source(), {.thresholds = {3, 1}, .min_count = 5}, pool);
  shown.clear();
  for (const Phrase& p : lower.phrases())
    if (p.pass == 2) shown += fmt::format("{} {} {:.2f}\n", p.text, p.count, p.score);
  EXPECT_EQ(shown, "a_b_c 10 2.00\nd_e_f_g 10 2.00\n");
}

TEST(Phrases, AgreeWithAPlainImplementationForAnyThreadsBlocksAndMemory) {
  for (const uint32_t line : {6u, 2000u}) {  // short lines, and such as are longer than blocks
    const std::string text = phrase_text(line, 4000, line);
    const TestCorpus corpus(text);
    WordSourceOptions source = corpus.source();
    for (const PhraseOptions& options :
         {PhraseOptions{.thresholds = {4}}, PhraseOptions{.thresholds = {5, 3, 2}, .min_count = 3},
          PhraseOptions{.score = PhraseScore::npmi, .thresholds = {0.3, 0.2}, .delimiter = "++"}}) {
      const PlainPhrases expected(lines_of(text), options);
      ASSERT_GT(expected.phrases().size(), 3u);
      for (const int threads : {1, 2, 5}) {
        for (const size_t block : {50, 1000, 1 << 18}) {
          PhraseOptions bounded = options;
          if (threads == 2) bounded.memory_bytes = 1;
          source.block_bytes = block;
          const Result result = find_phrases(source, bounded, threads);
          EXPECT_TRUE(result.text == text_of(expected.lines())) << threads << " threads, blocks of " << block;
          EXPECT_EQ(result.phrases, expected.phrases());
        }
      }
    }
  }
}

TEST(Phrases, KeepWhatTheyCannotJoin) {
  const std::string text = random_text(9, 30000);
  const TestCorpus corpus(text);
  WordSourceOptions source = corpus.source();
  source.block_bytes = 100;
  EXPECT_EQ(find_phrases(source, {.thresholds = {1e9}}).text, text_of(lines_of(text)));
  EXPECT_EQ(find_phrases(source, {.thresholds = {2}}).text,
            text_of(PlainPhrases(lines_of(text), {.thresholds = {2}}).lines()));
}

TEST(Phrases, SeparateDocuments) {
  std::string lines;
  for (int i = 0; i < 20; ++i) lines += "{\"text\":\"b a\"}\n";
  const TestCorpus corpus(lines, "c.jsonl");
  const Result result = find_phrases(corpus.source(), {.thresholds = {0.1}, .min_count = 2});
  EXPECT_EQ(result.phrases, std::set<std::string>{"b_a"});
  EXPECT_THAT(result.text, testing::StartsWith("b_a\nb_a\n"));
}

TEST(Phrases, RefuseWhatCannotWork) {
  ThreadPool pool(1);
  WordSourceOptions source;
  source.sources = {"-"};
  EXPECT_THAT(error_of([&] { learn_phrases(source, {}, pool); }), HasSubstr("standard input: phrases are found"));
  const TestCorpus corpus("a\n");
  EXPECT_THAT(error_of([&] { learn_phrases(corpus.source(), {.thresholds = {}}, pool); }), HasSubstr("no threshold"));
  EXPECT_THAT(error_of([&] { learn_phrases(corpus.source(), {.min_count = 0}, pool); }), HasSubstr("--min-count"));
  EXPECT_THAT(error_of([&] { learn_phrases(corpus.source(), {.delimiter = " "}, pool); }), HasSubstr("--delimiter"));
  EXPECT_THAT(error_of([&] { learn_phrases(corpus.source(), {.thresholds = {NAN}}, pool); }), HasSubstr("--threshold"));
}

}  // namespace
}  // namespace sesame
