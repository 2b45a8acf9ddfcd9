#include "sesame/text/sentencepiece/text_normalizer.h"

#include <algorithm>
#include <utility>

#include "sesame/text/unicode/unicode.h"

namespace sesame {
namespace {

constexpr std::string_view replacement_character = "\xEF\xBF\xBD";

bool is_ascii(char c) { return static_cast<uint8_t>(c) < 0x80; }

ByteTrie trie_of(const std::vector<std::string_view>& symbols) {
  std::vector<std::pair<std::string_view, int32_t>> strings;
  strings.reserve(symbols.size());
  for (const std::string_view symbol : symbols) strings.emplace_back(symbol, 0);
  return ByteTrie(std::move(strings));
}

}  // namespace

SentencePieceNormalizer::SentencePieceNormalizer(const normalizer::SentencePiece& settings,
                                                 const std::vector<std::string_view>& user_symbols,
                                                 std::string_view origin)
    : settings_(settings), charsmap_(settings.charsmap, origin), user_symbols_(trie_of(user_symbols)) {
  for (const std::string_view symbol : user_symbols) begins_symbol_[static_cast<uint8_t>(symbol[0])] = 1;
  touched_.insert(0, 0x80);         // ASCII has rules of its own
  touched_.insert(0xD800, 0xE000);  // no characters
  for (const std::string_view symbol : user_symbols) touch(symbol);
  find_cuts(user_symbols);
}

/// `text`: a key or a symbol.
void SentencePieceNormalizer::touch(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const Utf8Char character = decode_utf8(text, i);
    if (!character.valid) touched_.insert_all();  // part of a character may be a key
    if (character.code < CharacterSet::limit) touched_.insert(character.code);
    i += character.length;
  }
}

/// The end of the characters from `begin` on that become themselves, whatever follows.
size_t SentencePieceNormalizer::end_of_copied(std::string_view text, size_t begin) const {
  const auto byte_at = [text](size_t place) { return uint32_t{static_cast<uint8_t>(text[place])}; };
  size_t end = begin;
  while (end < text.size()) {
    const uint32_t first = byte_at(end);
    if (first < 0x80) {
      if (!copies_ascii(static_cast<uint8_t>(first))) return end;
      ++end;
      continue;
    }
    uint32_t character = 0;
    size_t length = 0;
    if ((first & 0xF0) == 0xE0 && end + 2 < text.size() && (byte_at(end + 1) & 0xC0) == 0x80 &&
        (byte_at(end + 2) & 0xC0) == 0x80) {
      character = (first & 0x0F) << 12 | (byte_at(end + 1) & 0x3F) << 6 | (byte_at(end + 2) & 0x3F);
      length = character >= 0x800 ? 3 : 0;
    } else if ((first & 0xE0) == 0xC0 && end + 1 < text.size() && (byte_at(end + 1) & 0xC0) == 0x80) {
      character = (first & 0x1F) << 6 | (byte_at(end + 1) & 0x3F);
      length = character >= 0x80 ? 2 : 0;
    }
    if (length == 0 || touched_.contains(character)) {
      // It may follow the last character in a key.
      return end > begin && is_ascii(text[end - 1]) ? end - 1 : end;
    }
    end += length;
  }
  return end;
}

void SentencePieceNormalizer::find_cuts(const std::vector<std::string_view>& user_symbols) {
  bool ascii_alone = true;  // no key begins with two ASCII characters
  bool spaces_alone = true;
  bool line_breaks_alone = true;
  std::array<uint8_t, 128> replaced{};
  charsmap_.for_each_rule([&](std::string_view key, std::string_view replacement) {
    touch(key);
    if (key == " ") {
      spaces_alone = spaces_alone && replacement == " ";
    } else if (key.find(' ') != std::string_view::npos) {
      spaces_alone = false;
    }
    if (key == "\n") {
      line_breaks_alone = line_breaks_alone && replacement == " ";
    } else if (key.find('\n') != std::string_view::npos) {
      line_breaks_alone = false;
    }
    if (!is_ascii(key[0])) return;
    if (key.size() == 1) replaced[static_cast<uint8_t>(key[0])] = replacement == key ? 0 : 1;
    if (key.size() > 1 && is_ascii(key[1])) ascii_alone = false;
  });
  const auto has_space_inside = [](std::string_view symbol) { return symbol.find(' ', 1) != std::string_view::npos; };
  cuts_before_spaces_ = spaces_alone && settings_.escape_whitespaces && !settings_.treat_whitespace_as_suffix &&
                        std::none_of(user_symbols.begin(), user_symbols.end(), has_space_inside);
  const auto has_line_break = [](std::string_view symbol) { return symbol.find('\n') != std::string_view::npos; };
  cuts_before_line_breaks_ = cuts_before_spaces_ && line_breaks_alone &&
                             std::none_of(user_symbols.begin(), user_symbols.end(), has_line_break);
  for (uint32_t c = 1; c < 128; ++c) {
    copied_[c] = ascii_alone && c != ' ' && replaced[c] == 0 && begins_symbol_[c] == 0 ? 1 : 0;
  }
}

SentencePieceNormalizer::Piece SentencePieceNormalizer::next_piece(std::string_view text, size_t begin) const {
  const auto first = static_cast<uint8_t>(text[begin]);
  if (begins_symbol_[first] != 0) {
    const size_t length = user_symbols_.longest_prefix(text, begin).length;
    if (length > 0) return {length, text.substr(begin, length)};
  }
  if (charsmap_.begins_key(first)) {
    const Charsmap::Match match = charsmap_.longest_prefix(text.substr(begin));
    if (match.length > 0) return {match.length, match.replacement};
  }
  const Utf8Char character = decode_utf8(text, begin);
  if (!character.valid) return {1, replacement_character};
  return {character.length, text.substr(begin, character.length)};
}

void SentencePieceNormalizer::append_space(std::string& out) const {
  out += settings_.escape_whitespaces ? space_symbol : std::string_view(" ");
}

void SentencePieceNormalizer::append_replacement(std::string_view replacement, std::string& out) const {
  for (const char c : replacement) {
    if (c == ' ') {
      append_space(out);
    } else {
      out.push_back(c);
    }
  }
}

void SentencePieceNormalizer::append(std::string_view part, Progress& progress, std::string& out,
                                     std::vector<size_t>* sources, size_t offset) const {
  const bool joins_spaces = settings_.remove_extra_whitespaces;
  const auto note_source = [&](size_t place) {
    if (sources != nullptr) sources->resize(out.size(), offset + place);
  };
  for (size_t i = 0; i < part.size();) {
    if (progress.begun && sources == nullptr) {
      const size_t end = end_of_copied(part, i);
      if (end > i) {
        out.append(part, i, end - i);
        progress.previous_space = false;
        i = end;
        continue;
      }
    }
    const Piece piece = next_piece(part, i);
    std::string_view replacement = piece.replacement;
    if (!progress.begun && (!joins_spaces || replacement != " ")) {
      progress = {true, joins_spaces};
      if (settings_.add_dummy_prefix && !settings_.treat_whitespace_as_suffix) append_space(out);
      note_source(i);
    }
    if (progress.begun) {
      while (progress.previous_space && replacement.starts_with(' ')) replacement.remove_prefix(1);
      append_replacement(replacement, out);
      note_source(i);
      if (!replacement.empty()) progress.previous_space = joins_spaces && replacement.ends_with(' ');
    }
    i += piece.length;
  }
}

void SentencePieceNormalizer::finish(Progress& progress, std::string& out, std::vector<size_t>* sources,
                                     size_t text_size) const {
  size_t end = text_size;
  if (settings_.remove_extra_whitespaces) {
    const std::string_view space = settings_.escape_whitespaces ? space_symbol : std::string_view(" ");
    while (std::string_view(out).ends_with(space)) {
      out.resize(out.size() - space.size());
      if (sources != nullptr) end = (*sources)[out.size()];
    }
  }
  if (sources != nullptr) sources->resize(out.size());
  if (progress.begun && settings_.treat_whitespace_as_suffix && settings_.add_dummy_prefix) append_space(out);
  if (sources != nullptr) sources->resize(out.size() + 1, end);
}

std::string SentencePieceNormalizer::apply(std::string_view text, std::vector<size_t>* sources) const {
  std::string out;
  out.reserve(text.size() + text.size() / 2 + space_symbol.size());
  if (sources != nullptr) sources->clear();
  Progress progress;
  append(text, progress, out, sources);
  finish(progress, out, sources, text.size());
  return out;
}

}  // namespace sesame
