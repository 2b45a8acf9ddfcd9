#include <fmt/format.h>

#include <string>
#include <string_view>

#include "sesame/text/files/base64.h"
#include "sesame/text/files/tokenizer_json_parts.h"
#include "sesame/text/unicode/unicode.h"

namespace sesame {

std::string_view stage_type(const JsonCursor& stage, std::initializer_list<StageSign> signs) {
  if (stage.find("type")) return stage.at("type").string();
  for (const StageSign& sign : signs) {
    if (stage.find(sign.key)) return sign.type;
  }
  return stage.at("type").string();
}

void refuse_type(const JsonCursor& stage, std::string_view kind, std::string_view type) {
  stage.at("type").fail_here(fmt::format("Sesame does not support the {} '{}'", kind, type.substr(0, 60)));
}

namespace {

/// Calls `visit` for every stage of a pipeline part: nothing for null, the members of nested Sequences in order.
void for_each_stage(const std::optional<JsonCursor>& part, std::string_view list_key,
                    FunctionRef<void(const JsonCursor&)> visit) {
  if (!part) return;
  const bool is_sequence =
      part->find("type") ? part->at("type").string() == "Sequence" : part->find(list_key).has_value();
  if (!is_sequence) return visit(*part);
  part->expect_only({"type", list_key});
  part->at(list_key).for_each_item([&](const JsonCursor& item) { for_each_stage(item, list_key, visit); });
}

Pattern read_pattern(const JsonCursor& pattern) {
  pattern.expect_only({"String", "Regex"});
  if (const auto literal = pattern.find("String")) return {std::string(literal->string()), false};
  return {std::string(pattern.at("Regex").string()), true};
}

std::string read_character(const JsonCursor& value) {
  const std::string_view text = value.string();
  if (text.empty() || decode_utf8(text, 0).length != text.size()) value.fail_here("expected one character");
  return std::string(text);
}

std::string read_charsmap(const JsonCursor& value) {
  auto bytes = decode_base64(value.string());
  if (!bytes) value.fail_here("expected base64");
  return std::move(*bytes);
}

normalizer::Step read_normalizer(const JsonCursor& stage) {
  const std::string_view type = stage_type(stage, {{"clean_text", "BertNormalizer"},
                                                   {"strip_left", "Strip"},
                                                   {"pattern", "Replace"},
                                                   {"prepend", "Prepend"},
                                                   {"precompiled_charsmap", "Precompiled"}});
  if (type == "BertNormalizer") {
    stage.expect_only({"type", "clean_text", "handle_chinese_chars", "strip_accents", "lowercase"});
    normalizer::Bert bert;
    bert.clean_text = stage.boolean_or("clean_text", true);
    bert.handle_chinese_chars = stage.boolean_or("handle_chinese_chars", true);
    if (const auto accents = stage.find("strip_accents")) bert.strip_accents = accents->boolean();
    bert.lowercase = stage.boolean_or("lowercase", true);
    return bert;
  }
  if (type == "Prepend") {
    stage.expect_only({"type", "prepend"});
    return normalizer::Prepend{std::string(stage.at("prepend").string())};
  }
  if (type == "Replace") {
    stage.expect_only({"type", "pattern", "content"});
    const JsonCursor pattern = stage.at("pattern");
    return normalizer::Replace{read_pattern(pattern), std::string(stage.at("content").string())};
  }
  if (type == "Strip") {
    stage.expect_only({"type", "strip_left", "strip_right"});
    return normalizer::Strip{stage.at("strip_left").boolean(), stage.at("strip_right").boolean()};
  }
  if (type == "Precompiled") {
    stage.expect_only({"type", "precompiled_charsmap"});
    return normalizer::Precompiled{read_charsmap(stage.at("precompiled_charsmap"))};
  }
  stage.expect_only({"type"});
  if (type == "NFC") return normalizer::Unicode{UnicodeForm::nfc};
  if (type == "NFD") return normalizer::Unicode{UnicodeForm::nfd};
  if (type == "NFKC") return normalizer::Unicode{UnicodeForm::nfkc};
  if (type == "NFKD") return normalizer::Unicode{UnicodeForm::nfkd};
  if (type == "Lowercase") return normalizer::Lowercase{};
  if (type == "StripAccents") return normalizer::StripAccents{};
  if (type == "Nmt") return normalizer::Nmt{};
  if (type == "ByteLevel") return normalizer::ByteLevel{};
  refuse_type(stage, "normalizer", type);
}

pre_tokenizer::Behavior read_behavior(const JsonCursor& behavior) {
  using pre_tokenizer::Behavior;
  const std::string_view name = behavior.string();
  if (name == "Removed") return Behavior::removed;
  if (name == "Isolated") return Behavior::isolated;
  if (name == "MergedWithPrevious") return Behavior::merged_with_previous;
  if (name == "MergedWithNext") return Behavior::merged_with_next;
  if (name == "Contiguous") return Behavior::contiguous;
  behavior.fail_here("expected Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous");
}

/// The fields that the pre-tokenizer, the post-processor and the decoder called ByteLevel share.
template <typename ByteLevel>
ByteLevel read_byte_level(const JsonCursor& stage) {
  stage.expect_only({"type", "add_prefix_space", "trim_offsets", "use_regex"});
  return {stage.at("add_prefix_space").boolean(), stage.boolean_or("trim_offsets", true),
          stage.boolean_or("use_regex", true)};
}

/// The fields that the pre-tokenizer and the decoder called Metaspace share, in the new and the old form.
template <typename Metaspace>
Metaspace read_metaspace(const JsonCursor& stage) {
  using pre_tokenizer::PrependScheme;
  stage.expect_only({"type", "replacement", "prepend_scheme", "split", "add_prefix_space", "str_rep"});
  Metaspace metaspace;
  metaspace.replacement = read_character(stage.at("replacement"));
  metaspace.split = stage.boolean_or("split", true);
  const bool prefix = stage.boolean_or("add_prefix_space", true);
  metaspace.prepend_scheme = prefix ? PrependScheme::always : PrependScheme::never;
  if (const auto scheme = stage.find("prepend_scheme")) {
    const std::string_view name = scheme->string();
    if (name != "always" && name != "first" && name != "never") scheme->fail_here("expected always, first or never");
    if (!prefix && name != "never") scheme->fail_here("add_prefix_space says never; remove one of the two");
    metaspace.prepend_scheme = name == "always"  ? PrependScheme::always
                               : name == "first" ? PrependScheme::first
                                                 : PrependScheme::never;
  }
  return metaspace;
}

pre_tokenizer::Step read_pre_tokenizer(const JsonCursor& stage) {
  const std::string_view type = stage_type(stage, {});
  if (type == "ByteLevel") return read_byte_level<pre_tokenizer::ByteLevel>(stage);
  if (type == "Metaspace") return read_metaspace<pre_tokenizer::Metaspace>(stage);
  if (type == "Digits") {
    stage.expect_only({"type", "individual_digits"});
    return pre_tokenizer::Digits{stage.at("individual_digits").boolean()};
  }
  if (type == "Split") {
    stage.expect_only({"type", "pattern", "behavior", "invert"});
    const JsonCursor pattern = stage.at("pattern");
    return pre_tokenizer::Split{read_pattern(pattern), read_behavior(stage.at("behavior")),
                                stage.boolean_or("invert", false)};
  }
  if (type == "Punctuation") {
    stage.expect_only({"type", "behavior"});
    const auto behavior = stage.find("behavior");
    return behavior ? pre_tokenizer::Punctuation{read_behavior(*behavior)} : pre_tokenizer::Punctuation{};
  }
  if (type == "CharDelimiterSplit") {
    stage.expect_only({"type", "delimiter"});
    return pre_tokenizer::CharDelimiterSplit{decode_utf8(read_character(stage.at("delimiter")), 0).code};
  }
  if (type == "FixedLength") {
    stage.expect_only({"type", "length"});
    const auto length = stage.find("length");
    return length ? pre_tokenizer::FixedLength{static_cast<uint64_t>(length->integer(1, INT64_MAX))}
                  : pre_tokenizer::FixedLength{};
  }
  stage.expect_only({"type"});
  if (type == "BertPreTokenizer") return pre_tokenizer::Bert{};
  if (type == "Whitespace") return pre_tokenizer::Whitespace{};
  if (type == "WhitespaceSplit") return pre_tokenizer::WhitespaceSplit{};
  if (type == "UnicodeScripts") return pre_tokenizer::UnicodeScripts{};
  refuse_type(stage, "pre-tokenizer", type);
}

std::vector<post_processor::Place> read_places(const JsonCursor& list) {
  std::vector<post_processor::Place> places;
  list.for_each_item([&](const JsonCursor& item) {
    item.expect_only({"SpecialToken", "Sequence"});
    const auto sequence = item.find("Sequence");
    const JsonCursor place = sequence ? *sequence : item.at("SpecialToken");
    place.expect_only({"id", "type_id"});
    const JsonCursor id = place.at("id");
    if (sequence && id.string() != "A" && id.string() != "B") id.fail_here("expected A or B");
    places.push_back({std::string(id.string()), sequence.has_value(),
                      static_cast<int32_t>(place.at("type_id").integer(0, INT32_MAX))});
  });
  return places;
}

post_processor::Template read_template(const JsonCursor& stage) {
  stage.expect_only({"type", "single", "pair", "special_tokens"});
  post_processor::Template result;
  result.single = read_places(stage.at("single"));
  result.pair = read_places(stage.at("pair"));
  stage.at("special_tokens").for_each_member([&](std::string_view key, const JsonCursor& member) {
    member.expect_only({"id", "ids", "tokens"});
    post_processor::TemplateToken token;
    token.id = member.at("id").string();
    if (token.id != key) member.at("id").fail_here("expected the name under which the token is listed");
    member.at("ids").for_each_item(
        [&](const JsonCursor& id) { token.ids.push_back(static_cast<int32_t>(id.integer(0, max_token_id))); });
    member.at("tokens").for_each_item([&](const JsonCursor& t) { token.tokens.emplace_back(t.string()); });
    if (token.ids.size() != token.tokens.size()) member.at("tokens").fail_here("expected as many tokens as ids");
    result.special_tokens.push_back(std::move(token));
  });
  return result;
}

/// ["[SEP]", 102]
post_processor::Token read_token_pair(const JsonCursor& pair) {
  if (!pair.is_array() || pair.size() != 2) pair.fail_here("expected a token and its id: [\"[SEP]\", 102]");
  post_processor::Token token;
  bool first = true;
  pair.for_each_item([&](const JsonCursor& item) {
    if (first) {
      token.token = item.string();
    } else {
      token.id = static_cast<int32_t>(item.integer(0, max_token_id));
    }
    first = false;
  });
  return token;
}

post_processor::Step read_post_processor(const JsonCursor& stage) {
  const std::string_view type = stage_type(
      stage, {{"trim_offsets", "RobertaProcessing"}, {"sep", "BertProcessing"}, {"single", "TemplateProcessing"}});
  if (type == "ByteLevel") return read_byte_level<post_processor::ByteLevel>(stage);
  if (type == "TemplateProcessing") return read_template(stage);
  if (type == "BertProcessing") {
    stage.expect_only({"type", "sep", "cls"});
    return post_processor::Bert{read_token_pair(stage.at("sep")), read_token_pair(stage.at("cls"))};
  }
  if (type == "RobertaProcessing") {
    stage.expect_only({"type", "sep", "cls", "trim_offsets", "add_prefix_space"});
    return post_processor::Roberta{read_token_pair(stage.at("sep")), read_token_pair(stage.at("cls")),
                                   stage.boolean_or("trim_offsets", true), stage.boolean_or("add_prefix_space", true)};
  }
  refuse_type(stage, "post-processor", type);
}

decoder::Step read_decoder(const JsonCursor& stage) {
  const std::string_view type = stage_type(stage, {{"suffix", "BPEDecoder"},
                                                   {"prefix", "WordPiece"},
                                                   {"pad_token", "CTC"},
                                                   {"pattern", "Replace"},
                                                   {"content", "Strip"}});
  if (type == "ByteLevel") return read_byte_level<decoder::ByteLevel>(stage);
  if (type == "Metaspace") return read_metaspace<decoder::Metaspace>(stage);
  if (type == "Replace") {
    stage.expect_only({"type", "pattern", "content"});
    const JsonCursor pattern = stage.at("pattern");
    return decoder::Replace{read_pattern(pattern), std::string(stage.at("content").string())};
  }
  if (type == "Strip") {
    stage.expect_only({"type", "content", "start", "stop"});
    return decoder::Strip{read_character(stage.at("content")),
                          static_cast<int32_t>(stage.at("start").integer(0, INT32_MAX)),
                          static_cast<int32_t>(stage.at("stop").integer(0, INT32_MAX))};
  }
  if (type == "WordPiece") {
    stage.expect_only({"type", "prefix", "cleanup"});
    return decoder::WordPiece{std::string(stage.at("prefix").string()), stage.boolean_or("cleanup", true)};
  }
  if (type == "BPEDecoder") {
    stage.expect_only({"type", "suffix"});
    return decoder::Bpe{std::string(stage.at("suffix").string())};
  }
  if (type == "CTC") {
    stage.expect_only({"type", "pad_token", "word_delimiter_token", "cleanup"});
    return decoder::Ctc{std::string(stage.at("pad_token").string()),
                        std::string(stage.at("word_delimiter_token").string()), stage.boolean_or("cleanup", true)};
  }
  stage.expect_only({"type"});
  if (type == "ByteFallback") return decoder::ByteFallback{};
  if (type == "Fuse") return decoder::Fuse{};
  refuse_type(stage, "decoder", type);
}

}  // namespace

void read_normalizers(const std::optional<JsonCursor>& part, TokenizerSpec& spec) {
  for_each_stage(part, "normalizers", [&](const JsonCursor& s) { spec.normalizers.push_back(read_normalizer(s)); });
}

void read_pre_tokenizers(const std::optional<JsonCursor>& part, TokenizerSpec& spec) {
  for_each_stage(part, "pretokenizers",
                 [&](const JsonCursor& s) { spec.pre_tokenizers.push_back(read_pre_tokenizer(s)); });
}

void read_post_processors(const std::optional<JsonCursor>& part, TokenizerSpec& spec) {
  for_each_stage(part, "processors",
                 [&](const JsonCursor& s) { spec.post_processors.push_back(read_post_processor(s)); });
}

void read_decoders(const std::optional<JsonCursor>& part, TokenizerSpec& spec) {
  for_each_stage(part, "decoders", [&](const JsonCursor& s) { spec.decoders.push_back(read_decoder(s)); });
  // A Sequence of nothing joins the tokens, no decoder at all puts spaces between them.
  if (part && spec.decoders.empty()) spec.decoders.emplace_back(decoder::Fuse{});
}

}  // namespace sesame
