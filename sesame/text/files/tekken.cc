#include "sesame/text/files/tekken.h"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "sesame/text/bpe/byte_level_stages.h"
#include "sesame/text/files/base64.h"
#include "sesame/text/files/json_cursor.h"
#include "sesame/text/files/ranked_vocabulary.h"

namespace sesame {
namespace {

std::vector<RankedToken> read_tokens(const JsonCursor& root, int32_t special, int32_t size) {
  std::vector<RankedToken> tokens;
  root.at("vocab").for_each_item([&](const JsonCursor& item) {
    const auto rank = static_cast<int32_t>(item.at("rank").integer(0, max_token_id));
    if (rank != static_cast<int32_t>(tokens.size()) && rank < size - special) {
      item.at("rank").fail_here(fmt::format("expected {}: ranks come in order", tokens.size()));
    }
    if (rank >= size - special) return;
    const JsonCursor base64 = item.at("token_bytes");
    auto bytes = decode_base64(base64.string());
    if (!bytes || bytes->empty()) base64.fail_here("expected base64");
    if (bytes->size() > max_ranked_bytes) {
      base64.fail_here(fmt::format("a token of {} bytes, expected at most {}", bytes->size(), max_ranked_bytes));
    }
    tokens.push_back({std::move(*bytes), rank + special});
  });
  return tokens;
}

std::vector<std::string> read_special_tokens(const JsonCursor& root, int32_t special) {
  std::vector<std::string> contents(static_cast<size_t>(special));
  if (const auto list = root.find("special_tokens")) {
    list->for_each_item([&](const JsonCursor& item) {
      const auto rank = static_cast<size_t>(item.at("rank").integer(0, special - 1));
      contents[rank] = std::string(item.at("token_str").string());
    });
  }
  for (size_t i = 0; i < contents.size(); ++i) {
    if (contents[i].empty()) contents[i] = fmt::format("<SPECIAL_{}>", i);
  }
  return contents;
}

void set_stages(TokenizerSpec& spec, std::string_view regex) {
  if (const auto known = recognize_split_regex(regex)) return set_byte_level_stages(spec, *known);
  pre_tokenizer::Split split;
  split.pattern = {std::string(regex), true};
  spec.pre_tokenizers.emplace_back(std::move(split));
  pre_tokenizer::ByteLevel bytes;
  bytes.use_regex = false;
  spec.pre_tokenizers.emplace_back(bytes);
  spec.post_processors.emplace_back(post_processor::ByteLevel{});
  spec.decoders.emplace_back(decoder::ByteLevel{});
}

}  // namespace

TokenizerSpec parse_tekken(std::string_view json, std::string_view origin) {
  TokenizerSpec spec;
  visit_json(json, origin, [&](const JsonCursor& root) {
    const JsonCursor config = root.at("config");
    const auto special = static_cast<int32_t>(config.at("default_num_special_tokens").integer(0, 100'000));
    const auto size = static_cast<int32_t>(config.at("default_vocab_size").integer(special, max_token_id));
    set_ranked_model(read_tokens(root, special, size), spec);
    std::vector<VocabularyEntry> vocabulary;
    for (const std::string& content : read_special_tokens(root, special)) {
      const auto id = static_cast<int32_t>(vocabulary.size());
      spec.added_tokens.push_back(special_token(content, id));
      vocabulary.push_back({content, id});
    }
    vocabulary.insert(vocabulary.end(), std::make_move_iterator(spec.vocabulary.begin()),
                      std::make_move_iterator(spec.vocabulary.end()));
    spec.vocabulary = std::move(vocabulary);
    set_stages(spec, config.at("pattern").string());
  });
  return spec;
}

}  // namespace sesame
