#pragma once

#include <cstdint>
#include <span>
#include <string_view>

/// The Unicode Character Database, version 16.0.0, as far as tokenizers need it: the version of Oniguruma in Hugging
/// Face tokenizers 0.23 and of the regex crate in tiktoken 0.14 (they agree on every property here).
namespace sesame {

/// Runs of code points with the same value, in order, without gaps: the first code point << 8 | the value.
extern const std::span<const uint32_t> general_category_runs;  // GeneralCategory
extern const std::span<const uint32_t> script_runs;            // Script
extern const std::span<const uint32_t> alphabetic_runs;        // 1: Alphabetic
extern const std::span<const uint32_t> grapheme_break_runs;    // GraphemeBreak of grapheme.cc

/// Simple case folding (CaseFolding.txt, statuses C and S), by `from`.
struct SimpleFolding {
  uint32_t from;
  uint32_t to;
};
extern const std::span<const SimpleFolding> simple_foldings;

/// By Script, as the long names of PropertyValueAliases.txt.
extern const std::span<const std::string_view> script_names;

}  // namespace sesame
