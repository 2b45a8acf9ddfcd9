#include "sesame/text/encode/token_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "sesame/base/error.h"
#include "sesame/text/files/image.h"

namespace sesame {
namespace {

/// What is not an array: flags and numbers of the start of a text.
struct StoredStart {
  int32_t strip_count;
  uint8_t strip;
  uint8_t spaced;
  uint8_t own_first;
  uint8_t compiled;
};

void check_id(int32_t id, std::string_view token, std::string_view origin) {
  if (id >= 0 && id <= max_token_id) return;
  fail(fmt::format("{}: the id {} of '{}' is not from 0 to {}", origin, id, token, max_token_id));
}

/// Strings behind one another.
class Arena {
 public:
  explicit Arena(std::string_view origin) : origin_(origin) {}

  /// Where a string begins.
  uint32_t add(std::string_view text) {
    if (bytes_.size() + text.size() > UINT32_MAX / 2) fail(fmt::format("{}: the vocabulary is too large", origin_));
    const auto begin = static_cast<uint32_t>(bytes_.size());
    bytes_.insert(bytes_.end(), text.begin(), text.end());
    return begin;
  }
  [[nodiscard]] uint32_t size() const { return static_cast<uint32_t>(bytes_.size()); }
  [[nodiscard]] std::vector<char> take() && { return std::move(bytes_); }

 private:
  std::string_view origin_;
  std::vector<char> bytes_;
};

}  // namespace

TokenTable::TokenTable(const TokenizerSpec& spec, std::string_view origin) {
  std::vector<TokenDraft> drafts = draft_vocabulary(spec, origin);
  if (drafts.empty()) fail(fmt::format("{}: the vocabulary is empty", origin));
  // Tokens of the vocabulary first, so that added ones are held against them.
  StringIndex::Builder index(spec.vocabulary.size() + spec.added_tokens.size());
  const auto spelling_of = [&](uint32_t id) { return drafts[id].spelling; };
  for (const VocabularyEntry& entry : spec.vocabulary) {
    const auto id = static_cast<uint32_t>(entry.id);
    if (index.add(entry.token, id, spelling_of) != id) {
      fail(fmt::format("{}: the token '{}' appears twice", origin, entry.token));
    }
  }
  for (const AddedToken& added : spec.added_tokens) {
    const auto id = static_cast<size_t>(added.id);
    TokenDraft& token = drafts[id];
    if (added.content.empty()) fail(fmt::format("{}: added_tokens: the content of id {} is empty", origin, id));
    if (token.added || (token.present && token.spelling != added.content)) {
      fail(fmt::format("{}: added_tokens: the id {} of '{}' already belongs to '{}'", origin, id, added.content,
                       token.spelling));
    }
    token.spelling = added.content;
    token.present = true;
    token.special = added.special;
    token.added = true;
    if (const uint32_t known = index.add(added.content, static_cast<uint32_t>(id), spelling_of); known != id) {
      fail(fmt::format("{}: added_tokens: '{}' has the id {} here and {} elsewhere", origin, added.content, id, known));
    }
  }
  index_ = std::move(index).finish();
  compiled_ = compile_decoder(spec, drafts, start_, origin);
  store(drafts, origin);
}

std::vector<TokenDraft> TokenTable::draft_vocabulary(const TokenizerSpec& spec, std::string_view origin) {
  int32_t last = -1;
  for (const VocabularyEntry& entry : spec.vocabulary) {
    check_id(entry.id, entry.token, origin);
    last = std::max(last, entry.id);
  }
  for (const AddedToken& token : spec.added_tokens) {
    check_id(token.id, token.content, origin);
    last = std::max(last, token.id);
  }
  std::vector<TokenDraft> drafts(static_cast<size_t>(last) + 1);
  for (const VocabularyEntry& entry : spec.vocabulary) {
    TokenDraft& token = drafts[static_cast<size_t>(entry.id)];
    if (token.present) fail(fmt::format("{}: the id {} belongs to two tokens", origin, entry.id));
    token.spelling = entry.token;
    token.present = true;
  }
  return drafts;
}

void TokenTable::store(const std::vector<TokenDraft>& drafts, std::string_view origin) {
  Arena spellings(origin);
  Arena bytes(origin);
  std::vector<uint32_t> begins;
  std::vector<Entry> entries;
  std::vector<Entry> first_entries;
  begins.reserve(drafts.size() + 1);
  entries.reserve(drafts.size());
  for (const TokenDraft& token : drafts) {
    begins.push_back(spellings.add(token.spelling));
    const uint32_t flags = (token.present ? present : 0) | (token.special ? is_special : 0);
    entries.push_back({bytes.add(token.bytes), static_cast<uint32_t>(token.bytes.size()) | flags});
  }
  begins.push_back(spellings.size());
  if (start_.own_first || !start_.drop.empty()) {
    for (const TokenDraft& token : drafts) {
      const std::string first = start_.own_first ? token.first : without_marks(token.spelling, start_.drop);
      first_entries.push_back({bytes.add(first), static_cast<uint32_t>(first.size())});
    }
  }
  bytes.add(std::string(chunk, '\0'));
  spelling_begins_ = std::move(begins);
  entries_ = std::move(entries);
  first_entries_ = std::move(first_entries);
  spellings_ = std::move(spellings).take();
  bytes_ = std::move(bytes).take();
}

TokenTable::TokenTable(const ImageReader& image)
    : entries_(image.get<Entry>("tokens.entries")),
      first_entries_(image.get<Entry>("tokens.first")),
      bytes_(image.get<char>("tokens.bytes")),
      spellings_(image.get<char>("tokens.spellings")),
      spelling_begins_(image.get<uint32_t>("tokens.begins")),
      index_(image.get<StringIndex::Slot>("tokens.index")) {
  if (entries_.empty() || entries_.size() > size_t{max_token_id} + 1) {
    image.fail_section("tokens.entries", "a wrong number of tokens");
  }
  if (bytes_.size() < chunk || bytes_.size() > UINT32_MAX) image.fail_section("tokens.bytes", "a wrong size");
  const auto last = static_cast<uint32_t>(bytes_.size() - chunk);
  const auto in_range = [last](const Entry& entry) {
    return entry.begin <= last && (entry.size & size_mask) <= last - std::min(entry.begin, last);
  };
  if (!all_pass(entries_.span(), in_range)) {
    image.fail_section("tokens.entries", "a token lies outside of the bytes");
  }
  if (!all_pass(first_entries_.span(), in_range) ||
      (!first_entries_.empty() && first_entries_.size() != entries_.size())) {
    image.fail_section("tokens.first", "a token lies outside of the bytes");
  }
  if (spelling_begins_.size() != entries_.size() + 1 || spelling_begins_[0] != 0 ||
      spelling_begins_.back() != spellings_.size() || !is_rising(spelling_begins_.span())) {
    image.fail_section("tokens.begins", "the places of the spellings are out of order");
  }
  if (!index_.holds_together(static_cast<uint32_t>(entries_.size()))) {
    image.fail_section("tokens.index", "it names tokens that are not there, or has no free place");
  }
  const FlatArray<StoredStart> start = image.get<StoredStart>("tokens.start");
  if (start.size() != 1) image.fail_section("tokens.start", "expected one element");
  const FlatArray<char> drop = image.get<char>("tokens.drop");
  start_ = {start[0].strip_count, static_cast<char>(start[0].strip), std::string(drop.begin(), drop.end()),
            start[0].spaced != 0, start[0].own_first != 0};
  compiled_ = start[0].compiled != 0;
}

void TokenTable::write(ImageWriter& image) const {
  image.add("tokens.entries", entries_);
  image.add("tokens.first", first_entries_);
  image.add("tokens.bytes", bytes_);
  image.add("tokens.spellings", spellings_);
  image.add("tokens.begins", spelling_begins_);
  image.add("tokens.index", index_.slots());
  const StoredStart start = {start_.strip_count, static_cast<uint8_t>(start_.strip), start_.spaced, start_.own_first,
                             compiled_};
  image.add("tokens.start", std::span<const StoredStart>(&start, 1));
  image.add("tokens.drop", std::span<const char>(start_.drop));
}

std::optional<int32_t> TokenTable::find(std::string_view spelling) const {
  const uint32_t id = index_.find(spelling, [this](uint32_t i) { return this->spelling(static_cast<int32_t>(i)); });
  if (id == StringIndex::none) return std::nullopt;
  return static_cast<int32_t>(id);
}

void TokenTable::fail_unknown(int32_t id) const {
  fail(fmt::format("the token id {} is not in the vocabulary, which has ids below {}: the ids are of another tokenizer",
                   id, size()));
}

void TokenTable::decode(std::span<const int32_t> ids, bool skip_special, std::string& text) const {
  const size_t begin = text.size();
  while (!ids.empty()) {
    const int32_t id = ids.front();
    check(id);
    ids = ids.subspan(1);
    if (skip_special && special(id)) continue;
    text += first_bytes(id);
    break;
  }
  if (start_.spaced) {
    for (const int32_t id : ids) {
      check(id);
      if (skip_special && special(id)) continue;
      text += ' ';
      text += bytes(id);
    }
  } else if (ids.size() < ShortTokens::long_text) {
    for (const int32_t id : ids) append(id, skip_special, text);
  } else {
    decode_long(ids, skip_special, text);
  }
  size_t strip = 0;
  const std::string_view decoded = std::string_view(text).substr(begin);
  while (strip < decoded.size() && strip < static_cast<size_t>(std::max(start_.strip_count, 0)) &&
         decoded[strip] == start_.strip) {
    ++strip;
  }
  text.erase(begin, strip);
}

void TokenTable::decode_long(std::span<const int32_t> ids, bool skip_special, std::string& text) const {
  short_tokens_->make(entries_.size(), [this](int32_t id) -> std::optional<std::string_view> {
    if (!contains(id) || special(id)) return std::nullopt;
    return bytes(id);
  });
  short_tokens_->reserve(ids, text);
  while (true) {
    ids = ids.subspan(short_tokens_->decode(ids, text));
    if (ids.empty()) return;
    append(ids.front(), skip_special, text);
    ids = ids.subspan(1);
  }
}

}  // namespace sesame
