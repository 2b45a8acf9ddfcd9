#pragma once

#include <cstdint>
#include <functional>

#include "sesame/base/thread_pool.h"
#include "sesame/data/token_stream.h"
#include "sesame/train/model_directory.h"

namespace sesame {

struct ScoreOptions {
  int64_t window = 0;  // tokens that a window holds; 0: the model's context
  /// Tokens that a window moves on. 0: by a whole window, so that each token is scored once and the first of a window
  /// has little context. Less: a sliding window in which only the last `stride` tokens are scored, with more context
  /// each.
  int64_t stride = 0;
  int64_t batch = 8;  // windows that are run at once
};

struct Score {
  int64_t tokens = 0;     // that were scored
  int64_t bytes = 0;      // of text that these stand for
  double total_nats = 0;  // sum of -ln p

  [[nodiscard]] double loss() const;           // nats per token
  [[nodiscard]] double perplexity() const;     // e^loss
  [[nodiscard]] double bits_per_byte() const;  // independent of the tokenizer; NaN where bytes are not known
};

/// How well a model predicts `tokens` (at least 2): every token but the first is scored, given those before it in its
/// window. `text_bytes` is the size of the text that the scored tokens stand for. `progress` gets tokens done and in
/// all. The result does not depend on the number of threads. Throws usage Error for a window above the context or a
/// stride above the window.
Score score(const LoadedModel& model, const TokenStream& tokens, int64_t text_bytes, const ScoreOptions& options,
            ThreadPool& threads, const std::function<void(int64_t done, int64_t total)>& progress = {});

}  // namespace sesame
