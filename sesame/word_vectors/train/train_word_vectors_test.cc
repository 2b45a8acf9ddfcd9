#include "sesame/word_vectors/train/train_word_vectors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "sesame/base/error.h"
#include "sesame/base/error_of.h"
#include "sesame/word_vectors/train/chunk_random.h"
#include "sesame/word_vectors/train/subwords.h"

namespace sesame {
namespace {

constexpr int32_t kTopics = 20;
constexpr int32_t kWordsATopic = 20;

/// Sentences of 12 words, each of one topic: the neighbours of a word are the others of its topic.
std::vector<int32_t> topic_sentences(int64_t sentences, uint64_t seed = 5) {
  ChunkRandom random(seed, 0, 0);
  std::vector<int32_t> ids;
  for (int64_t s = 0; s < sentences; ++s) {
    const auto topic = static_cast<int32_t>(random.next() % kTopics);
    for (int i = 0; i < 12; ++i) ids.push_back(topic + kTopics * static_cast<int32_t>(random.next() % kWordsATopic));
    ids.push_back(IdChunk::kSentenceEnd);
  }
  return ids;
}

/// Words "w0", "w1" ... with the counts that they have in `ids`, in the order of their ids.
Vocabulary vocabulary_of(const std::vector<int32_t>& ids, int32_t words) {
  std::vector<std::string> names;
  std::vector<Vocabulary::Entry> entries(static_cast<size_t>(words));
  for (int32_t i = 0; i < words; ++i) names.push_back("w" + std::to_string(i));
  for (size_t i = 0; i < entries.size(); ++i) entries[i].word = names[i];
  for (const int32_t id : ids) {
    if (id >= 0) ++entries[static_cast<size_t>(id)].count;
  }
  return Vocabulary::in_order(entries);
}

struct Trained {
  VectorRun run;
  VectorTables tables;
};

Trained train(const VectorOptions& given, const std::vector<int32_t>& ids, int32_t words, int threads,
              int64_t chunk_ids = 4096) {
  const VectorOptions options = resolved(given);
  const Vocabulary vocabulary = vocabulary_of(ids, words);
  ThreadPool pool(threads);
  const auto source = ids_in_memory(ids, chunk_ids);
  Trained trained{{}, initial_tables(options, words)};
  trained.run = train_word_vectors(options, vocabulary, *source, trained.tables, pool);
  return trained;
}

/// The vectors of words: rows, or their means with those of their n-grams.
std::vector<std::vector<double>> vectors_of(const VectorOptions& options, const RowTable& input, int32_t words) {
  std::vector<std::vector<double>> vectors;
  const SubwordShape shape{options.min_n, options.max_n, options.buckets};
  for (int32_t word = 0; word < words; ++word) {
    std::vector<int32_t> rows;
    if (options.max_n > 0) append_subwords("w" + std::to_string(word), shape, rows);
    for (int32_t& row : rows) row += words;
    rows.push_back(word);
    std::vector<double> mean(static_cast<size_t>(options.dim));
    for (const int32_t row : rows) {
      for (size_t d = 0; d < mean.size(); ++d) {
        mean[d] += static_cast<double>(input.row(row)[d]) / static_cast<double>(rows.size());
      }
    }
    vectors.push_back(mean);
  }
  return vectors;
}

double cosine(const std::vector<double>& a, const std::vector<double>& b) {
  double ab = 0, aa = 0, bb = 0;
  for (size_t d = 0; d < a.size(); ++d) {
    ab += a[d] * b[d];
    aa += a[d] * a[d];
    bb += b[d] * b[d];
  }
  return ab / std::sqrt(aa * bb + 1e-30);
}

/// The share of the nearest 10 words of each word that are of its topic; 19 of 399 others are, so chance is 0.05.
double share_in_topic(const std::vector<std::vector<double>>& vectors) {
  double found = 0;
  for (size_t word = 0; word < vectors.size(); ++word) {
    std::vector<std::pair<double, size_t>> others;
    for (size_t other = 0; other < vectors.size(); ++other) {
      if (other != word) others.emplace_back(-cosine(vectors[word], vectors[other]), other);
    }
    std::partial_sort(others.begin(), others.begin() + 10, others.end());
    for (size_t i = 0; i < 10; ++i) found += others[i].second % kTopics == word % kTopics ? 0.1 : 0;
  }
  return found / static_cast<double>(vectors.size());
}

bool all_finite(const RowTable& table) {
  for (int64_t row = 0; row < table.rows; ++row) {
    for (int64_t d = 0; d < table.stride; ++d) {
      if (!std::isfinite(table.row(row)[d])) return false;
      if (d >= table.dim && table.row(row)[d] != 0) return false;
    }
  }
  return true;
}

VectorOptions small_options() {
  VectorOptions options;
  options.dim = 24;
  options.sample = 0;
  options.epochs = 3;
  options.rate = 0.05;
  return options;
}

void expect_learns(const VectorOptions& options, int threads = 1) {
  const std::string what = std::string(name_of(options.architecture)) + " " + std::string(name_of(options.loss)) +
                           " max_n " + std::to_string(options.max_n) + " block " + std::to_string(options.block) +
                           " shared " + std::to_string(options.shared_negatives) + " hot " +
                           std::to_string(options.hot_rows) + (options.deterministic ? " deterministic" : "");
  const Trained trained = train(options, topic_sentences(6000), kTopics * kWordsATopic, threads);
  EXPECT_TRUE(all_finite(trained.tables.input) && all_finite(trained.tables.output)) << what;
  EXPECT_GT(share_in_topic(vectors_of(options, trained.tables.input, kTopics * kWordsATopic)), 0.95) << what;
  EXPECT_TRUE(trained.run.finished);
  EXPECT_EQ(trained.run.position.epoch, options.epochs);
  EXPECT_EQ(trained.run.position.words, static_cast<uint64_t>(options.epochs) * 6000 * 12);
  EXPECT_GT(trained.run.flops, 0);
}

TEST(TrainWordVectors, FindsPlantedTopics) {
  for (const Architecture architecture : {Architecture::skipgram, Architecture::cbow}) {
    for (const VectorLoss loss : {VectorLoss::negative_sampling, VectorLoss::hierarchical_softmax}) {
      for (const int64_t max_n : {0, 4}) {
        for (const bool deterministic : {false, true}) {
          VectorOptions options = small_options();
          options.architecture = architecture;
          options.loss = loss;
          options.max_n = max_n;
          options.min_n = 2;
          options.buckets = 1000;
          options.deterministic = deterministic;
          if (architecture == Architecture::cbow) {
            options.rate = 0.2;
            options.epochs = 8;
          }
          expect_learns(options, 2);
        }
      }
    }
  }
}

TEST(TrainWordVectors, ShortcutsLearnTheSame) {
  VectorOptions options = small_options();
  options.block = 1;
  expect_learns(options);
  options.shared_negatives = 0;
  expect_learns(options);
  options.block = 64;
  expect_learns(options, 2);
  options.block = 32;
  options.shared_negatives = 16;
  options.hot_rows = 100;
  expect_learns(options, 2);
  options.hot_rows = 100'000;  // more than there are
  options.loss = VectorLoss::hierarchical_softmax;
  expect_learns(options, 2);
}

std::string bytes_of(const VectorTables& tables) {
  std::string bytes;
  for (const RowTable* table : {&tables.input, &tables.output}) {
    for (int64_t row = 0; row < table->rows; ++row) {
      bytes.append(reinterpret_cast<const char*>(table->row(row)), static_cast<size_t>(table->dim) * sizeof(float));
    }
  }
  return bytes;
}

/// Every model, small, in deterministic mode.
std::vector<VectorOptions> deterministic_options() {
  std::vector<VectorOptions> all;
  for (const Architecture architecture : {Architecture::skipgram, Architecture::cbow}) {
    for (const VectorLoss loss : {VectorLoss::negative_sampling, VectorLoss::hierarchical_softmax}) {
      for (const int64_t max_n : {0, 3}) {
        VectorOptions options = small_options();
        options.architecture = architecture;
        options.loss = loss;
        options.min_n = 2;
        options.max_n = max_n;
        options.buckets = 300;
        options.deterministic = true;
        options.sample = 1e-2;
        options.dim = 20;
        options.epochs = 2;
        all.push_back(options);
      }
    }
  }
  return all;
}

TEST(TrainWordVectors, DeterministicIsTheSameBytesForAnyThreads) {
  const std::vector<int32_t> ids = topic_sentences(1000);
  for (const VectorOptions& options : deterministic_options()) {
    const std::string one = bytes_of(train(options, ids, 400, 1, 1000).tables);
    EXPECT_EQ(bytes_of(train(options, ids, 400, 2, 1000).tables), one);
    EXPECT_EQ(bytes_of(train(options, ids, 400, 5, 1000).tables), one);
    VectorOptions other = options;
    other.seed = 2;
    EXPECT_NE(bytes_of(train(other, ids, 400, 1, 1000).tables), one);
  }
}

/// |a - b| / |a - start|: how differently two tables have moved.
double difference(const RowTable& a, const RowTable& b, const RowTable& start) {
  double apart = 0, moved = 0;
  for (int64_t row = 0; row < a.rows; ++row) {
    for (int64_t d = 0; d < a.dim; ++d) {
      const double x = static_cast<double>(a.row(row)[d]);
      apart += std::pow(x - static_cast<double>(b.row(row)[d]), 2);
      moved += std::pow(x - static_cast<double>(start.row(row)[d]), 2);
    }
  }
  return std::sqrt(apart / moved);
}

// A corpus of one chunk has one lane, and what it moves copies of rows by is all that the tables move by: as one thread
// does on the tables, but that the learning rate is looked at more often and n-grams are given back once a round more.
TEST(TrainWordVectors, OneLaneLearnsWhatOneThreadLearns) {
  const std::vector<int32_t> ids = topic_sentences(1000);
  for (VectorOptions options : deterministic_options()) {
    options.epochs = 4;
    const VectorTables start = initial_tables(options, 400);
    const VectorTables lane = train(options, ids, 400, 2, 20'000).tables;
    options.deterministic = false;
    const VectorTables thread = train(options, ids, 400, 1, 20'000).tables;
    const double most = options.max_n > 0 ? 0.25 : 0.1;
    EXPECT_LT(difference(lane.input, thread.input, start.input), most) << options.max_n;
    EXPECT_LT(difference(lane.output, thread.output, start.output), most) << options.max_n;
  }
}

/// Hands out chunks as another source does, and says of each that training took it.
class WatchedSource final : public IdSource {
 public:
  WatchedSource(std::vector<int32_t> ids, int64_t chunk_ids) : source_(ids_in_memory(std::move(ids), chunk_ids)) {}
  bool next(IdChunk& chunk) override {
    const std::scoped_lock lock(mutex_);
    if (!source_->next(chunk)) return false;
    if (static_cast<int64_t>(taken.size()) == fail_at) fail("the disk is gone");
    taken.push_back(chunk.index);
    // Long enough that a report is due.
    if (static_cast<int64_t>(taken.size()) % slow_every == slow_every - 1) {
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
    }
    return true;
  }
  void rewind(int64_t index) override { source_->rewind(index); }
  [[nodiscard]] uint64_t words() const noexcept override { return source_->words(); }

  std::vector<int64_t> taken;
  int64_t fail_at = -1;
  int64_t slow_every = 1'000'000;

 private:
  std::unique_ptr<IdSource> source_;
  std::mutex mutex_;
};

/// Trains in pieces: a run is stopped at its first report, and the next goes on from its position.
VectorRun train_in_pieces(const VectorOptions& options, const Vocabulary& vocabulary, WatchedSource& source,
                          VectorTables& tables, ThreadPool& pool, int& pieces) {
  VectorRun run;
  do {
    run = train_word_vectors(
        options, vocabulary, source, tables, pool, [](const VectorProgress&) { return false; }, run.position);
    ++pieces;
  } while (!run.finished);
  return run;
}

TEST(TrainWordVectors, GoesOnWhereItStopped) {
  const std::vector<int32_t> ids = topic_sentences(2000);
  const Vocabulary vocabulary = vocabulary_of(ids, 400);
  for (const bool deterministic : {false, true}) {
    VectorOptions options = small_options();
    options.deterministic = deterministic;
    options.min_n = 2;
    options.max_n = 3;
    options.buckets = 300;
    options = resolved(options);
    ThreadPool pool(2);
    WatchedSource source(ids, 1000);
    source.slow_every = 16;
    VectorTables tables = initial_tables(options, 400);
    int pieces = 0;
    const VectorRun run = train_in_pieces(options, vocabulary, source, tables, pool, pieces);
    EXPECT_GT(pieces, 2);
    EXPECT_EQ(run.position.words, 3u * 2000 * 12);
    std::vector<int64_t> once;
    for (int64_t chunk = 0; chunk < 26; ++chunk) once.insert(once.end(), 3, chunk);
    std::sort(source.taken.begin(), source.taken.end());
    EXPECT_EQ(source.taken, once);
    if (deterministic) {
      EXPECT_EQ(bytes_of(tables), bytes_of(train(options, ids, 400, 1, 1000).tables));
    }
  }
}

TEST(TrainWordVectors, LossFallsAndTheRateToo) {
  for (const bool deterministic : {false, true}) {
    VectorOptions options = small_options();
    options.deterministic = deterministic;
    options.epochs = 6;
    options = resolved(options);
    const std::vector<int32_t> ids = topic_sentences(6000);
    WatchedSource source(ids, 4096);
    source.slow_every = 40;
    VectorTables tables = initial_tables(options, 400);
    ThreadPool pool(1);
    std::vector<VectorProgress> reports;
    const VectorRun run =
        train_word_vectors(options, vocabulary_of(ids, 400), source, tables, pool, [&](const VectorProgress& progress) {
          reports.push_back(progress);
          return true;
        });
    // At rows of zeros every pair loses log 2; five times as many noise words push the mean to what frequencies say.
    EXPECT_LT(run.loss, 0.4);
    EXPECT_GT(run.loss, 0.05);
    ASSERT_GE(reports.size(), 2u);
    for (size_t i = 1; i < reports.size(); ++i) {
      EXPECT_LE(reports[i].rate, reports[i - 1].rate);
      EXPECT_GE(reports[i].position.words, reports[i - 1].position.words);
      EXPECT_GT(reports[i].flops, reports[i - 1].flops);
      EXPECT_EQ(reports[i].total_words, 6u * 6000 * 12);
    }
    options.epochs = 1;
    EXPECT_GT(train(options, ids, 400, 1).run.loss, run.loss + 0.02);
  }
}

TEST(TrainWordVectors, AFailingSourceOrCallbackEndsAllThreads) {
  const std::vector<int32_t> ids = topic_sentences(2000);
  const VectorOptions options = resolved(small_options());
  VectorTables tables = initial_tables(options, 400);
  ThreadPool pool(2);
  WatchedSource source(ids, 500);
  source.fail_at = 20;
  EXPECT_EQ(error_of([&] { train_word_vectors(options, vocabulary_of(ids, 400), source, tables, pool); }),
            "the disk is gone");
}

TEST(TrainWordVectors, RefusesTablesOfOtherShapes) {
  const VectorOptions options = resolved(small_options());
  const std::vector<int32_t> ids = topic_sentences(10);
  ThreadPool pool(1);
  VectorTables tables = initial_tables(options, 399);
  const auto source = ids_in_memory(ids);
  EXPECT_EQ(error_of([&] { train_word_vectors(options, vocabulary_of(ids, 400), *source, tables, pool); }),
            "word vectors: the input table is [399, 24], but the vocabulary and the options need [400, 24]");
}

TEST(TrainWordVectors, TinyCorpora) {
  constexpr int32_t kEnd = IdChunk::kSentenceEnd;
  const std::vector<std::pair<std::vector<int32_t>, int32_t>> corpora{
      {{0}, 1}, {{0, 0, 0, 0, 0, kEnd}, 1}, {{0, 1}, 2}, {{kEnd}, 1}, {{kEnd, kEnd, 0, kEnd, 1, kEnd}, 2}, {{}, 3}};
  for (const auto& [ids, words] : corpora) {
    for (VectorOptions options : deterministic_options()) {
      for (const bool deterministic : {false, true}) {
        options.deterministic = deterministic;
        const Trained trained = train(options, ids, words, 2, 2);
        EXPECT_TRUE(trained.run.finished);
        EXPECT_TRUE(all_finite(trained.tables.input) && all_finite(trained.tables.output));
      }
    }
  }
}

TEST(TrainWordVectors, AnyDimensionAndHighRatesStayFinite) {
  const std::vector<int32_t> ids = topic_sentences(600);
  for (const int64_t dim : {1, 3, 100, 300}) {
    for (VectorOptions options : deterministic_options()) {
      options.dim = dim;
      options.rate = options.architecture == Architecture::skipgram ? 0.1 : 0.2;
      options.window = 8;
      options.sample = 0;
      for (const bool deterministic : {false, true}) {
        options.deterministic = deterministic;
        const Trained trained = train(options, ids, 400, 1);
        ASSERT_TRUE(all_finite(trained.tables.input) && all_finite(trained.tables.output)) << dim;
        EXPECT_NE(bytes_of(trained.tables), bytes_of(initial_tables(options, 400)));
      }
    }
  }
}

}  // namespace
}  // namespace sesame
