#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "sesame/text/split/split_pattern.h"
#include "sesame/text/unicode/unicode.h"

/// The pipeline of a tokenizer.json as plain data: what is read, written and trained, before it is compiled into a
/// Tokenizer. Names and defaults are Hugging Face's. A stage that Sesame does not know has no representation here.
namespace sesame {

struct Pattern {
  // Constructors, as GCC 12 warns falsely of members not set where an aggregate in an aggregate becomes a variant.
  Pattern() = default;
  Pattern(std::string pattern, bool is_regex) : text(std::move(pattern)), regex(is_regex) {}

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
/// BERT's: drop control characters, spaces around Chinese characters, strip accents, lower case.
struct Bert {
  bool clean_text = true;
  bool handle_chinese_chars = true;
  std::optional<bool> strip_accents;  // none: as lowercase
  bool lowercase = true;
};
/// SentencePiece's table of replacements, as Hugging Face applies it: grapheme cluster by grapheme cluster.
struct Precompiled {
  std::string charsmap;  // the bytes of precompiled_charsmap, not base64
};
/// Control characters out, other white space as spaces.
struct Nmt {};
/// The bytes of the text, spelled in GPT-2's alphabet.
struct ByteLevel {};
/// SentencePiece's own normalizer: leftmost-longest matches in the table, then white space.
struct SentencePiece {
  std::string charsmap;  // empty: identity
  bool add_dummy_prefix = true;
  bool remove_extra_whitespaces = true;
  bool escape_whitespaces = true;
  bool treat_whitespace_as_suffix = false;
};
using Step = std::variant<Prepend, Replace, Unicode, Lowercase, StripAccents, Strip, Bert, Precompiled, Nmt, ByteLevel,
                          SentencePiece>;
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
/// White space and punctuation, the latter one by one.
struct Bert {};
/// \w+|[^\w\s]+
struct Whitespace {};
struct WhitespaceSplit {};
struct Punctuation {
  Behavior behavior = Behavior::isolated;
};
struct CharDelimiterSplit {
  uint32_t delimiter = 0;  // code point
};
/// Where the script changes, as Hugging Face groups scripts.
struct UnicodeScripts {};
/// Pieces of so many characters.
struct FixedLength {
  uint64_t length = 5;
};
using Step = std::variant<ByteLevel, Split, Digits, Metaspace, Bert, Whitespace, WhitespaceSplit, Punctuation,
                          CharDelimiterSplit, UnicodeScripts, FixedLength>;
}  // namespace pre_tokenizer

namespace model {
struct Merge {
  int32_t left;
  int32_t right;
};
struct Bpe {
  std::vector<Merge> merges;  // in order of rank
  std::optional<std::string> unk_token;
  std::string continuing_subword_prefix;  // of symbols that do not begin a word; empty: none
  std::string end_of_word_suffix;         // of the last symbol of a word; empty: none
  bool fuse_unk = false;
  bool byte_fallback = false;
  bool ignore_merges = false;
};
/// Whole pieces are tokens; what is not in the vocabulary is `unk_token`, or an error where that is not in it either.
struct WordLevel {
  std::string unk_token;
};
/// Greedy longest match; a word that cannot be made of tokens is `unk_token`.
struct WordPiece {
  std::string unk_token = "[UNK]";
  std::string continuing_subword_prefix = "##";
  uint64_t max_input_chars_per_word = 100;
};
/// The most probable segmentation. Ids are the places in the vocabulary.
struct Unigram {
  std::vector<double> scores;  // log-probabilities, by id
  std::optional<int32_t> unk_id;
  bool byte_fallback = false;
};
enum class PieceType : uint8_t { normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5, byte = 6 };
/// A sentencepiece.model, with SentencePiece's own rules instead of Hugging Face's.
struct SentencePiece {
  enum class Type : uint8_t { unigram = 1, bpe = 2, word = 3, character = 4 };
  Type type = Type::unigram;
  std::vector<float> scores;     // by id
  std::vector<PieceType> types;  // by id
  bool byte_fallback = false;
  int32_t unk_id = 0;
  int32_t bos_id = 1;  // -1: none
  int32_t eos_id = 2;
  int32_t pad_id = -1;
  std::string unk_surface = " \xE2\x81\x87 ";
  std::string denormalizer_charsmap;
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
struct Token {
  std::string token;
  int32_t id = 0;
};
/// cls A sep, and of a pair B sep with type 1.
struct Bert {
  Token sep;
  Token cls;
};
/// cls A sep, and of a pair sep B sep, all of type 0.
struct Roberta {
  Token sep;
  Token cls;
  bool trim_offsets = true;
  bool add_prefix_space = true;
};
using Step = std::variant<ByteLevel, Template, Bert, Roberta>;
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
struct WordPiece {
  std::string prefix = "##";
  bool cleanup = true;
};
/// End-of-word suffixes as spaces.
struct Bpe {
  std::string suffix = "</w>";
};
struct Ctc {
  std::string pad_token = "<pad>";
  std::string word_delimiter_token = "|";
  bool cleanup = true;
};
/// SentencePiece's own: control tokens are nothing, unknown ones their surface, bytes become characters.
struct SentencePiece {};
using Step = std::variant<ByteLevel, Replace, ByteFallback, Fuse, Strip, Metaspace, WordPiece, Bpe, Ctc, SentencePiece>;
}  // namespace decoder

enum class Direction : uint8_t { left, right };

struct Truncation {
  enum class Strategy : uint8_t { longest_first, only_first, only_second };
  uint64_t max_length = 512;
  Strategy strategy = Strategy::longest_first;
  uint64_t stride = 0;
  Direction direction = Direction::right;
};

struct Padding {
  std::optional<uint64_t> fixed_length;  // none: to the longest of a batch
  Direction direction = Direction::right;
  std::optional<uint64_t> pad_to_multiple_of;
  int32_t pad_id = 0;
  int32_t pad_type_id = 0;
  std::string pad_token = "[PAD]";
};

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

using ModelSpec = std::variant<model::Bpe, model::WordLevel, model::WordPiece, model::Unigram, model::SentencePiece>;

struct TokenizerSpec {
  std::optional<Truncation> truncation;
  std::optional<Padding> padding;
  std::vector<AddedToken> added_tokens;  // by id
  std::vector<normalizer::Step> normalizers;
  std::vector<pre_tokenizer::Step> pre_tokenizers;
  ModelSpec model;
  std::vector<VocabularyEntry> vocabulary;  // of the model, by id
  std::vector<post_processor::Step> post_processors;
  std::vector<decoder::Step> decoders;  // none: tokens are joined by spaces, as Hugging Face does
};

/// The largest id that any vocabulary may use: files are not trusted to name the size of a table.
inline constexpr int32_t max_token_id = (1 << 21) - 1;

}  // namespace sesame
