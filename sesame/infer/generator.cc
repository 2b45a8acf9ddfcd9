#include "sesame/infer/generator.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <optional>

#include "sesame/base/error.h"
#include "sesame/base/hash.h"
#include "sesame/base/philox.h"
#include "sesame/infer/stop_strings.h"
#include "sesame/models/gpt.h"
#include "sesame/runtime/program.h"

namespace sesame {

std::string_view name_of(StopReason reason) {
  switch (reason) {
    case StopReason::end_of_text:
      return "end_of_text";
    case StopReason::stop_string:
      return "stop_string";
    case StopReason::max_tokens:
      return "max_tokens";
    case StopReason::callback:
      return "callback";
  }
  return "?";
}

namespace {

constexpr int64_t kChunk = 64;  // prompt tokens that one run takes

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// 53 random bits for one draw, in [0, 1).
double uniform_double(const Philox& philox, uint64_t draw, uint64_t sample) {
  const auto words = philox.block(draw, sample);
  return static_cast<double>((uint64_t{words[0]} << 21) | (words[1] >> 11)) * 0x1p-53;
}

Program compile_decode(const GptConfig& config, int64_t time, bool with_logits, const Program::Options& options) {
  Graph graph;
  Builder builder(graph);
  Parameters parameters;
  const Value tokens = builder.input("tokens", {DType::i32, {1, time}});
  const Value start = builder.input("start", {DType::i32, {1}});
  const Value logits = gpt_decode(parameters, config, tokens, start, config.context);
  if (with_logits) builder.output("logits", logits);
  return Program(graph, options);
}

}  // namespace

// The model with its caches: knows which token lies at which position.
struct Generator::State {
  State(LoadedModel loaded, Tokenizer text, ThreadPool& pool)
      : model(std::move(loaded)), tokenizer(std::move(text)), threads(&pool), arena(std::make_shared<Arena>()) {
    if (tokenizer.vocabulary_size() > model.config.vocab_size) {
      fail(fmt::format("tokenizer.json has {} tokens, but the model has {}: they do not belong together",
                       tokenizer.vocabulary_size(), model.config.vocab_size));
    }
    for (const CacheVariable& cache : gpt_caches(model.config, 1, model.config.context)) {
      model.variables.create(cache.name, cache.type);
    }
    const Program::Options options{nullptr, threads, &model.variables, arena};
    one.emplace(compile_decode(model.config, 1, true, options));
    chunk = std::min(kChunk, model.config.context);
    if (chunk > 1) many.emplace(compile_decode(model.config, chunk, false, options));
    for (int32_t id = 0; id < tokenizer.vocabulary_size(); ++id) {
      if (!tokenizer.contains(id)) holes.push_back(id);
    }
  }

  // Runs tokens at the positions from `position` on. What lies behind them in the cache is written before it is read.
  void run(Program& program, std::span<const int32_t> ids, int64_t time, int64_t position) {
    auto* tokens = program.input("tokens").as<int32_t>();
    std::copy(ids.begin(), ids.end(), tokens);
    std::fill(tokens + ids.size(), tokens + time, 0);
    *program.input("start").as<int32_t>() = static_cast<int32_t>(position);
    program.run({});
  }

  // Fills the cache with all of `ids` but the last, and runs that one for its logits.
  void prefill(std::span<const int32_t> ids) {
    const auto count = static_cast<int64_t>(ids.size()) - 1;
    int64_t position = 0;
    while (position < count) {
      const bool whole = many && position + chunk <= model.config.context;
      const int64_t taken = whole ? std::min(chunk, count - position) : 1;
      const auto part = ids.subspan(static_cast<size_t>(position), static_cast<size_t>(taken));
      run(whole ? *many : *one, part, whole ? chunk : 1, position);
      position += taken;
    }
    run(*one, ids.last(1), 1, count);
    next_position = count + 1;
  }

  // The prompt's rows are still in the cache when the same prompt comes again, as long as they were not overwritten.
  void start(std::span<const int32_t> ids) {
    if (prompt_cached && std::ranges::equal(ids, prompt)) {
      run(*one, ids.last(1), 1, static_cast<int64_t>(ids.size()) - 1);
      next_position = static_cast<int64_t>(ids.size());
      return;
    }
    prompt_cached = false;
    prefill(ids);
    prompt.assign(ids.begin(), ids.end());
    prompt_cached = true;
  }

  // Runs the last of `history`; when the context is full, from its last half on.
  void advance(std::span<const int32_t> history) {
    if (next_position < model.config.context) {
      run(*one, history.last(1), 1, next_position++);
      return;
    }
    prompt_cached = false;
    prefill(history.last(static_cast<size_t>(std::max<int64_t>(1, model.config.context / 2))));
  }

  // Logits of the ids that the tokenizer has.
  std::span<float> logits() {
    const std::span<float> all(one->output("logits").as<float>(), static_cast<size_t>(tokenizer.vocabulary_size()));
    for (const int32_t id : holes) all[static_cast<size_t>(id)] = -std::numeric_limits<float>::infinity();
    return all;
  }

  // Models that were trained on documents which begin with a token of their own say with it that one has ended.
  [[nodiscard]] bool ends_text(int32_t id) const {
    const auto is = [id](std::optional<int32_t> special) { return special && *special == id; };
    return is(model.ids.end) || is(model.ids.begin) || is(tokenizer.end_of_text()) || is(tokenizer.begin_of_text());
  }

  LoadedModel model;
  Tokenizer tokenizer;
  ThreadPool* threads;
  std::shared_ptr<Arena> arena;
  std::optional<Program> one;   // one token, with logits
  std::optional<Program> many;  // `chunk` tokens, for their keys and values alone
  int64_t chunk = 1;
  std::vector<int32_t> holes;  // ids below the largest that the tokenizer does not have
  std::vector<int32_t> prompt;
  bool prompt_cached = false;
  int64_t next_position = 0;
};

Generator::Generator(LoadedModel model, Tokenizer tokenizer, ThreadPool& threads)
    : state_(std::make_unique<State>(std::move(model), std::move(tokenizer), threads)) {}
Generator::~Generator() = default;
Generator::Generator(Generator&&) noexcept = default;
Generator& Generator::operator=(Generator&&) noexcept = default;

const GptConfig& Generator::config() const { return state_->model.config; }

int64_t Generator::bytes() const {
  return state_->model.variables.bytes() + static_cast<int64_t>(state_->arena->bytes());
}

std::vector<int32_t> Generator::encode_prompt(std::string_view prompt, bool parse_special) const {
  std::vector<int32_t> ids = state_->tokenizer.encode(prompt, {.parse_special = parse_special, .add_special = true});
  if (!ids.empty()) return ids;
  const Tokenizer& tokenizer = state_->tokenizer;
  const auto first = tokenizer.begin_of_text() ? tokenizer.begin_of_text() : tokenizer.end_of_text();
  if (!first)
    fail_usage("the prompt is empty, and the tokenizer has no token for the beginning of a text: give a prompt");
  return {*first};
}

Generation Generator::generate(std::string_view prompt, const GenerateOptions& options, const OnText& on_text) {
  return generate_from_ids(encode_prompt(prompt, options.parse_special), options, on_text);
}

namespace {

void check_ids(std::span<const int32_t> ids, const GptConfig& config) {
  if (ids.empty()) fail_usage("the prompt has no tokens");
  for (const int32_t id : ids) {
    if (id < 0 || id >= config.vocab_size) {
      fail(fmt::format("the prompt holds token {}, but the model has tokens 0 to {}", id, config.vocab_size - 1));
    }
  }
}

// Tokens to text for the one who asked: whole characters, nothing of a stop string.
class TextOut {
 public:
  TextOut(const Tokenizer& tokenizer, std::span<const int32_t> prompt, const std::vector<std::string>& stops,
          const Generator::OnText& on_text, std::string& text)
      : decoder_(tokenizer, {.skip_special = true, .continuation = !only_special(tokenizer, prompt)}),
        stops_(stops),
        on_text_(on_text),
        text_(text) {}

  // Why generation is to end, if it is.
  std::optional<StopReason> push(int32_t id) { return hand_out(stops_.push(decoder_.push(id))); }

  std::optional<StopReason> finish() {
    const auto reason = hand_out(stops_.push(decoder_.finish()));
    return reason ? reason : hand_out(stops_.finish());
  }

 private:
  static bool only_special(const Tokenizer& tokenizer, std::span<const int32_t> ids) {
    return std::ranges::all_of(ids, [&](int32_t id) { return tokenizer.is_special(id); });
  }

  std::optional<StopReason> hand_out(const std::string& piece) {
    text_ += piece;
    if (!piece.empty() && on_text_ && !on_text_(piece)) return StopReason::callback;
    if (stops_.stopped()) return StopReason::stop_string;
    return std::nullopt;
  }

  StreamDecoder decoder_;
  StopStrings stops_;
  const Generator::OnText& on_text_;
  std::string& text_;
};

}  // namespace

Generation Generator::generate_from_ids(std::span<const int32_t> prompt, const GenerateOptions& options,
                                        const OnText& on_text) {
  State& state = *state_;
  check_ids(prompt, config());
  if (options.max_tokens < 0) fail_usage(fmt::format("max-tokens = {}: expected 0 or more", options.max_tokens));
  Sampler sampler(options.sampling);
  Generation result;
  TextOut out(state.tokenizer, prompt, options.stop, on_text, result.text);

  const auto room = static_cast<size_t>(std::max<int64_t>(1, config().context - 1));
  const std::span<const int32_t> kept = prompt.last(std::min(prompt.size(), room));
  result.prompt_tokens = static_cast<int64_t>(prompt.size());
  result.prompt_dropped = static_cast<int64_t>(prompt.size() - kept.size());
  if (options.max_tokens == 0) return result;

  const auto began = Clock::now();
  state.start(kept);
  result.prompt_seconds = seconds_since(began);

  const auto generating = Clock::now();
  const Philox philox(options.seed, xxh3("generate"));
  std::vector<int32_t> history(kept.begin(), kept.end());
  std::optional<StopReason> reason;
  while (!reason) {
    const double uniform = uniform_double(philox, result.tokens.size(), options.sample);
    const int32_t id = sampler.sample(state.logits(), history, uniform);
    if (!options.ignore_end && state.ends_text(id)) {
      reason = StopReason::end_of_text;
      break;
    }
    result.tokens.push_back(id);
    history.push_back(id);
    reason = out.push(id);
    if (!reason && static_cast<int64_t>(result.tokens.size()) == options.max_tokens) reason = StopReason::max_tokens;
    if (!reason) state.advance(history);
  }
  if (*reason != StopReason::stop_string && *reason != StopReason::callback) reason = out.finish().value_or(*reason);
  result.reason = *reason;
  result.generate_seconds = seconds_since(generating);
  return result;
}

}  // namespace sesame
