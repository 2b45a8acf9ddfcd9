#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "sesame/text/encode/token_table.h"
#include "sesame/text/tokenizer_spec.h"

namespace sesame {

/// The tokens that a pipeline adds around a text.
class PostProcessor {
 public:
  /// Throws Error, beginning with `origin`, for templates that contradict themselves or the vocabulary.
  PostProcessor(const TokenizerSpec& spec, const TokenTable& table, std::string_view origin);

  /// The ids before and behind a single text.
  [[nodiscard]] const std::vector<int32_t>& before() const noexcept { return before_; }
  [[nodiscard]] const std::vector<int32_t>& after() const noexcept { return after_; }

 private:
  std::vector<int32_t> before_;
  std::vector<int32_t> after_;
};

}  // namespace sesame
