#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/text/files/tokenizer_json_parts.h"
#include "sesame/text/words/word_map.h"

namespace sesame {
namespace {

/// Ids by token while a model is read: merges name their tokens by spelling.
class TokenIds {
 public:
  explicit TokenIds(size_t tokens) : map_(tokens) {}

  /// False where the token is there already.
  bool add(std::string_view token, int32_t id) {
    if (token.empty()) return std::exchange(empty_, id) < 0;
    uint64_t& value = map_[WordKey::of(token)];
    if (value != 0) return false;
    value = static_cast<uint64_t>(id) + 1;
    return true;
  }
  /// -1 where it is not there.
  [[nodiscard]] int32_t find(std::string_view token) const {
    if (token.empty()) return empty_;
    const WordMap::Entry* entry = map_.find(WordKey::of(token));
    return entry->size == 0 ? -1 : static_cast<int32_t>(entry->value) - 1;
  }

 private:
  WordMap map_;
  int32_t empty_ = -1;
};

TokenIds read_vocabulary(const JsonCursor& vocabulary, TokenizerSpec& spec) {
  TokenIds ids(vocabulary.size());
  spec.vocabulary.reserve(vocabulary.size());
  std::vector<bool> used;
  bool ascending = true;
  vocabulary.for_each_member([&](std::string_view token, const JsonCursor& member) {
    const auto id = static_cast<int32_t>(member.integer(0, max_token_id));
    if (!ids.add(token, id)) member.fail_here("the token appears twice");
    if (used.size() <= static_cast<size_t>(id)) used.resize(std::max<size_t>(2 * used.size(), id + 1));
    if (used[static_cast<size_t>(id)]) {
      const auto other = std::find_if(spec.vocabulary.begin(), spec.vocabulary.end(),
                                      [&](const VocabularyEntry& entry) { return entry.id == id; });
      member.fail_here(fmt::format("the id {} already belongs to '{}'", id, other->token.substr(0, 60)));
    }
    used[static_cast<size_t>(id)] = true;
    ascending = ascending && (spec.vocabulary.empty() || spec.vocabulary.back().id < id);
    spec.vocabulary.push_back({std::string(token), id});
  });
  if (!ascending) {
    std::sort(spec.vocabulary.begin(), spec.vocabulary.end(),
              [](const VocabularyEntry& a, const VocabularyEntry& b) { return a.id < b.id; });
  }
  return ids;
}

int32_t read_merge_token(const JsonCursor& merge, std::string_view token, const TokenIds& ids) {
  const int32_t id = ids.find(token);
  if (id < 0) merge.fail_here(fmt::format("'{}' is not in the vocabulary", token.substr(0, 60)));
  return id;
}

/// One merge: "left right", or ["left", "right"] where tokens may hold spaces. `prefix` bytes of the right token, the
/// mark of a continued word, are not part of the merged one. `joined` is a buffer.
model::Merge read_merge(const JsonCursor& merge, const TokenIds& ids, size_t prefix, std::string& joined) {
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
  if (right.size() < prefix) merge.fail_here("the right token is shorter than continuing_subword_prefix");
  joined.assign(left).append(right.substr(prefix));
  read_merge_token(merge, joined, ids);
  return result;
}

std::string string_or_empty(const JsonCursor& model, std::string_view key) {
  const auto member = model.find(key);
  return member ? std::string(member->string()) : std::string();
}

model::Bpe read_bpe(const JsonCursor& model, TokenizerSpec& spec) {
  if (const auto dropout = model.find("dropout"); dropout && dropout->number() != 0) {
    dropout->fail_here("Sesame does not drop merges at random: expected null or 0");
  }
  model::Bpe bpe;
  bpe.continuing_subword_prefix = string_or_empty(model, "continuing_subword_prefix");
  bpe.end_of_word_suffix = string_or_empty(model, "end_of_word_suffix");
  const TokenIds ids = read_vocabulary(model.at("vocab"), spec);
  const JsonCursor merges = model.at("merges");
  bpe.merges.reserve(merges.size());
  std::string joined;
  merges.for_each_item([&](const JsonCursor& merge) {
    // The first line of merges.txt, which old converters took for a merge.
    if (merge.is_string() && merge.string().starts_with("#version")) return;
    bpe.merges.push_back(read_merge(merge, ids, bpe.continuing_subword_prefix.size(), joined));
  });
  if (const auto unknown = model.find("unk_token")) bpe.unk_token = unknown->string();
  bpe.fuse_unk = model.boolean_or("fuse_unk", false);
  bpe.byte_fallback = model.boolean_or("byte_fallback", false);
  bpe.ignore_merges = model.boolean_or("ignore_merges", false);
  return bpe;
}

model::WordPiece read_word_piece(const JsonCursor& model, TokenizerSpec& spec) {
  read_vocabulary(model.at("vocab"), spec);
  model::WordPiece pieces;
  pieces.unk_token = model.at("unk_token").string();
  pieces.continuing_subword_prefix = model.at("continuing_subword_prefix").string();
  pieces.max_input_chars_per_word = static_cast<uint64_t>(model.at("max_input_chars_per_word").integer(0, INT64_MAX));
  return pieces;
}

/// [["<unk>", 0.0], ["▁the", -3.2], ...]: ids are the places in the list.
model::Unigram read_unigram(const JsonCursor& model, TokenizerSpec& spec) {
  const JsonCursor pieces = model.at("vocab");
  if (!pieces.is_array()) pieces.fail_here("expected a list of pieces and scores");
  if (pieces.size() > static_cast<size_t>(max_token_id)) {
    pieces.fail_here(fmt::format("expected at most {} pieces", max_token_id));
  }
  model::Unigram unigram;
  unigram.scores.reserve(pieces.size());
  spec.vocabulary.reserve(pieces.size());
  pieces.for_each_item([&](const JsonCursor& piece) {
    if (!piece.is_array() || piece.size() != 2) piece.fail_here("expected a piece and its score: [\"the\", -3.2]");
    bool first = true;
    piece.for_each_item([&](const JsonCursor& item) {
      if (first) {
        spec.vocabulary.push_back({std::string(item.string()), static_cast<int32_t>(unigram.scores.size())});
      } else {
        unigram.scores.push_back(item.number());
      }
      first = false;
    });
  });
  if (const auto unknown = model.find("unk_id")) {
    const auto last = static_cast<int64_t>(unigram.scores.size()) - 1;
    unigram.unk_id = static_cast<int32_t>(unknown->integer(0, std::max<int64_t>(last, 0)));
    if (last < 0) unknown->fail_here("the vocabulary is empty");
  }
  unigram.byte_fallback = model.boolean_or("byte_fallback", false);
  return unigram;
}

model::WordLevel read_word_level(const JsonCursor& model, TokenizerSpec& spec) {
  model::WordLevel words{std::string(model.at("unk_token").string())};
  read_vocabulary(model.at("vocab"), spec);
  return words;
}

}  // namespace

void read_model(const JsonCursor& model, TokenizerSpec& spec) {
  const std::string_view type = stage_type(model, {{"merges", "BPE"},
                                                   {"max_input_chars_per_word", "WordPiece"},
                                                   {"unk_id", "Unigram"},
                                                   {"unk_token", "WordLevel"}});
  if (type == "BPE") {
    spec.model = read_bpe(model, spec);
  } else if (type == "WordPiece") {
    spec.model = read_word_piece(model, spec);
  } else if (type == "Unigram") {
    spec.model = read_unigram(model, spec);
  } else if (type == "WordLevel") {
    spec.model = read_word_level(model, spec);
  } else {
    refuse_type(model, "model", type);
  }
}

}  // namespace sesame
