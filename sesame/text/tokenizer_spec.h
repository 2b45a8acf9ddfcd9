#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "sesame/text/split_pattern.h"
#include "sesame/text/unicode.h"

/// The pipeline of a tokenizer.json as plain data: what is read, written and trained, before it is compiled into a
/// Tokenizer. Names and defaults are Hugging Face's. A stage that Sesame does not know has no representation here.
namespace sesame {

struct Pattern {
  std::string text;
  bool regex = false;  // else a literal string
};

namespace normalizer {
struct Prepend {
  std::string prepend;
};
struct Replace {
  Pattern pattern;
  std::string content;
};
struct Unicode {
  UnicodeForm form;
};
struct Lowercase {};
struct StripAccents {};
struct Strip {
  bool left = true;
  bool right = true;
};
using Step = std::variant<Prepend, Replace, Unicode, Lowercase, StripAccents, Strip>;
}  // namespace normalizer

namespace pre_tokenizer {
enum class Behavior : uint8_t { removed, isolated, merged_with_previous, merged_with_next, contiguous };
struct ByteLevel {
  bool add_prefix_space = false;
  bool trim_offsets = true;
  bool use_regex = true;  // split by GPT-2's pattern first
};
struct Split {
  Pattern pattern;
  Behavior behavior = Behavior::isolated;
  bool invert = false;
};
/// The regular expression by which a Split takes every character apart, in Oniguruma as in PCRE2.
inline constexpr std::string_view every_character_regex = R"([\s\S])";
struct Digits {
  bool individual = false;
};
enum class PrependScheme : uint8_t { always, first, never };
struct Metaspace {
  std::string replacement = "\xE2\x96\x81";  // ▁
  PrependScheme prepend_scheme = PrependScheme::always;
  bool split = true;
};
using Step = std::variant<ByteLevel, Split, Digits, Metaspace>;
}  // namespace pre_tokenizer

namespace model {
struct Merge {
  int32_t left;
  int32_t right;
};
struct Bpe {
  std::vector<Merge> merges;  // in order of rank
  std::optional<std::string> unk_token;
  bool fuse_unk = false;
  bool byte_fallback = false;
  bool ignore_merges = false;
};
/// Whole pieces are tokens; what is not in the vocabulary is `unk_token`, or an error where that is not in it either.
struct WordLevel {
  std::string unk_token;
};
}  // namespace model

namespace post_processor {
struct ByteLevel {
  bool add_prefix_space = true;
  bool trim_offsets = true;
  bool use_regex = true;
};
/// One place of a template: a special token, or the sequence "A" or "B".
struct Place {
  std::string id;
  bool sequence = false;
  int32_t type_id = 0;
};
struct TemplateToken {
  std::string id;
  std::vector<int32_t> ids;
  std::vector<std::string> tokens;
};
struct Template {
  std::vector<Place> single;
  std::vector<Place> pair;
  std::vector<TemplateToken> special_tokens;
};
using Step = std::variant<ByteLevel, Template>;
}  // namespace post_processor

namespace decoder {
struct ByteLevel {
  bool add_prefix_space = true;
  bool trim_offsets = true;
  bool use_regex = true;
};
struct Replace {
  Pattern pattern;
  std::string content;
};
struct ByteFallback {};
struct Fuse {};
struct Strip {
  std::string content;  // one character
  int32_t start = 0;
  int32_t stop = 0;
};
struct Metaspace {
  std::string replacement = "\xE2\x96\x81";
  pre_tokenizer::PrependScheme prepend_scheme = pre_tokenizer::PrependScheme::always;
  bool split = true;
};
using Step = std::variant<ByteLevel, Replace, ByteFallback, Fuse, Strip, Metaspace>;
}  // namespace decoder

struct AddedToken {
  int32_t id = 0;
  std::string content;
  bool single_word = false;
  bool lstrip = false;
  bool rstrip = false;
  bool normalized = false;
  bool special = false;
};

struct VocabularyEntry {
  std::string token;
  int32_t id = 0;
};

struct TokenizerSpec {
  std::vector<AddedToken> added_tokens;  // by id
  std::vector<normalizer::Step> normalizers;
  std::vector<pre_tokenizer::Step> pre_tokenizers;
  std::variant<model::Bpe, model::WordLevel> model;
  std::vector<VocabularyEntry> vocabulary;  // of the model, by id
  std::vector<post_processor::Step> post_processors;
  std::vector<decoder::Step> decoders;  // none: tokens are joined by spaces, as Hugging Face does
};

/// Reads tokenizer.json text. `origin` (a path) and the key stand in every Error.
TokenizerSpec parse_tokenizer_json(std::string_view json, std::string_view origin);

/// Writes the text that parse_tokenizer_json reads, the same bytes for equal specs.
std::string format_tokenizer_json(const TokenizerSpec& spec);

/// The pipeline in words, one line a stage.
std::string describe_pipeline(const TokenizerSpec& spec);

/// The largest id that any vocabulary may use: files are not trusted to name the size of a table.
inline constexpr int32_t max_token_id = (1 << 21) - 1;

}  // namespace sesame
