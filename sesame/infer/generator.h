#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/base/thread_pool.h"
#include "sesame/infer/sampler.h"
#include "sesame/text/tokenizer.h"
#include "sesame/train/model_directory.h"

namespace sesame {

struct GenerateOptions {
  int64_t max_tokens = 256;
  SamplingOptions sampling = {};
  /// Generation ends before the first of these; no part of it is ever handed out.
  std::vector<std::string> stop = {};
  /// Whether special tokens written out in the prompt become their ids.
  bool parse_special = false;
  /// Whether the model's end-of-text token is an ordinary token.
  bool ignore_end = false;
  uint64_t seed = 1;
  /// Which of several samples of one seed this is: each has random numbers of its own.
  uint64_t sample = 0;
};

enum class StopReason : uint8_t { end_of_text, stop_string, max_tokens, callback };
std::string_view name_of(StopReason reason);

struct Generation {
  std::string text;             // what was handed out, without the prompt
  std::vector<int32_t> tokens;  // the generated ids, without end of text
  StopReason reason = StopReason::max_tokens;
  int64_t prompt_tokens = 0;   // as encoded, begin-of-text included
  int64_t prompt_dropped = 0;  // how many of the first were dropped because the context is shorter
  double prompt_seconds = 0;
  double generate_seconds = 0;
};

/// Text from a model with a cache of keys and values.
///
/// 1. A prompt longer than context - 1 tokens keeps its last ones; Generation::prompt_dropped says how many went.
/// 2. When the context is full the second half of it is run again from position 0, and generation goes on.
/// 3. Text is handed to the callback in pieces of whole UTF-8, at once except for what may be the start of a stop
/// string.
/// 4. Equal options, model and prompt give equal text, for any number of threads. Not thread-safe.
class Generator {
 public:
  /// Keeps references to none of its arguments but `threads`.
  Generator(LoadedModel model, Tokenizer tokenizer, ThreadPool& threads);
  ~Generator();
  Generator(Generator&&) noexcept;
  Generator& operator=(Generator&&) noexcept;

  /// Takes a piece of text; false ends the generation.
  using OnText = std::function<bool(std::string_view)>;

  /// An empty prompt begins with begin of text, or else end of text; a model with neither needs a prompt (usage Error).
  /// The prompt of the last call is not run again when it comes once more.
  Generation generate(std::string_view prompt, const GenerateOptions& options, const OnText& on_text = {});

  /// The same from ids. Throws Error for an id outside the vocabulary.
  Generation generate_from_ids(std::span<const int32_t> prompt, const GenerateOptions& options,
                               const OnText& on_text = {});

  /// What `generate` runs for a prompt: begin of text where the tokenizer adds it, then the text.
  [[nodiscard]] std::vector<int32_t> encode_prompt(std::string_view prompt, bool parse_special) const;

  [[nodiscard]] const GptConfig& config() const;

  /// Bytes of weights, caches and step memory.
  [[nodiscard]] int64_t bytes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sesame
