#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sesame/base/thread_pool.h"
#include "sesame/corpus/document_reader.h"
#include "sesame/data/token_stream.h"
#include "sesame/text/tokenizer.h"
#include "sesame/train/model_directory.h"

namespace sesame {

struct ScoreOptions {
  int64_t window = 0;  // tokens that the model sees at once; 0: its context
  /// Tokens that the window moves on. 0: a whole window, so that tokens at its beginning have little context. Less: a
  /// sliding window, in which only the last `stride` tokens are scored, with at least window - stride tokens before
  /// them.
  int64_t stride = 0;
  int64_t batch = 8;  // windows that are run at once
};

struct Score {
  int64_t tokens = 0;     // that were scored
  int64_t bytes = 0;      // of text that these stand for
  double total_nats = 0;  // sum of -ln p

  [[nodiscard]] double loss() const;           // nats per token
  [[nodiscard]] double perplexity() const;     // e^loss
  [[nodiscard]] double bits_per_byte() const;  // comparable between tokenizers
};

/// Takes tokens done and tokens in all.
using OnScored = std::function<void(int64_t done, int64_t total)>;

/// How well a model predicts `tokens`: the sum of -ln p of each given those before it in its window; bytes stays 0. The
/// first token is predicted from `before`, or not scored where that is absent. The result does not depend on the number
/// of threads. Throws usage Error for a window above the context, a stride above the window, or nothing to score.
Score score(LoadedModel& model, const TokenStream& tokens, std::optional<int32_t> before, const ScoreOptions& options,
            ThreadPool& threads, const OnScored& on_scored = {});

/// The same for the text of files, which are tokenized into a temporary directory. The first token is predicted from
/// begin of text, else end of text, where the tokenizer has one of them. Between documents stands end of text, if there
/// is one; it is scored and counted as a token of no bytes.
Score score_text(LoadedModel& model, const Tokenizer& tokenizer, const std::vector<std::string>& sources,
                 const CorpusOptions& corpus, const ScoreOptions& options, ThreadPool& threads,
                 const OnScored& on_scored = {});

}  // namespace sesame
