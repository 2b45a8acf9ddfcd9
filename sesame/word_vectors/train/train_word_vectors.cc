#include "sesame/word_vectors/train/train_word_vectors.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <vector>

#include "sesame/base/error.h"
#include "sesame/word_vectors/train/block_builder.h"
#include "sesame/word_vectors/train/lane.h"
#include "sesame/word_vectors/train/subwords.h"

namespace sesame {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int64_t kStretch = 1024;              // centres between two looks at the learning rate
constexpr int64_t kDeterministicStretch = 256;  // centres that lanes train on without each other's work
constexpr int64_t kDeterministicLanes = 4;
constexpr double kProgressSeconds = 0.25;
constexpr double kLeastRate = 1e-4;  // of the initial one, as in word2vec.c

void check_tables(const VectorOptions& options, int64_t words, const VectorTables& tables) {
  const bool tree = options.loss == VectorLoss::hierarchical_softmax;
  const auto check = [&](const RowTable& table, int64_t rows, std::string_view name) {
    if (table.rows == rows && table.dim == options.dim) return;
    fail(fmt::format("word vectors: the {} table is [{}, {}], but the vocabulary and the options need [{}, {}]", name,
                     table.rows, table.dim, rows, options.dim));
  };
  check(tables.input, words + (options.max_n > 0 ? options.buckets : 0), "input");
  check(tables.output, tree ? std::max<int64_t>(words - 1, 0) : words, "output");
}

/// Where the run is, for all its threads.
class Course {
 public:
  Course(const VectorOptions& options, const IdSource& source, const VectorPosition& start,
         const VectorProgressFunction& progress)
      : options_(options),
        progress_(progress),
        position_(start),
        total_words_(source.words() * static_cast<uint64_t>(options.epochs)),
        began_(Clock::now()),
        last_progress_(began_) {}

  [[nodiscard]] float rate_at(uint64_t words) const {
    const double left = 1 - static_cast<double>(words) / static_cast<double>(std::max<uint64_t>(total_words_, 1));
    return static_cast<float>(options_.rate * std::max(kLeastRate, left));
  }
  [[nodiscard]] uint64_t words() const noexcept { return words_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool stopping() const noexcept { return stopping_.load(std::memory_order_relaxed); }
  void stop() noexcept { stopping_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] const VectorPosition& position() const noexcept { return position_; }

  void begin_epoch() {
    const std::scoped_lock lock(mutex_);
    epoch_ = {};
  }
  void end_epoch() {
    ++position_.epoch;
    position_.chunk = 0;
  }
  /// A chunk was handed out: training stops behind it at the earliest.
  void took_chunk(int64_t index) {
    const std::scoped_lock lock(mutex_);
    position_.chunk = std::max(position_.chunk, index + 1);
  }
  void add(uint64_t words, const BlockSums& sums) {
    words_.fetch_add(words, std::memory_order_relaxed);
    const std::scoped_lock lock(mutex_);
    recent_.add(sums);
    epoch_.add(sums);
    flops_ += sums.flops;
  }
  void set_start(uint64_t words) { words_.store(words, std::memory_order_relaxed); }

  /// From one thread: reports now and then, and stops the run where the callback says so.
  void report() {
    if (!progress_) return;
    const Clock::time_point now = Clock::now();
    if (std::chrono::duration<double>(now - last_progress_).count() < kProgressSeconds) return;
    last_progress_ = now;
    if (!progress_(look())) stop();
  }

  [[nodiscard]] VectorRun result() {
    VectorRun run{.position = position_, .finished = position_.epoch >= options_.epochs, .seconds = seconds()};
    run.position.words = words();
    run.loss = epoch_.weight > 0 ? epoch_.loss / epoch_.weight : 0;
    run.flops = flops_;
    return run;
  }

 private:
  [[nodiscard]] double seconds() const { return std::chrono::duration<double>(Clock::now() - began_).count(); }

  VectorProgress look() {
    const std::scoped_lock lock(mutex_);
    if (recent_.weight > 0) last_loss_ = recent_.loss / recent_.weight;
    recent_ = {};
    VectorProgress progress{.position = position_, .total_words = total_words_, .seconds = seconds()};
    progress.position.words = words();
    progress.rate = static_cast<double>(rate_at(words()));
    progress.loss = last_loss_;
    progress.flops = flops_;
    return progress;
  }

  const VectorOptions& options_;
  const VectorProgressFunction& progress_;
  VectorPosition position_;
  uint64_t total_words_;
  Clock::time_point began_;
  Clock::time_point last_progress_;
  std::atomic<uint64_t> words_{0};
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  BlockSums recent_;  // since the last report
  BlockSums epoch_;
  double flops_ = 0;
  double last_loss_ = 0;
};

/// What lanes are made from.
struct Trainer {
  const VectorOptions& options;
  int64_t words;
  VectorTables& tables;
  BlockSamplers samplers;
  std::unique_ptr<SubwordIndex> subwords;  // with n-grams only

  Trainer(const VectorOptions& vector_options, const Vocabulary& vocabulary, VectorTables& vector_tables)
      : options(vector_options), words(vocabulary.size()), tables(vector_tables), samplers(options, vocabulary) {
    if (options.max_n > 0) {
      subwords =
          std::make_unique<SubwordIndex>(vocabulary, SubwordShape{options.min_n, options.max_n, options.buckets});
    }
  }

  [[nodiscard]] std::unique_ptr<Lane> lane(RowView input, RowView output) const {
    return std::make_unique<Lane>(options, samplers, subwords.get(), words, std::move(input), std::move(output));
  }
  /// A lane on the tables themselves. The rows touched most are the first words', or the nodes next to the root.
  [[nodiscard]] std::unique_ptr<Lane> shared_lane() const {
    const int64_t hot = std::min(options.hot_rows, tables.output.rows);
    const bool tree = options.loss == VectorLoss::hierarchical_softmax;
    return lane(RowView(tables.input), RowView(tables.output, tree ? tables.output.rows - hot : 0, hot));
  }
  [[nodiscard]] std::unique_ptr<Lane> private_lane() const {
    return lane(RowView(tables.input, RowView::Private{}), RowView(tables.output, RowView::Private{}));
  }
};

void train_chunk(Lane& lane, const IdChunk& chunk, Course& course, bool reports) {
  lane.begin(chunk, course.position().epoch);
  uint64_t counted = 0;
  for (bool more = true; more;) {
    more = lane.train(kStretch, course.rate_at(course.words()));
    lane.output().hot().exchange();
    course.add(lane.words_done() - counted, lane.take_sums());
    counted = lane.words_done();
    if (reports) course.report();
  }
}

/// One epoch, all threads on the same tables. True at its end, false where the run was stopped.
bool train_epoch_shared(IdSource& source, std::vector<std::unique_ptr<Lane>>& lanes, ThreadPool& threads,
                        Course& course) {
  std::atomic<bool> ended{false};
  threads.run(threads.threads(), [&](int64_t, int thread) {
    IdChunk chunk;
    try {
      while (!course.stopping()) {
        if (!source.next(chunk)) {
          ended = true;
          break;
        }
        course.took_chunk(chunk.index);
        train_chunk(*lanes[static_cast<size_t>(thread)], chunk, course, thread == 0);
      }
    } catch (...) {
      course.stop();
      throw;
    }
  });
  return ended;
}

/// Lanes train on a stretch each, on copies of rows; then what all have moved by goes into the tables, lane by lane.
void train_round(std::vector<std::unique_ptr<Lane>>& lanes, int64_t active, VectorTables& tables, float rate,
                 ThreadPool& threads) {
  threads.run(active, [&](int64_t i, int) {
    Lane& lane = *lanes[static_cast<size_t>(i)];
    lane.train(kDeterministicStretch, rate);
    lane.settle();
    lane.input().copies().subtract_table();
    lane.output().copies().subtract_table();
  });
  std::vector<RowCopies*> inputs, outputs;
  for (int64_t i = 0; i < active; ++i) {
    inputs.push_back(&lanes[static_cast<size_t>(i)]->input().copies());
    outputs.push_back(&lanes[static_cast<size_t>(i)]->output().copies());
  }
  threads.run(threads.threads(), [&](int64_t part, int) {
    merge_copies(inputs, tables.input, rate, part, threads.threads());
    merge_copies(outputs, tables.output, rate, part, threads.threads());
  });
  for (const auto& lane : lanes) {
    lane->input().copies().clear();
    lane->output().copies().clear();
  }
}

/// One epoch of which nothing depends on the number of threads: as many chunks at a time as there are lanes.
bool train_epoch_in_rounds(IdSource& source, std::vector<std::unique_ptr<Lane>>& lanes, VectorTables& tables,
                           ThreadPool& threads, Course& course) {
  IdChunk chunk;
  while (!course.stopping()) {
    int64_t active = 0;
    for (; active < kDeterministicLanes && source.next(chunk); ++active) {
      course.took_chunk(chunk.index);
      lanes[static_cast<size_t>(active)]->begin(chunk, course.position().epoch);
    }
    if (active == 0) return true;
    const auto words_done = [&] {
      uint64_t words = 0;
      for (int64_t i = 0; i < active; ++i) words += lanes[static_cast<size_t>(i)]->words_done();
      return words;
    };
    const auto any_left = [&] {
      return std::any_of(lanes.begin(), lanes.begin() + active, [](const auto& lane) { return lane->has_more(); });
    };
    uint64_t counted = 0;
    while (any_left()) {
      train_round(lanes, active, tables, course.rate_at(course.words()), threads);
      BlockSums sums;
      for (int64_t i = 0; i < active; ++i) sums.add(lanes[static_cast<size_t>(i)]->take_sums());
      const uint64_t words = words_done();
      course.add(words - counted, sums);
      counted = words;
      course.report();
    }
    course.add(words_done() - counted, {});
  }
  return false;
}

}  // namespace

VectorRun train_word_vectors(const VectorOptions& options, const Vocabulary& vocabulary, IdSource& source,
                             VectorTables& tables, ThreadPool& threads, const VectorProgressFunction& progress,
                             VectorPosition start) {
  check_tables(options, vocabulary.size(), tables);
  const Trainer trainer(options, vocabulary, tables);
  std::vector<std::unique_ptr<Lane>> lanes;
  for (int64_t i = 0; i < (options.deterministic ? kDeterministicLanes : threads.threads()); ++i) {
    lanes.push_back(options.deterministic ? trainer.private_lane() : trainer.shared_lane());
  }
  Course course(options, source, start, progress);
  course.set_start(start.words);
  while (course.position().epoch < options.epochs) {
    source.rewind(course.position().chunk);
    course.begin_epoch();
    const bool ended = options.deterministic ? train_epoch_in_rounds(source, lanes, tables, threads, course)
                                             : train_epoch_shared(source, lanes, threads, course);
    if (!ended) break;
    course.end_epoch();
  }
  return course.result();
}

}  // namespace sesame
