#include "sesame/text/files/gguf_vocabulary.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/text/bpe/byte_level_stages.h"
#include "sesame/text/files/gguf_metadata.h"
#include "sesame/text/files/vocab_txt.h"
#include "sesame/text/sentencepiece/model_file.h"
#include "sesame/text/unicode/unicode.h"
#include "sesame/text/words/string_map.h"

namespace sesame {
namespace {

using model::PieceType;

constexpr std::string_view tokens_key = "tokenizer.ggml.tokens";
constexpr std::string_view types_key = "tokenizer.ggml.token_type";

std::vector<VocabularyEntry> read_tokens(const GgufMetadata& metadata) {
  const auto& tokens = metadata.strings(tokens_key);
  if (tokens.empty() || tokens.size() > static_cast<size_t>(max_token_id) + 1) {
    metadata.fail_at(tokens_key, fmt::format("{} tokens, expected 1 to {}", tokens.size(), max_token_id + 1));
  }
  std::vector<VocabularyEntry> vocabulary;
  for (const std::string_view token : tokens) {
    const auto id = static_cast<int32_t>(vocabulary.size());
    if (find_invalid_utf8(token) != token.size()) metadata.fail_at(tokens_key, fmt::format("token {}: not UTF-8", id));
    vocabulary.push_back({std::string(token), id});
  }
  return vocabulary;
}

/// The types of the tokens; all are normal where the file has none.
std::vector<PieceType> read_types(const GgufMetadata& metadata, size_t tokens) {
  if (!metadata.has(types_key)) return std::vector<PieceType>(tokens, PieceType::normal);
  const std::vector<double>& numbers = metadata.numbers(types_key);
  if (numbers.size() != tokens) {
    metadata.fail_at(types_key, fmt::format("{} types of {} tokens", numbers.size(), tokens));
  }
  std::vector<PieceType> types;
  for (const double number : numbers) {
    if (!(number >= 1 && number <= 6)) metadata.fail_at(types_key, fmt::format("{} is no type", number));
    types.push_back(static_cast<PieceType>(static_cast<uint8_t>(number)));
  }
  return types;
}

/// What llama.cpp's names of pre-tokenizers stand for.
struct PreTokenizer {
  std::string_view name;
  SplitPattern pattern;
  bool ignore_merges;
  bool nfc;  // as the model's own tokenizer has it
};
constexpr PreTokenizer pre_tokenizers[] = {
    {"gpt-2", SplitPattern::gpt2, false, false},      {"roberta-bpe", SplitPattern::gpt2, false, false},
    {"llama-bpe", SplitPattern::cl100k, true, false}, {"llama3", SplitPattern::cl100k, true, false},
    {"llama-v3", SplitPattern::cl100k, true, false},  {"qwen2", SplitPattern::qwen2, false, true},
    {"qwen35", SplitPattern::qwen3_5, false, true},   {"gpt-4o", SplitPattern::o200k, false, false},
    {"tekken", SplitPattern::tekken, true, false},
};

TokenizerSpec read_byte_level(const GgufMetadata& metadata) {
  constexpr std::string_view pre_key = "tokenizer.ggml.pre";
  constexpr std::string_view merges_key = "tokenizer.ggml.merges";
  const std::string_view pre = metadata.string(pre_key);
  const auto* known = std::find_if(std::begin(pre_tokenizers), std::end(pre_tokenizers),
                                   [&](const PreTokenizer& p) { return p.name == pre; });
  if (known == std::end(pre_tokenizers)) {
    metadata.fail_at(pre_key,
                     fmt::format("Sesame does not know how '{}' splits text: use the model's tokenizer.json", pre));
  }
  TokenizerSpec spec;
  spec.vocabulary = read_tokens(metadata);
  const std::vector<PieceType> types = read_types(metadata, spec.vocabulary.size());
  StringMap ids;
  for (const auto& [token, id] : spec.vocabulary) {
    ids.emplace(token, id);
    const PieceType type = types[static_cast<size_t>(id)];
    if (type != PieceType::control && type != PieceType::user_defined) continue;
    spec.added_tokens.push_back(special_token(token, id));
    spec.added_tokens.back().special = type == PieceType::control;
  }
  model::Bpe bpe;
  bpe.ignore_merges = known->ignore_merges;
  for (const std::string_view merge : metadata.strings(merges_key)) {
    const size_t space = merge.find(' ', 1);
    const auto left = ids.find(merge.substr(0, space));
    const auto right = space == std::string_view::npos ? ids.end() : ids.find(merge.substr(space + 1));
    if (left == ids.end() || right == ids.end()) {
      metadata.fail_at(merges_key, fmt::format("'{}' are not two tokens with a space between them", merge));
    }
    bpe.merges.push_back({left->second, right->second});
  }
  spec.model = std::move(bpe);
  if (known->nfc) spec.normalizers.emplace_back(normalizer::Unicode{UnicodeForm::nfc});
  set_byte_level_stages(spec, known->pattern);
  return spec;
}

/// As the file of SentencePiece that it was made from would be read.
TokenizerSpec read_sentencepiece(const GgufMetadata& metadata, model::SentencePiece::Type type,
                                 std::string_view origin) {
  constexpr std::string_view scores_key = "tokenizer.ggml.scores";
  TokenizerSpec spec;
  spec.vocabulary = read_tokens(metadata);
  const size_t size = spec.vocabulary.size();
  model::SentencePiece model;
  model.type = type;
  model.types = read_types(metadata, size);
  const std::vector<double>& scores = metadata.numbers(scores_key);
  if (scores.size() != size) metadata.fail_at(scores_key, fmt::format("{} scores of {} tokens", scores.size(), size));
  for (const double score : scores) model.scores.push_back(static_cast<float>(score));
  for (const PieceType piece : model.types) model.byte_fallback = model.byte_fallback || piece == PieceType::byte;
  const auto special = [&](std::string_view name, int64_t otherwise) {
    const std::string key = fmt::format("tokenizer.ggml.{}_token_id", name);
    const int64_t id = metadata.integer_or(key, otherwise);
    if (id < -1 || id >= static_cast<int64_t>(size)) metadata.fail_at(key, fmt::format("there is no token {}", id));
    return static_cast<int32_t>(id);
  };
  model.unk_id = special("unknown", 0);
  model.bos_id = special("bos", type == model::SentencePiece::Type::bpe ? 1 : -1);
  model.eos_id = special("eos", size > 2 ? 2 : -1);
  model.pad_id = special("padding", -1);
  normalizer::SentencePiece normalizer;
  normalizer.add_dummy_prefix = metadata.boolean_or("tokenizer.ggml.add_space_prefix", true);
  normalizer.remove_extra_whitespaces = metadata.boolean_or("tokenizer.ggml.remove_extra_whitespaces", false);
  constexpr std::string_view charsmap_key = "tokenizer.ggml.precompiled_charsmap";
  if (metadata.has(charsmap_key)) {
    for (const double byte : metadata.numbers(charsmap_key)) {
      if (!(byte >= -128 && byte <= 255)) metadata.fail_at(charsmap_key, fmt::format("{} is no byte", byte));
      normalizer.charsmap += static_cast<char>(static_cast<int>(byte));
    }
  }
  spec.normalizers.emplace_back(std::move(normalizer));
  spec.decoders.emplace_back(decoder::SentencePiece{});
  spec.model = std::move(model);
  return read_sentencepiece_model(format_sentencepiece_model(spec), origin);
}

/// llama.cpp marks tokens that begin a word with U+2581 and writes the others without ##.
TokenizerSpec read_bert(const GgufMetadata& metadata) {
  constexpr std::string_view mark = "\xE2\x96\x81";
  std::vector<VocabularyEntry> vocabulary = read_tokens(metadata);
  const auto is_marked = [&](const VocabularyEntry& entry) { return entry.token.starts_with(mark); };
  if (std::any_of(vocabulary.begin(), vocabulary.end(), is_marked)) {
    for (VocabularyEntry& entry : vocabulary) {
      if (is_marked(entry)) {
        entry.token.erase(0, mark.size());
      } else if (!entry.token.starts_with('[') || !entry.token.ends_with(']')) {
        entry.token.insert(0, "##");
      }
    }
  }
  return bert_spec(std::move(vocabulary), BertSettings());
}

}  // namespace

bool is_gguf(std::string_view first_bytes) noexcept { return first_bytes.starts_with("GGUF"); }

TokenizerSpec parse_gguf_vocabulary(std::string_view bytes, std::string_view origin) {
  constexpr std::string_view model_key = "tokenizer.ggml.model";
  const GgufMetadata metadata(bytes, "tokenizer.ggml.", origin);
  const std::string_view model = metadata.string(model_key);
  if (model == "gpt2") return read_byte_level(metadata);
  if (model == "llama") return read_sentencepiece(metadata, model::SentencePiece::Type::bpe, origin);
  if (model == "t5") return read_sentencepiece(metadata, model::SentencePiece::Type::unigram, origin);
  if (model == "bert") return read_bert(metadata);
  metadata.fail_at(model_key, fmt::format("Sesame supports gpt2, llama, t5 and bert, not '{}'", model));
}

TokenizerSpec read_gguf_vocabulary(const std::filesystem::path& path) {
  const MappedFile file(path);
  return parse_gguf_vocabulary(file.text(), path.string());
}

}  // namespace sesame
