#include "sesame/word_vectors/train/compat.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/base/thread_pool.h"
#include "sesame/word_vectors/train/block_step.h"
#include "sesame/word_vectors/train/compat_random.h"
#include "sesame/word_vectors/train/compat_reader.h"
#include "sesame/word_vectors/train/compat_step.h"
#include "sesame/word_vectors/train/huffman.h"

namespace sesame {
namespace {

constexpr size_t kMostWordsOfSentence = 1000;
constexpr uint64_t kWordsPerRate = 10'000;  // of a thread, between two looks at the learning rate
constexpr uint64_t kWordsPerLoss = 64;      // of the centre words, one in so many is looked at for the loss
constexpr double kSecondsPerProgress = 0.25;

/// What all threads share.
struct Shared {
  Shared(const VectorOptions& o, const Vocabulary& v, std::string_view t, VectorTables& tab, int n);

  const VectorOptions& options;
  const Vocabulary& vocabulary;
  std::string_view text;
  VectorTables& tables;
  uint64_t threads;

  CompatSigmoid sigmoid;
  CompatNoiseTable noise;   // negative sampling
  HuffmanTree tree;         // hierarchical softmax
  std::vector<float> keep;  // how probably an occurrence of each word survives subsampling
  float initial_rate;
  uint64_t total_words;  // of all epochs

  std::atomic<uint64_t> words_done{0};
  std::atomic<float> rate;
  std::atomic<bool> stopped{false};
};

/// (sqrt(f / (s T)) + 1) * (s T) / f, in the precisions of the original.
std::vector<float> keep_probabilities(const Vocabulary& vocabulary, float sample) {
  std::vector<float> keep;
  const float threshold = sample * static_cast<float>(vocabulary.total());
  for (const uint64_t count : vocabulary.counts()) {
    const auto frequency = static_cast<float>(count);
    const double root = std::sqrt(static_cast<double>(frequency / threshold));
    keep.push_back(static_cast<float>((root + 1) * static_cast<double>(threshold) / static_cast<double>(count)));
  }
  return keep;
}

Shared::Shared(const VectorOptions& o, const Vocabulary& v, std::string_view t, VectorTables& tab, int n)
    : options(o),
      vocabulary(v),
      text(t),
      tables(tab),
      threads(static_cast<uint64_t>(n)),
      noise(v.counts(), o.noise_exponent),
      keep(keep_probabilities(v, static_cast<float>(o.sample))),
      initial_rate(static_cast<float>(o.rate)),
      total_words(static_cast<uint64_t>(o.epochs) * v.total()),
      rate(initial_rate) {
  if (o.loss == VectorLoss::hierarchical_softmax) tree = HuffmanTree(v.counts(), HuffmanTree::Order::as_given);
}

/// TrainModelThread of word2vec.c.
class CompatThread {
 public:
  CompatThread(Shared& shared, uint64_t thread, const VectorProgressFunction& progress)
      : shared_(shared),
        options_(shared.options),
        thread_(thread),
        progress_(progress),
        random_(thread),
        reader_(shared.text),
        scratch_(2, shared.options.dim),
        hidden_(scratch_.row(0)),
        error_(scratch_.row(1)),
        began_(std::chrono::steady_clock::now()) {
    sentence_.reserve(kMostWordsOfSentence);
  }

  void run() {
    for (epoch_ = 0; epoch_ < options_.epochs && !shared_.stopped; ++epoch_) {
      reader_.seek(shared_.text.size() / shared_.threads * thread_);
      while (!shared_.stopped) {
        refresh_rate();
        if (!read_sentence() || words_ > shared_.vocabulary.total() / shared_.threads) break;
        train_sentence();
      }
      report_words();
      words_ = words_reported_ = 0;
    }
  }

  [[nodiscard]] double flops() const { return 6.0 * static_cast<double>(options_.dim) * static_cast<double>(scores_); }
  [[nodiscard]] double loss_sum() const { return loss_sum_; }
  [[nodiscard]] uint64_t loss_pairs() const { return loss_pairs_; }

 private:
  void report_words() { shared_.words_done += words_ - words_reported_, words_reported_ = words_; }

  void refresh_rate() {
    if (words_ - words_reported_ <= kWordsPerRate) return;
    report_words();
    const auto done = static_cast<float>(shared_.words_done.load());
    const float initial = shared_.initial_rate;
    const float rate = initial * (1 - done / static_cast<float>(shared_.total_words + 1));
    const double least = static_cast<double>(initial) * 0.0001;
    shared_.rate = rate < least ? static_cast<float>(least) : rate;
    if (thread_ == 0 && progress_) show_progress();
  }

  void show_progress() {
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
    if (seconds < seconds_shown_ + kSecondsPerProgress) return;
    seconds_shown_ = seconds;
    VectorProgress progress;
    progress.position = {epoch_, 0, shared_.words_done};
    progress.total_words = shared_.total_words;
    progress.seconds = seconds;
    progress.rate = static_cast<double>(shared_.rate.load());
    progress.loss = loss_pairs_ > 0 ? loss_sum_ / static_cast<double>(loss_pairs_) : 0;
    progress.flops = flops() * static_cast<double>(shared_.threads);
    if (!progress_(progress)) shared_.stopped = true;
    loss_sum_ = 0, loss_pairs_ = 0;
  }

  /// Up to a line break or 1000 words, what the vocabulary lacks and subsampling drops left out. False at the end of
  /// the text, where what is left of a sentence is dropped.
  bool read_sentence() {
    sentence_.clear();
    std::string_view text;
    while (sentence_.size() < kMostWordsOfSentence) {
      if (!reader_.next(text)) return false;
      const int32_t word = shared_.vocabulary.find(text);
      if (word < 0) continue;
      ++words_;
      if (word == 0) break;
      if (options_.sample > 0 && shared_.keep[static_cast<size_t>(word)] < random_.next_uniform()) continue;
      sentence_.push_back(word);
    }
    return true;
  }

  /// Position by position. An empty sentence has one as well, which costs a draw and trains nothing.
  void train_sentence() {
    train_position(0);
    for (size_t position = 1; position < sentence_.size(); ++position) {
      refresh_rate();
      train_position(static_cast<int64_t>(position));
    }
  }

  void train_position(int64_t position) {
    find_contexts(position);
    if (contexts_.empty()) return;
    const int32_t centre = sentence_[static_cast<size_t>(position)];
    const bool shows_loss = ++centres_ % kWordsPerLoss == 0;
    if (options_.architecture == Architecture::cbow) {
      train_cbow(centre, shows_loss);
    } else {
      train_skipgram(centre, shows_loss);
    }
  }

  void find_contexts(int64_t position) {
    contexts_.clear();
    const auto window = static_cast<uint64_t>(options_.window);
    const auto half_width = static_cast<int64_t>(window - random_.next() % window);
    const int64_t first = std::max<int64_t>(position - half_width, 0);
    const int64_t last = std::min(position + half_width, static_cast<int64_t>(sentence_.size()) - 1);
    for (int64_t at = first; at <= last; ++at) {
      if (at != position) contexts_.push_back(shared_.tables.input.row(sentence_[static_cast<size_t>(at)]));
    }
  }

  void train_cbow(int32_t centre, bool shows_loss) {
    targets_.clear();
    add_targets(centre);
    const int64_t dim = options_.dim;
    sum_rows(contexts_, dim, 1.0F / static_cast<float>(contexts_.size()), hidden_);
    train_targets(targets_, hidden_, shows_loss);
    add_to_rows(contexts_, dim, error_);
  }

  /// The words around are the inputs that predict the one in the middle. All draws come first, so that rows are on
  /// their way when their turn comes.
  void train_skipgram(int32_t centre, bool shows_loss) {
    targets_.clear();
    target_ends_.clear();
    for (size_t i = 0; i < contexts_.size(); ++i) {
      add_targets(centre);
      target_ends_.push_back(targets_.size());
    }
    size_t begin = 0;
    for (size_t i = 0; i < contexts_.size(); ++i) {
      const std::span targets = std::span(targets_).subspan(begin, target_ends_[i] - begin);
      train_targets(targets, contexts_[i], shows_loss);
      add_to_rows(std::span(contexts_).subspan(i, 1), options_.dim, error_);
      begin = target_ends_[i];
    }
  }

  void train_targets(std::span<CompatTarget> targets, const float* hidden, bool shows_loss) {
    std::fill_n(error_, scratch_.stride, 0.0F);
    compat_step(targets, hidden, error_, scratch_.stride, shared_.rate.load(std::memory_order_relaxed), options_.loss,
                shared_.sigmoid);
    scores_ += targets.size();
    if (!shows_loss) return;
    for (const CompatTarget& target : targets) {
      const double score = static_cast<double>(target.label > 0 ? target.score : -target.score);
      loss_sum_ += score > 0 ? std::log1p(std::exp(-score)) : std::log1p(std::exp(score)) - score;
    }
    loss_pairs_ += targets.size();
  }

  void add_targets(int32_t centre) {
    if (options_.loss == VectorLoss::hierarchical_softmax) {
      for (const HuffmanStep step : shared_.tree.path(centre)) {
        add_target(step.node(), 1.0F - static_cast<float>(step.code()));
      }
      return;
    }
    add_target(centre, 1);
    const auto words = static_cast<uint64_t>(shared_.vocabulary.size());
    for (int64_t n = 0; n < options_.negative; ++n) {
      const uint64_t drawn = random_.next();
      int32_t word = shared_.noise.at((drawn >> 16) % CompatNoiseTable::kSize);
      if (word == 0) word = static_cast<int32_t>(drawn % (words - 1) + 1);
      if (word != centre) add_target(word, 0);
    }
  }

  void add_target(int32_t row, float label) {
    constexpr int64_t kFloatsPerLine = 16;
    float* const floats = shared_.tables.output.row(row);
    for (int64_t d = 0; d < options_.dim; d += kFloatsPerLine) __builtin_prefetch(floats + d, 1);
    targets_.push_back({floats, label, 0});
  }

  Shared& shared_;
  const VectorOptions& options_;
  uint64_t thread_;
  const VectorProgressFunction& progress_;
  CompatGenerator random_;
  CompatReader reader_;

  int64_t epoch_ = 0;
  uint64_t words_ = 0;  // read in this epoch
  uint64_t words_reported_ = 0;
  std::vector<int32_t> sentence_;
  std::vector<float*> contexts_;
  std::vector<CompatTarget> targets_;
  std::vector<size_t> target_ends_;  // of each context
  RowTable scratch_;
  float* hidden_;  // mean of the contexts
  float* error_;   // what it is to move by

  std::chrono::steady_clock::time_point began_;
  double seconds_shown_ = 0;
  uint64_t centres_ = 0;
  uint64_t scores_ = 0;
  double loss_sum_ = 0;
  uint64_t loss_pairs_ = 0;
};

void check(const VectorOptions& options, const Vocabulary& vocabulary, int threads) {
  if (options.max_n > 0) fail_usage("--compat: word2vec.c has no character n-grams; leave out --max-n");
  if (vocabulary.size() < 2 || vocabulary.word(0) != "</s>") {
    fail(
        fmt::format("--compat: word2vec.c's vocabulary begins with \"</s>\" and has at least one word more; this one "
                    "has {} words, the first is \"{}\"",
                    vocabulary.size(), vocabulary.size() > 0 ? vocabulary.word(0) : ""));
  }
  if (threads < 1) fail_usage(fmt::format("--threads {} must be at least 1", threads));
}

}  // namespace

VectorTables word2vec_tables(const VectorOptions& options, int64_t words) {
  const bool tree = options.loss == VectorLoss::hierarchical_softmax;
  VectorTables tables{RowTable(words, options.dim),
                      RowTable(tree ? std::max<int64_t>(words - 1, 0) : words, options.dim)};
  CompatGenerator random(1);
  for (int64_t i = 0; i < words; ++i) {
    float* const row = tables.input.row(i);
    for (int64_t d = 0; d < options.dim; ++d) {
      row[d] =
          static_cast<float>((static_cast<double>(random.next_uniform()) - 0.5) / static_cast<double>(options.dim));
    }
  }
  return tables;
}

VectorRun train_as_word2vec(const VectorOptions& options, const Vocabulary& vocabulary,
                            const std::filesystem::path& text, VectorTables& tables, int threads,
                            const VectorProgressFunction& progress) {
  check(options, vocabulary, threads);
  const MappedFile file(text);
  Shared shared(options, vocabulary, file.text(), tables, threads);
  std::vector<CompatThread> workers;
  for (uint64_t i = 0; i < shared.threads; ++i) workers.emplace_back(shared, i, progress);

  const auto began = std::chrono::steady_clock::now();
  ThreadPool pool(threads);
  pool.run(threads, [&](int64_t i, int) { workers[static_cast<size_t>(i)].run(); });

  VectorRun run;
  run.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  run.finished = !shared.stopped;
  run.position = {run.finished ? options.epochs : 0, 0, shared.words_done};
  double loss = 0;
  uint64_t pairs = 0;
  for (const CompatThread& worker : workers) {
    run.flops += worker.flops();
    loss += worker.loss_sum();
    pairs += worker.loss_pairs();
  }
  run.loss = pairs > 0 ? loss / static_cast<double>(pairs) : 0;
  return run;
}

}  // namespace sesame
