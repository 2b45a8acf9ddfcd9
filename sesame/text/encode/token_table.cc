#include "sesame/text/encode/token_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "sesame/base/error.h"
#include "sesame/text/bpe/byte_alphabet.h"
#include "sesame/text/pipeline/text_stages.h"

namespace sesame {
namespace {

/// Replacements that feed each other could make gigabytes of a short vocabulary: a table's tokens take no more than
/// this.
size_t most_bytes(const TokenizerSpec& spec) {
  size_t bytes = size_t{16} << 20;
  for (const VocabularyEntry& entry : spec.vocabulary) bytes += 4 * entry.token.size();
  return bytes;
}

std::string replace_all(std::string_view text, const PatternFinder& finder, std::string_view content, size_t most) {
  std::string out;
  size_t done = 0;
  finder.for_each_match(text, [&](size_t begin, size_t end) {
    out.append(text.substr(done, begin - done)).append(content);
    done = end;
    if (out.size() > most) fail("the tokenizer's decoder makes its tokens too long: a Replace is at fault");
  });
  return out.append(text.substr(done));
}

/// A Strip before the tokens are fused works on each token.
std::string strip_token(std::string_view token, const decoder::Strip& strip) {
  for (int32_t i = 0; i < strip.start && token.starts_with(strip.content); ++i) {
    token.remove_prefix(strip.content.size());
  }
  for (int32_t i = 0; i < strip.stop && token.ends_with(strip.content); ++i) token.remove_suffix(strip.content.size());
  return std::string(token);
}

}  // namespace

TokenTable::TokenTable(const TokenizerSpec& spec, std::string_view origin) {
  add_vocabulary(spec, origin);
  add_added_tokens(spec, origin);
  if (tokens_.empty()) fail(fmt::format("{}: the vocabulary is empty", origin));
  decode_tokens(spec, origin);
}

void TokenTable::add_vocabulary(const TokenizerSpec& spec, std::string_view origin) {
  const auto check_range = [&](int32_t id, std::string_view token) {
    if (id < 0 || id > max_token_id) {
      fail(fmt::format("{}: the id {} of '{}' is not from 0 to {}", origin, id, token, max_token_id));
    }
  };
  int32_t last = -1;
  for (const VocabularyEntry& entry : spec.vocabulary) {
    check_range(entry.id, entry.token);
    last = std::max(last, entry.id);
  }
  for (const AddedToken& token : spec.added_tokens) {
    check_range(token.id, token.content);
    last = std::max(last, token.id);
  }
  tokens_.resize(static_cast<size_t>(last) + 1);
  ids_.reserve(spec.vocabulary.size() + spec.added_tokens.size());
  for (const VocabularyEntry& entry : spec.vocabulary) {
    Token& token = tokens_[static_cast<size_t>(entry.id)];
    if (token.present) fail(fmt::format("{}: the id {} belongs to two tokens", origin, entry.id));
    if (!ids_.emplace(entry.token, entry.id).second) {
      fail(fmt::format("{}: the token '{}' appears twice", origin, entry.token));
    }
    token.spelling = entry.token;
    token.present = true;
  }
}

void TokenTable::add_added_tokens(const TokenizerSpec& spec, std::string_view origin) {
  for (const AddedToken& added : spec.added_tokens) {
    Token& token = tokens_[static_cast<size_t>(added.id)];
    if (added.content.empty()) fail(fmt::format("{}: added_tokens: the content of id {} is empty", origin, added.id));
    if (token.added || (token.present && token.spelling != added.content)) {
      fail(fmt::format("{}: added_tokens: the id {} of '{}' already belongs to '{}'", origin, added.id, added.content,
                       token.spelling));
    }
    if (const auto [known, is_new] = ids_.emplace(added.content, added.id); !is_new && known->second != added.id) {
      fail(fmt::format("{}: added_tokens: '{}' has the id {} here and {} elsewhere", origin, added.content, added.id,
                       known->second));
    }
    token.spelling = added.content;
    token.present = true;
    token.special = added.special;
    token.added = true;
  }
}

void TokenTable::check(int32_t id) const {
  if (contains(id)) return;
  fail(fmt::format("the token id {} is not in the vocabulary, which has ids below {}: the ids are of another tokenizer",
                   id, size()));
}

void TokenTable::set_text_strip(const decoder::Strip& strip, std::string_view origin) {
  if (strip.stop > 0 || strip.content.size() != 1 || start_.strip_count > 0) {
    fail(fmt::format("{}: decoder: Sesame supports one Strip after Fuse, of one ASCII character at the start only",
                     origin));
  }
  start_.strip = strip.content[0];
  start_.strip_count = strip.start;
}

void TokenTable::decode_tokens(const TokenizerSpec& spec, std::string_view origin) {
  for (Token& token : tokens_) token.bytes = token.spelling;
  start_.spaced = spec.decoders.empty();
  bool fused = false;
  for (const decoder::Step& step : spec.decoders) {
    if (const auto* strip = std::get_if<decoder::Strip>(&step); strip != nullptr && fused) {
      set_text_strip(*strip, origin);
    } else if (std::holds_alternative<decoder::Fuse>(step)) {
      fused = true;
    } else if (fused) {
      fail(fmt::format("{}: decoder: Sesame supports nothing but Strip after Fuse or ByteLevel", origin));
    } else if (std::holds_alternative<decoder::ByteLevel>(step)) {
      // Added tokens are text, not spellings of bytes.
      for (Token& token : tokens_) {
        if (auto bytes = unspell_bytes(token.bytes); bytes && !token.added) token.bytes = std::move(*bytes);
      }
      fused = true;
    } else if (const auto* replace = std::get_if<decoder::Replace>(&step)) {
      const PatternFinder finder(replace->pattern, fmt::format("{}: decoder", origin));
      size_t left = most_bytes(spec);
      for (Token& token : tokens_) {
        token.bytes = replace_all(token.bytes, finder, replace->content, left);
        left -= std::min(left, token.bytes.size());
      }
    } else if (std::holds_alternative<decoder::ByteFallback>(step)) {
      for (Token& token : tokens_) {
        if (const auto byte = parse_byte_token(token.bytes)) token.bytes.assign(1, static_cast<char>(*byte));
      }
    } else if (const auto* metaspace = std::get_if<decoder::Metaspace>(&step)) {
      const PatternFinder finder({metaspace->replacement, false}, origin);
      for (Token& token : tokens_) token.bytes = replace_all(token.bytes, finder, " ", SIZE_MAX);
      if (metaspace->prepend_scheme != pre_tokenizer::PrependScheme::never) start_.drop = metaspace->replacement;
    } else if (const auto* strip_each = std::get_if<decoder::Strip>(&step)) {
      for (Token& token : tokens_) token.bytes = strip_token(token.bytes, *strip_each);
    } else {
      fail(fmt::format("{}: Sesame does not support this decoder", origin));
    }
  }
}

std::string TokenTable::first_bytes(int32_t id) const {
  if (start_.drop.empty()) return std::string(bytes(id));
  return replace_all(spelling(id), PatternFinder({start_.drop, false}, ""), "", SIZE_MAX);
}

}  // namespace sesame
