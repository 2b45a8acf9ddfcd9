#include "tests/fuzz/small_tokenizers.h"

#include <algorithm>
#include <array>

#include "sesame/text/bpe/byte_alphabet.h"
#include "sesame/text/sentencepiece/charsmap.h"
#include "sesame/text/split/split_pattern.h"

namespace sesame::fuzz {
namespace {

using Tokens = std::vector<std::string>;

void add_tokens(TokenizerSpec& spec, const Tokens& tokens) {
  for (const std::string& token : tokens) {
    spec.vocabulary.push_back({token, static_cast<int32_t>(spec.vocabulary.size())});
  }
}

Tokens byte_tokens() {
  Tokens tokens;
  for (int byte = 0; byte < 256; ++byte) tokens.push_back(byte_token(static_cast<uint8_t>(byte)));
  return tokens;
}

int32_t id_of(const TokenizerSpec& spec, std::string_view token) {
  const auto found = std::find_if(spec.vocabulary.begin(), spec.vocabulary.end(),
                                  [&](const VocabularyEntry& entry) { return entry.token == token; });
  return found->id;
}

/// Merges in order of rank, each of which makes a token.
void add_merges(TokenizerSpec& spec, model::Bpe& bpe, const std::vector<std::array<std::string, 2>>& merges) {
  for (const auto& [left, right] : merges) {
    if (std::none_of(spec.vocabulary.begin(), spec.vocabulary.end(),
                     [&, whole = left + right](const VocabularyEntry& entry) { return entry.token == whole; })) {
      add_tokens(spec, {left + right});
    }
    bpe.merges.push_back({id_of(spec, left), id_of(spec, right)});
  }
}

void add_special(TokenizerSpec& spec, const std::string& content) {
  AddedToken token;
  token.id = static_cast<int32_t>(spec.vocabulary.size() + spec.added_tokens.size());
  token.content = content;
  token.special = true;
  spec.added_tokens.push_back(token);
}

TokenizerSpec byte_level(std::string_view pattern, bool nfc) {
  TokenizerSpec spec;
  model::Bpe bpe;
  for (int byte = 0; byte < 256; ++byte) add_tokens(spec, {spell_bytes(std::string(1, static_cast<char>(byte)))});
  const std::string space = spell_bytes(" ");
  const std::string c3 = spell_bytes("\xc3");
  const std::string b6 = spell_bytes("\xb6");
  add_merges(spec, bpe,
             {{"h", "e"},
              {space, "t"},
              {space + "t", "he"},
              {"a", "a"},
              {"aa", "aa"},
              {"a", "b"},
              {"aa", "b"},
              {c3, b6},
              {"1", "2"},
              {space, space},
              {"'", "s"},
              {"l", "l"}});
  bpe.ignore_merges = pattern == "cl100k";
  spec.model = bpe;
  if (nfc) spec.normalizers = {normalizer::Unicode{UnicodeForm::nfc}};
  spec.pre_tokenizers = {pre_tokenizer::Split{{std::string(split_regex(split_pattern(pattern))), true}},
                         pre_tokenizer::ByteLevel{.use_regex = false}};
  spec.decoders = {decoder::ByteLevel{}};
  add_special(spec, "<|endoftext|>");
  return spec;
}

/// Llama-2's form.
TokenizerSpec spaces_as_marks() {
  TokenizerSpec spec;
  model::Bpe bpe;
  add_tokens(spec, {"<unk>"});
  add_tokens(spec, byte_tokens());
  add_tokens(spec, {"▁", "a", "b", "t", "h", "e", "ö", "中"});
  add_merges(spec, bpe,
             {{"▁", "t"}, {"h", "e"}, {"▁t", "he"}, {"a", "a"}, {"aa", "aa"}, {"▁", "▁"}, {"▁", "a"}, {"a", "b"}});
  bpe.unk_token = "<unk>";
  bpe.fuse_unk = true;
  bpe.byte_fallback = true;
  spec.model = bpe;
  spec.normalizers = {normalizer::Prepend{"▁"}, normalizer::Replace{{" ", false}, "▁"}};
  spec.decoders = {decoder::Replace{{"▁", false}, " "}, decoder::ByteFallback{}, decoder::Fuse{},
                   decoder::Strip{" ", 1, 0}};
  add_special(spec, "<s>");
  return spec;
}

TokenizerSpec unigram() {
  TokenizerSpec spec;
  add_tokens(spec, {"<unk>", "▁", "a", "b", "ab", "▁a", "the", "▁the", "ö", "中", "aa"});
  spec.model = model::Unigram{.scores = {0, -2, -3, -3.5, -5, -4, -6, -5.5, -7, -8, -5}, .unk_id = 0};
  spec.pre_tokenizers = {pre_tokenizer::Metaspace{}};
  spec.decoders = {decoder::Metaspace{}};
  return spec;
}

TokenizerSpec bert() {
  TokenizerSpec spec;
  add_tokens(spec, {"[PAD]", "[UNK]", "a", "b", "##a", "##b", "ab", "##ab", "the", "##the", "中", "o", "##o", ",", "'",
                    "1", "##2", "¶"});
  spec.model = model::WordPiece{};
  spec.normalizers = {normalizer::Bert{}};
  spec.pre_tokenizers = {pre_tokenizer::Bert{}};
  spec.decoders = {decoder::WordPiece{}};
  return spec;
}

}  // namespace

TokenizerSpec small_sentencepiece(model::SentencePiece::Type type, bool byte_fallback, std::string charsmap) {
  using model::PieceType;
  TokenizerSpec spec;
  model::SentencePiece pieces;
  pieces.type = type;
  pieces.byte_fallback = byte_fallback;
  const auto add = [&](const Tokens& tokens, float score, PieceType kind) {
    for (const std::string& token : tokens) {
      add_tokens(spec, {token});
      pieces.scores.push_back(score);
      pieces.types.push_back(kind);
    }
  };
  add({"<unk>"}, 0, PieceType::unknown);
  add({"<s>", "</s>"}, 0, PieceType::control);
  if (byte_fallback) add(byte_tokens(), 0, PieceType::byte);
  float score = 0;
  for (const char* token : {"▁", "a", "b", "ab", "▁a", "▁ab", "aa", "1", "ö"}) add({token}, --score, PieceType::normal);
  add({"<sep>"}, 0, PieceType::user_defined);
  add({"bb"}, -20, PieceType::unused);
  spec.model = pieces;
  spec.normalizers = {normalizer::SentencePiece{.charsmap = std::move(charsmap)}};
  spec.decoders = {decoder::SentencePiece{}};
  return spec;
}

std::vector<SmallTokenizer> small_tokenizers() {
  using Type = model::SentencePiece::Type;
  const std::string charsmap = compile_charsmap({{"A", "a"}, {"\xef\xbc\xa1", "a"}, {"o\xcc\x88", "ö"}, {"\t", " "}});
  std::vector<SmallTokenizer> all;
  for (const char* pattern : {"gpt2", "cl100k", "qwen2", "o200k"})
    all.push_back({pattern, byte_level(pattern, false), true});
  all.push_back({"qwen2 with NFC", byte_level("qwen2", true)});
  all.push_back({"Llama's BPE", spaces_as_marks()});
  all.push_back({"Unigram", unigram()});
  all.push_back({"BERT", bert()});
  all.push_back({"SentencePiece's Unigram", small_sentencepiece(Type::unigram, false, charsmap)});
  all.push_back({"SentencePiece's BPE", small_sentencepiece(Type::bpe, true, "")});
  all.push_back({"SentencePiece's characters", small_sentencepiece(Type::character, false, charsmap)});
  all.push_back({"SentencePiece's words", small_sentencepiece(Type::word, false, "")});
  return all;
}

}  // namespace sesame::fuzz
