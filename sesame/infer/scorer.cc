#include "sesame/infer/scorer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "sesame/base/error.h"
#include "sesame/base/temporary_directory.h"
#include "sesame/data/prepare.h"
#include "sesame/models/gpt.h"
#include "sesame/runtime/program.h"

namespace sesame {

double Score::loss() const { return total_nats / static_cast<double>(tokens); }
double Score::perplexity() const { return std::exp(loss()); }
double Score::bits_per_byte() const { return total_nats / std::numbers::ln2 / static_cast<double>(bytes); }

namespace {

// Cuts a text into windows of inputs and targets. Position i of the sequence is `before` for 0, then the tokens.
class Windows {
 public:
  Windows(const TokenStream& tokens, std::optional<int32_t> before, int64_t window, int64_t stride)
      : tokens_(tokens), before_(before), window_(window), stride_(stride) {}

  // Tokens that are scored.
  [[nodiscard]] int64_t total() const { return length() - 1; }

  [[nodiscard]] int64_t count() const { return 1 + (std::max<int64_t>(0, total() - window_) + stride_ - 1) / stride_; }

  // Writes window `index`; returns how many of its targets count. The others are -1.
  int64_t fill(int64_t index, std::span<int32_t> inputs, std::span<int32_t> targets) const {
    const int64_t begin = index * stride_;
    const int64_t end = std::min(begin + window_, total());  // of the inputs
    const int64_t first_scored = index == 0 ? 0 : begin + window_ - stride_;
    std::fill(inputs.begin(), inputs.end(), 0);
    std::fill(targets.begin(), targets.end(), -1);
    copy(begin, inputs.first(static_cast<size_t>(end - begin)));
    copy(first_scored + 1,
         targets.subspan(static_cast<size_t>(first_scored - begin), static_cast<size_t>(end - first_scored)));
    return end - first_scored;
  }

 private:
  [[nodiscard]] int64_t length() const { return static_cast<int64_t>(tokens_.size()) + (before_ ? 1 : 0); }

  void copy(int64_t begin, std::span<int32_t> out) const {
    if (before_ && begin == 0 && !out.empty()) {
      out[0] = *before_;
      out = out.subspan(1);
      begin = 1;
    }
    tokens_.copy(static_cast<uint64_t>(begin - (before_ ? 1 : 0)), out);
  }

  const TokenStream& tokens_;
  std::optional<int32_t> before_;
  int64_t window_;
  int64_t stride_;
};

Program compile_loss(LoadedModel& model, int64_t batch, int64_t time, ThreadPool& threads) {
  Graph graph;
  Builder builder(graph);
  Parameters parameters;
  const Value tokens = builder.input("tokens", {DType::i32, {batch, time}});
  const Value targets = builder.input("targets", {DType::i32, {batch, time}});
  builder.output("loss", gpt_loss(parameters, model.config, tokens, targets, Mode::evaluation));
  return Program(graph, {nullptr, &threads, &model.variables, nullptr});
}

ScoreOptions checked(ScoreOptions options, const GptConfig& config) {
  if (options.window == 0) options.window = config.context;
  if (options.window < 1 || options.window > config.context) {
    fail_usage(fmt::format("window = {}: expected 1 to {}, the model's context", options.window, config.context));
  }
  if (options.stride == 0) options.stride = options.window;
  if (options.stride < 1 || options.stride > options.window) {
    fail_usage(fmt::format("stride = {}: expected 1 to {}, the window", options.stride, options.window));
  }
  if (options.batch < 1) fail_usage(fmt::format("batch = {}: expected 1 or more", options.batch));
  return options;
}

}  // namespace

Score score(LoadedModel& model, const TokenStream& tokens, std::optional<int32_t> before, const ScoreOptions& options,
            ThreadPool& threads, const OnScored& on_scored) {
  const ScoreOptions chosen = checked(options, model.config);
  const Windows windows(tokens, before, chosen.window, chosen.stride);
  if (windows.total() < 1) {
    fail_usage(fmt::format("a text of {} tokens: there is nothing to predict, expected 2 or more", tokens.size()));
  }
  const int64_t time = std::min(chosen.window, windows.total());
  const int64_t batch = std::min(chosen.batch, windows.count());
  Program program = compile_loss(model, batch, time, threads);

  Score result;
  for (int64_t first = 0; first < windows.count(); first += batch) {
    int64_t counted = 0;
    for (int64_t row = 0; row < batch; ++row) {
      const auto size = static_cast<size_t>(time);
      const std::span inputs(program.input("tokens").as<int32_t>() + row * time, size);
      const std::span targets(program.input("targets").as<int32_t>() + row * time, size);
      if (first + row < windows.count()) {
        counted += windows.fill(first + row, inputs, targets);
      } else {
        std::fill(targets.begin(), targets.end(), -1);
        std::fill(inputs.begin(), inputs.end(), 0);
      }
    }
    program.run({});
    result.total_nats += double{*program.output("loss").as<float>()} * static_cast<double>(counted);
    result.tokens += counted;
    if (on_scored) on_scored(result.tokens, windows.total());
  }
  return result;
}

Score score_text(LoadedModel& model, const Tokenizer& tokenizer, const std::vector<std::string>& sources,
                 const CorpusOptions& corpus, const ScoreOptions& options, ThreadPool& threads,
                 const OnScored& on_scored) {
  checked(options, model.config);
  if (tokenizer.vocabulary_size() > model.config.vocab_size) {
    fail(fmt::format("tokenizer.json has {} tokens, but the model has {}: they do not belong together",
                     tokenizer.vocabulary_size(), model.config.vocab_size));
  }
  const TemporaryDirectory cache;
  const std::optional<int32_t> separator = tokenizer.end_of_text();
  PrepareOptions prepare;
  prepare.corpus = corpus;
  prepare.cache_directory = cache.path();
  prepare.vocabulary_size = static_cast<uint64_t>(tokenizer.vocabulary_size());
  prepare.tokenizer_fingerprint = tokenizer.fingerprint();
  prepare.end_of_document = separator;
  prepare.threads = threads.threads();
  const PreparedCorpus prepared =
      prepare_tokens(sources, prepare,
                     [&](std::string_view text, std::vector<int32_t>& ids) { tokenizer.encode_append(text, {}, ids); });

  // The text has ended where the last separator stands.
  const TokenStream tokens = separator ? prepared.tokens.slice(0, prepared.tokens.size() - 1) : prepared.tokens;
  const std::optional<int32_t> begin = tokenizer.begin_of_text();
  const std::optional<int32_t> before = begin ? begin : separator;
  Score result = score(model, tokens, before, options, threads, on_scored);
  result.bytes = static_cast<int64_t>(prepared.text_bytes);
  if (!before) {
    int32_t first = 0;
    tokens.copy(0, {&first, 1});
    result.bytes -= static_cast<int64_t>(tokenizer.token_bytes(first).size());
  }
  return result;
}

}  // namespace sesame
