#include "sesame/word_vectors/train_to_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "sesame/base/error.h"
#include "sesame/word_vectors/files/fasttext_model.h"
#include "sesame/word_vectors/train/compat.h"
#include "sesame/word_vectors/train/vector_checkpoint.h"
#include "sesame/word_vectors/words/id_source.h"

namespace sesame {
namespace {

/// Seconds since the last call, or since it was made.
class Stopwatch {
 public:
  double lap() {
    const auto now = std::chrono::steady_clock::now();
    return std::chrono::duration<double>(now - std::exchange(last_, now)).count();
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

bool reads_standard_input(const VectorRequest& request) {
  return std::ranges::find(request.source.sources, "-") != request.source.sources.end();
}

void check_request(const VectorRequest& r) {
  if (r.out.empty()) fail_usage("vectors train: name the file of the vectors with --out F");
  if (r.format == VectorFormat::automatic) format_of_name(r.out);
  if (!r.save_output.empty()) format_of_name(r.save_output);
  if (!r.save_output.empty() && r.options.loss == VectorLoss::hierarchical_softmax)
    fail_usage(
        "vectors train: with --loss hs the output rows belong to inner nodes of a tree, not to words: leave "
        "--save-output out");
  if (reads_standard_input(r)) {
    if (r.vocabulary.empty())
      fail_usage(
          "vectors train: standard input is read once, so it needs a stored vocabulary: --vocabulary F (written "
          "by --save-vocabulary F)");
    if (r.options.epochs != 1)
      fail_usage(fmt::format("vectors train: standard input can be read once: --epochs 1, not {}", r.options.epochs));
    if (r.resume || r.compat)
      fail_usage("vectors train: standard input goes neither with --resume nor with --compat, which read it again");
  }
  if (r.compat && (r.options.max_n > 0 || r.options.deterministic || r.resume))
    fail_usage("vectors train: --compat is word2vec.c as it is: no n-grams, no --deterministic, no --resume");
  if (r.compat && (r.source.sources.size() != 1 || r.source.unit != WordUnit::whitespace || r.source.lower_case))
    fail_usage("vectors train: --compat reads one plain file of words between white space");
  if (r.resume && !std::filesystem::exists(checkpoint_of(r.out)))
    fail_usage(fmt::format("vectors train: {} does not exist: there is no stopped run to go on with",
                           checkpoint_of(r.out).string()));
}

class Run {
 public:
  Run(const VectorRequest& request, ThreadPool& threads, const VectorObserver& observer)
      : request_(request), threads_(threads), observer_(observer) {
    report_.options = resolved(request.options);
  }

  VectorReport run() {
    find_vocabulary();
    if (vocabulary_.size() < 2) fail("vectors train: the vocabulary has one word; there is nothing to tell apart");
    report_.vocabulary = vocabulary_.size();
    report_.train_words = vocabulary_.total();
    if (!request_.save_vocabulary.empty()) write_vocabulary(request_.save_vocabulary, vocabulary_);
    if (request_.compat)
      train_compat();
    else
      train();
    write();
    return report_;
  }

 private:
  void find_vocabulary() {
    Stopwatch watch;
    if (!request_.vocabulary.empty()) {
      vocabulary_ = read_vocabulary(request_.vocabulary);
      if (observer_.vocabulary) observer_.vocabulary(vocabulary_, nullptr);
    } else {
      CountOptions count = request_.count;
      count.end_of_sentence = count.end_of_sentence || request_.compat;
      count.temporary_directory = temporary_directory();
      CountResult counted = count_words(request_.source, count, threads_, observer_.counting);
      if (observer_.vocabulary) observer_.vocabulary(counted.vocabulary, &counted);
      vocabulary_ = std::move(counted.vocabulary);
    }
    report_.count_seconds = watch.lap();
  }

  [[nodiscard]] std::filesystem::path temporary_directory() const {
    const std::filesystem::path directory =
        request_.temporary.empty() ? request_.out.parent_path() : request_.temporary;
    return directory.empty() ? "." : directory;
  }

  std::unique_ptr<IdSource> open_corpus() {
    Stopwatch watch;
    if (reads_standard_input(request_)) return stream_corpus(request_.source, vocabulary_);
    std::filesystem::path directory = request_.temporary.empty() ? request_.out.parent_path() : request_.temporary;
    if (directory.empty()) directory = ".";
    std::unique_ptr<IdSource> ids =
        encode_corpus(request_.source, vocabulary_, directory, threads_, observer_.encoding);
    report_.encode_seconds = watch.lap();
    report_.train_words = ids->words();
    return ids;
  }

  void train() {
    const std::unique_ptr<IdSource> ids = open_corpus();
    Stopwatch watch;
    tables_ = initial_tables(report_.options, vocabulary_.size());
    VectorPosition position;
    if (request_.resume)
      position = read_vector_checkpoint(checkpoint_of(request_.out), report_.options, vocabulary_, tables_);
    const uint64_t words_before = position.words;
    for (bool stopped = false; !stopped && !report_.finished;) {
      position = train_until_checkpoint(*ids, position, stopped);
      if (!report_.finished && !reads_standard_input(request_))
        write_vector_checkpoint(checkpoint_of(request_.out), report_.options, vocabulary_, tables_, position);
    }
    report_.words_trained = position.words - words_before;
    report_.train_seconds = watch.lap();
  }

  VectorPosition train_until_checkpoint(IdSource& ids, VectorPosition start, bool& stopped) {
    const VectorProgressFunction progress = [&](const VectorProgress& now) {
      if (observer_.training) observer_.training(now);
      stopped = observer_.stop && observer_.stop();
      const bool due = request_.checkpoint_seconds > 0 && now.seconds >= request_.checkpoint_seconds;
      return !stopped && !(due && !reads_standard_input(request_));
    };
    const VectorRun run = train_word_vectors(report_.options, vocabulary_, ids, tables_, threads_, progress, start);
    report_.loss = run.loss;
    report_.flops += run.flops;
    report_.finished = run.finished;
    return run.position;
  }

  void train_compat() {
    Stopwatch watch;
    tables_ = word2vec_tables(report_.options, vocabulary_.size());
    const VectorProgressFunction progress = [&](const VectorProgress& now) {
      if (observer_.training) observer_.training(now);
      return !(observer_.stop && observer_.stop());
    };
    const VectorRun run = train_as_word2vec(report_.options, vocabulary_, request_.source.sources.front(), tables_,
                                            threads_.threads(), progress);
    report_.finished = run.finished;
    report_.words_trained = run.position.words;
    report_.loss = run.loss;
    report_.flops = run.flops;
    report_.train_seconds = watch.lap();
  }

  void write() {
    Stopwatch watch;
    report_.matrix_bytes = tables_.input.memory.size() + tables_.output.memory.size();
    if (!request_.save_output.empty()) write_rows(request_.save_output, vocabulary_, tables_.output);
    const bool subwords = report_.options.max_n > 0;
    const bool binary = request_.format == VectorFormat::automatic && request_.out.extension() == ".bin";
    if (request_.format == VectorFormat::fasttext_binary || (subwords && binary))
      write_fasttext_model(request_.out, report_.options, request_.count.min_count, vocabulary_, tables_);
    else if (subwords)
      write_word_vectors(request_.out, compose(report_.options, vocabulary_, std::move(tables_.input)),
                         request_.format);
    else
      write_rows(request_.out, vocabulary_, tables_.input, request_.format);
    std::error_code ignored;
    if (report_.finished) std::filesystem::remove(checkpoint_of(request_.out), ignored);
    report_.write_seconds = watch.lap();
  }

  const VectorRequest& request_;
  ThreadPool& threads_;
  const VectorObserver& observer_;
  Vocabulary vocabulary_;
  VectorTables tables_;
  VectorReport report_;
};

}  // namespace

std::filesystem::path checkpoint_of(const std::filesystem::path& out) { return out.string() + ".resume"; }

VectorReport train_vectors_to_file(const VectorRequest& request, ThreadPool& threads, const VectorObserver& observer) {
  check_request(request);
  return Run(request, threads, observer).run();
}

}  // namespace sesame
