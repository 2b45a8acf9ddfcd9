#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "sesame/text/files/json_cursor.h"
#include "sesame/text/files/tokenizer_json.h"
#include "sesame/text/tokenizer_spec.h"
#include "sesame/text/unicode/unicode.h"

namespace sesame {
namespace {

using TokenIds = std::unordered_map<std::string_view, int32_t>;

[[noreturn]] void refuse_type(const JsonCursor& stage, std::string_view kind) {
  stage.at("type").fail_here(
      fmt::format("Sesame does not support the {} '{}'", kind, stage.at("type").string().substr(0, 60)));
}

/// Calls `visit` for every stage of a pipeline part: nothing for null, the members of nested Sequences in order.
void for_each_stage(const std::optional<JsonCursor>& part, std::string_view list_key,
                    FunctionRef<void(const JsonCursor&)> visit) {
  if (!part) return;
  if (part->at("type").string() != "Sequence") return visit(*part);
  part->expect_only({"type", list_key});
  part->at(list_key).for_each_item([&](const JsonCursor& item) { for_each_stage(item, list_key, visit); });
}

Pattern read_pattern(const JsonCursor& pattern) {
  pattern.expect_only({"String", "Regex"});
  if (const auto literal = pattern.find("String")) return {std::string(literal->string()), false};
  return {std::string(pattern.at("Regex").string()), true};
}

normalizer::Step read_normalizer(const JsonCursor& stage) {
  const std::string_view type = stage.at("type").string();
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
  stage.expect_only({"type"});
  if (type == "NFC") return normalizer::Unicode{UnicodeForm::nfc};
  if (type == "NFD") return normalizer::Unicode{UnicodeForm::nfd};
  if (type == "NFKC") return normalizer::Unicode{UnicodeForm::nfkc};
  if (type == "NFKD") return normalizer::Unicode{UnicodeForm::nfkd};
  if (type == "Lowercase") return normalizer::Lowercase{};
  if (type == "StripAccents") return normalizer::StripAccents{};
  refuse_type(stage, "normalizer");
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
  return {stage.at("add_prefix_space").boolean(), stage.at("trim_offsets").boolean(),
          stage.boolean_or("use_regex", true)};
}

/// The fields that the pre-tokenizer and the decoder called Metaspace share, in the new and the old form.
template <typename Metaspace>
Metaspace read_metaspace(const JsonCursor& stage) {
  using pre_tokenizer::PrependScheme;
  stage.expect_only({"type", "replacement", "prepend_scheme", "split", "add_prefix_space", "str_rep"});
  Metaspace metaspace;
  metaspace.replacement = stage.at("replacement").string();
  if (decode_utf8(metaspace.replacement + " ", 0).length != metaspace.replacement.size()) {
    stage.at("replacement").fail_here("expected one character");
  }
  metaspace.split = stage.boolean_or("split", true);
  metaspace.prepend_scheme = stage.boolean_or("add_prefix_space", true) ? PrependScheme::always : PrependScheme::never;
  if (const auto scheme = stage.find("prepend_scheme")) {
    const std::string_view name = scheme->string();
    if (name != "always" && name != "first" && name != "never") scheme->fail_here("expected always, first or never");
    metaspace.prepend_scheme = name == "always"  ? PrependScheme::always
                               : name == "first" ? PrependScheme::first
                                                 : PrependScheme::never;
  }
  return metaspace;
}

pre_tokenizer::Step read_pre_tokenizer(const JsonCursor& stage) {
  const std::string_view type = stage.at("type").string();
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
  refuse_type(stage, "pre-tokenizer");
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

post_processor::Step read_post_processor(const JsonCursor& stage) {
  const std::string_view type = stage.at("type").string();
  if (type == "ByteLevel") return read_byte_level<post_processor::ByteLevel>(stage);
  if (type != "TemplateProcessing") refuse_type(stage, "post-processor");
  stage.expect_only({"type", "single", "pair", "special_tokens"});
  post_processor::Template result;
  result.single = read_places(stage.at("single"));
  result.pair = read_places(stage.at("pair"));
  stage.at("special_tokens").for_each_member([&](std::string_view, const JsonCursor& member) {
    member.expect_only({"id", "ids", "tokens"});
    post_processor::TemplateToken token;
    token.id = member.at("id").string();
    member.at("ids").for_each_item(
        [&](const JsonCursor& id) { token.ids.push_back(static_cast<int32_t>(id.integer(0, max_token_id))); });
    member.at("tokens").for_each_item([&](const JsonCursor& t) { token.tokens.emplace_back(t.string()); });
    result.special_tokens.push_back(std::move(token));
  });
  return result;
}

decoder::Step read_decoder(const JsonCursor& stage) {
  const std::string_view type = stage.at("type").string();
  if (type == "ByteLevel") return read_byte_level<decoder::ByteLevel>(stage);
  if (type == "Metaspace") return read_metaspace<decoder::Metaspace>(stage);
  if (type == "Replace") {
    stage.expect_only({"type", "pattern", "content"});
    const JsonCursor pattern = stage.at("pattern");
    return decoder::Replace{read_pattern(pattern), std::string(stage.at("content").string())};
  }
  if (type == "Strip") {
    stage.expect_only({"type", "content", "start", "stop"});
    const JsonCursor content = stage.at("content");
    if (content.string().empty() || decode_utf8(content.string(), 0).length != content.string().size()) {
      content.fail_here("expected one character");
    }
    return decoder::Strip{std::string(content.string()), static_cast<int32_t>(stage.at("start").integer(0, INT32_MAX)),
                          static_cast<int32_t>(stage.at("stop").integer(0, INT32_MAX))};
  }
  stage.expect_only({"type"});
  if (type == "ByteFallback") return decoder::ByteFallback{};
  if (type == "Fuse") return decoder::Fuse{};
  refuse_type(stage, "decoder");
}

void read_vocabulary(const JsonCursor& vocabulary, TokenizerSpec& spec, TokenIds& ids) {
  spec.vocabulary.reserve(vocabulary.size());
  ids.reserve(vocabulary.size());
  std::unordered_map<int32_t, std::string_view> tokens;
  tokens.reserve(vocabulary.size());
  vocabulary.for_each_member([&](std::string_view token, const JsonCursor& member) {
    const auto id = static_cast<int32_t>(member.integer(0, max_token_id));
    if (!ids.emplace(token, id).second) member.fail_here("the token appears twice");
    if (const auto [other, added] = tokens.emplace(id, token); !added) {
      member.fail_here(fmt::format("the id {} already belongs to '{}'", id, other->second.substr(0, 60)));
    }
    spec.vocabulary.push_back({std::string(token), id});
  });
  std::sort(spec.vocabulary.begin(), spec.vocabulary.end(),
            [](const VocabularyEntry& a, const VocabularyEntry& b) { return a.id < b.id; });
}

int32_t read_merge_token(const JsonCursor& merge, std::string_view token, const TokenIds& ids) {
  const auto found = ids.find(token);
  if (found == ids.end()) merge.fail_here(fmt::format("'{}' is not in the vocabulary", token.substr(0, 60)));
  return found->second;
}

/// One merge: "left right", or ["left", "right"] where tokens may hold spaces.
model::Merge read_merge(const JsonCursor& merge, const TokenIds& ids, std::string& joined) {
  std::string_view left;
  std::string_view right;
  if (merge.is_string()) {
    const std::string_view text = merge.string();
    const size_t space = text.find(' ');
    if (space == std::string_view::npos || text.find(' ', space + 1) != std::string_view::npos) {
      merge.fail_here("expected two tokens with one space between them");
    }
    left = text.substr(0, space);
    right = text.substr(space + 1);
  } else {
    if (!merge.is_array() || merge.size() != 2) merge.fail_here("expected \"left right\" or [\"left\", \"right\"]");
    bool first = true;
    merge.for_each_item([&](const JsonCursor& item) {
      (first ? left : right) = item.string();
      first = false;
    });
  }
  const model::Merge result{read_merge_token(merge, left, ids), read_merge_token(merge, right, ids)};
  joined.assign(left).append(right);
  read_merge_token(merge, joined, ids);
  return result;
}

void expect_unset(const JsonCursor& model, std::string_view key) {
  const auto member = model.find(key);
  if (member && !(member->is_string() && member->string().empty())) {
    member->fail_here("Sesame supports this key only where it is null or empty");
  }
}

model::Bpe read_bpe(const JsonCursor& model, TokenizerSpec& spec) {
  model.expect_only({"type", "vocab", "merges", "dropout", "unk_token", "continuing_subword_prefix",
                     "end_of_word_suffix", "fuse_unk", "byte_fallback", "ignore_merges"});
  expect_unset(model, "dropout");
  expect_unset(model, "continuing_subword_prefix");
  expect_unset(model, "end_of_word_suffix");
  TokenIds ids;
  read_vocabulary(model.at("vocab"), spec, ids);
  model::Bpe bpe;
  const JsonCursor merges = model.at("merges");
  bpe.merges.reserve(merges.size());
  std::string joined;
  merges.for_each_item([&](const JsonCursor& merge) { bpe.merges.push_back(read_merge(merge, ids, joined)); });
  if (const auto unknown = model.find("unk_token")) bpe.unk_token = unknown->string();
  bpe.fuse_unk = model.boolean_or("fuse_unk", false);
  bpe.byte_fallback = model.boolean_or("byte_fallback", false);
  bpe.ignore_merges = model.boolean_or("ignore_merges", false);
  return bpe;
}

/// The model's type; files from before tokenizers 0.9 do not name it, and only BPE has merges.
std::string_view model_type(const JsonCursor& model) {
  if (const auto type = model.find("type")) return type->string();
  return model.find("merges") ? "BPE" : model.at("type").string();
}

void read_model(const JsonCursor& model, TokenizerSpec& spec) {
  const std::string_view type = model_type(model);
  if (type == "BPE") {
    spec.model = read_bpe(model, spec);
  } else if (type == "WordLevel") {
    model.expect_only({"type", "vocab", "unk_token"});
    TokenIds ids;
    read_vocabulary(model.at("vocab"), spec, ids);
    spec.model = model::WordLevel{std::string(model.at("unk_token").string())};
  } else {
    refuse_type(model, "model");
  }
}

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

void refuse_unless_null(const JsonCursor& root, std::string_view key, std::string_view instead) {
  if (const auto member = root.find(key)) {
    member->fail_here(fmt::format("Sesame does not apply {0}; set \"{0}\" to null: {1}", key, instead));
  }
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
    refuse_unless_null(root, "truncation", "the length of a sequence is the caller's");
    refuse_unless_null(root, "padding", "batches are padded by their maker");
    read_model(root.at("model"), spec);
    if (const auto added = root.find("added_tokens")) {
      added->for_each_item([&](const JsonCursor& token) { spec.added_tokens.push_back(read_added_token(token)); });
    }
    for_each_stage(root.find("normalizer"), "normalizers",
                   [&](const JsonCursor& s) { spec.normalizers.push_back(read_normalizer(s)); });
    for_each_stage(root.find("pre_tokenizer"), "pretokenizers",
                   [&](const JsonCursor& s) { spec.pre_tokenizers.push_back(read_pre_tokenizer(s)); });
    for_each_stage(root.find("post_processor"), "processors",
                   [&](const JsonCursor& s) { spec.post_processors.push_back(read_post_processor(s)); });
    for_each_stage(root.find("decoder"), "decoders",
                   [&](const JsonCursor& s) { spec.decoders.push_back(read_decoder(s)); });
  });
  return spec;
}

}  // namespace sesame
