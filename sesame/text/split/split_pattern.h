#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "sesame/base/function_ref.h"
#include "sesame/text/split/split_expression.h"

namespace sesame {

/// The pre-tokenizer patterns of well-known vocabularies.
enum class SplitPattern : uint8_t {
  gpt2,             // GPT-2, r50k, p50k; Hugging Face's ByteLevel(use_regex)
  cl100k,           // cl100k as first published, and Llama 3
  cl100k_tiktoken,  // cl100k as tiktoken writes it now: white space at the end of the text is one piece
  qwen2,            // cl100k with digits one by one
  o200k,            // GPT-4o, gpt-oss: words split at lower-to-upper case
  qwen3_5,          // qwen2 with marks in words
  tekken,           // Mistral's: o200k without contractions, digits one by one
  nanochat,         // cl100k with digits in twos
  deepseek_v3,      // the three Splits of DeepSeek-V3 and R1 in one
};

class SplitAutomaton;

/// The regular expression of a pattern as tokenizer.json holds it (Oniguruma and PCRE2 syntax).
std::string_view split_regex(SplitPattern pattern);

/// The pattern that a regular expression stands for, however it is spelled: one that splits every text alike. By
/// default in the syntax of tokenizer.json.
std::optional<SplitPattern> recognize_split_regex(std::string_view regex, RegexSyntax syntax = RegexSyntax::oniguruma);

/// The pattern that several Splits with behavior Isolated, one after the other, stand for: for one what
/// recognize_split_regex gives.
std::optional<SplitPattern> recognize_split_sequence(std::span<const std::string_view> regexes);

/// The regular expression as an automaton; compiled once, when it is first asked for.
const SplitAutomaton& split_automaton(SplitPattern pattern);

/// "gpt2", "cl100k", "llama3" (the same), "cl100k_tiktoken", "qwen2", "o200k", "qwen3.5", "tekken", "nanochat",
/// "deepseek_v3"; others
/// are a usage Error that lists them.
SplitPattern split_pattern(std::string_view name);
std::string_view split_pattern_name(SplitPattern pattern);

/// Calls `emit` for every piece of `text` that starts in [begin, end), in order; the pieces of [0, text.size()) cover
/// the text. `begin` must be a piece boundary: 0, the end of a piece, or a place that safe_cut returned. Bytes that are
/// not UTF-8 are characters that are neither letter, number nor space. Splitter::find_ends does the same.
void split(SplitPattern pattern, std::string_view text, size_t begin, size_t end,
           FunctionRef<void(std::string_view piece)> emit);

/// The first place at or after `from` that is a piece boundary whatever surrounds it (between a newline and an ASCII
/// letter), or text.size(). Splitting [0, cut) and [cut, size) with the whole text in sight gives the pieces of one
/// pass.
size_t safe_cut(std::string_view text, size_t from);

}  // namespace sesame
