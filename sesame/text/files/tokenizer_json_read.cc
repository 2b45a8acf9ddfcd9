#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "sesame/text/files/json_cursor.h"
#include "sesame/text/files/tokenizer_json.h"
#include "sesame/text/files/tokenizer_json_parts.h"
#include "sesame/text/tokenizer_spec.h"

namespace sesame {
namespace {

constexpr int64_t most_tokens = int64_t{1} << 40;
/// Padding is allocated: a file does not decide how much memory that takes.
constexpr int64_t most_padding = int64_t{1} << 24;

AddedToken read_added_token(const JsonCursor& token) {
  token.expect_only({"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"});
  AddedToken added;
  added.id = static_cast<int32_t>(token.at("id").integer(0, max_token_id));
  added.content = token.at("content").string();
  added.single_word = token.boolean_or("single_word", false);
  added.lstrip = token.boolean_or("lstrip", false);
  added.rstrip = token.boolean_or("rstrip", false);
  added.special = token.boolean_or("special", false);
  added.normalized = token.boolean_or("normalized", !added.special);
  return added;
}

/// Of tokens that are listed twice the last one counts, as in Hugging Face's library; tokens of no text do not.
void read_added_tokens(const JsonCursor& list, TokenizerSpec& spec) {
  list.for_each_item([&](const JsonCursor& item) {
    AddedToken token = read_added_token(item);
    if (token.content.empty()) return;
    spec.added_tokens.push_back(std::move(token));
  });
  auto& tokens = spec.added_tokens;
  std::stable_sort(tokens.begin(), tokens.end(), [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
  std::vector<AddedToken> kept;
  for (AddedToken& token : tokens) {
    if (!kept.empty() && kept.back().id == token.id && kept.back().content == token.content) kept.pop_back();
    kept.push_back(std::move(token));
  }
  tokens = std::move(kept);
}

Direction read_direction(const JsonCursor& part) {
  const auto direction = part.find("direction");
  if (!direction || direction->string() == "Right") return Direction::right;
  if (direction->string() != "Left") direction->fail_here("expected Left or Right");
  return Direction::left;
}

Truncation read_truncation(const JsonCursor& part) {
  part.expect_only({"direction", "max_length", "strategy", "stride"});
  Truncation truncation;
  truncation.direction = read_direction(part);
  truncation.max_length = static_cast<uint64_t>(part.at("max_length").integer(0, most_tokens));
  if (const auto stride = part.find("stride")) {
    truncation.stride = static_cast<uint64_t>(stride->integer(0, most_tokens));
  }
  if (const auto strategy = part.find("strategy"); strategy && strategy->string() != "LongestFirst") {
    if (strategy->string() != "OnlyFirst" && strategy->string() != "OnlySecond") {
      strategy->fail_here("expected LongestFirst, OnlyFirst or OnlySecond");
    }
    truncation.strategy =
        strategy->string() == "OnlyFirst" ? Truncation::Strategy::only_first : Truncation::Strategy::only_second;
  }
  return truncation;
}

Padding read_padding(const JsonCursor& part) {
  part.expect_only({"strategy", "direction", "pad_to_multiple_of", "pad_id", "pad_type_id", "pad_token"});
  Padding padding;
  padding.direction = read_direction(part);
  if (const auto strategy = part.find("strategy"); strategy && !strategy->is_string()) {
    strategy->expect_only({"Fixed"});
    padding.fixed_length = static_cast<uint64_t>(strategy->at("Fixed").integer(0, most_padding));
  } else if (strategy && strategy->string() != "BatchLongest") {
    strategy->fail_here("expected \"BatchLongest\" or {\"Fixed\": length}");
  }
  if (const auto multiple = part.find("pad_to_multiple_of")) {
    padding.pad_to_multiple_of = static_cast<uint64_t>(multiple->integer(0, most_padding));
  }
  padding.pad_id = static_cast<int32_t>(part.at("pad_id").integer(0, INT32_MAX));
  if (const auto type = part.find("pad_type_id")) {
    padding.pad_type_id = static_cast<int32_t>(type->integer(0, INT32_MAX));
  }
  if (const auto token = part.find("pad_token")) padding.pad_token = token->string();
  return padding;
}

}  // namespace

TokenizerSpec parse_tokenizer_json(std::string_view json, std::string_view origin) {
  TokenizerSpec spec;
  visit_json(json, origin, [&](const JsonCursor& root) {
    if (!root.is_object()) root.fail_here("expected an object {...}");
    root.expect_only({"version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer",
                      "post_processor", "decoder", "model"});
    if (const auto version = root.find("version"); version && version->string() != "1.0") {
      version->fail_here("expected version 1.0");
    }
    if (const auto part = root.find("truncation")) spec.truncation = read_truncation(*part);
    if (const auto part = root.find("padding")) spec.padding = read_padding(*part);
    read_model(root.at("model"), spec);
    if (const auto added = root.find("added_tokens")) read_added_tokens(*added, spec);
    read_normalizers(root.find("normalizer"), spec);
    read_pre_tokenizers(root.find("pre_tokenizer"), spec);
    read_post_processors(root.find("post_processor"), spec);
    read_decoders(root.find("decoder"), spec);
  });
  return spec;
}

}  // namespace sesame
