#include "sesame/text/wordpiece/bert_characters.h"

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <string>

#include "sesame/text/unicode/hugging_face_categories.h"
#include "sesame/text/unicode/unicode.h"

namespace sesame {
namespace {

using hugging_face::append_decomposition;
using hugging_face::append_lowercase;
using hugging_face::combining_class;

BertCharacters::Kind kind_of(uint32_t code) {
  if (hugging_face::is_white_space(code)) return BertCharacters::space;
  return hugging_face::is_punctuation(code) ? BertCharacters::alone : BertCharacters::in_word;
}

normalizer::Bert nothing_normalized() {
  normalizer::Bert options;
  options.clean_text = false;
  options.handle_chinese_chars = false;
  options.strip_accents = false;
  options.lowercase = false;
  return options;
}

}  // namespace

const BertCharacters& BertCharacters::get(const normalizer::Bert& options) {
  static std::mutex mutex;
  static std::array<std::unique_ptr<const BertCharacters>, 16> tables;
  const bool strip = options.strip_accents.value_or(options.lowercase);
  const unsigned number = (options.clean_text ? 1u : 0u) | (options.handle_chinese_chars ? 2u : 0u) |
                          (strip ? 4u : 0u) | (options.lowercase ? 8u : 0u);
  const std::scoped_lock lock(mutex);
  if (tables[number] == nullptr) tables[number].reset(new BertCharacters(options));
  return *tables[number];
}

const BertCharacters& BertCharacters::get_without_normalizer() { return get(nothing_normalized()); }

BertCharacters::BertCharacters(const normalizer::Bert& options)
    : options_(options),
      strip_accents_(options.strip_accents.value_or(options.lowercase)),
      lowercase_(options.lowercase) {
  blocks_.assign(block_size, Entry(in_word, as_it_is, 0));
  blocks_.insert(blocks_.end(), block_size, Entry(alone, as_it_is, 0));
  blocks_.insert(blocks_.end(), block_size, Entry(in_word, 0, 0));
  for (uint32_t block = 0; block < block_count; ++block) fill_block(block);
  for (uint32_t code = 0; code < 0x80; ++code) {
    const Entry entry = of(code);
    const auto bit = static_cast<uint8_t>(1u << (code >> 4));
    if (entry.kind() == space) ascii_.space[code & 15] |= bit;
    if (entry.kind() == alone) ascii_.alone[code & 15] |= bit;
    if (entry.kind() == in_word && entry.length() == 0) ascii_.dropped[code & 15] |= bit;
  }
}

/// Most blocks are one of the three that all have in common.
void BertCharacters::fill_block(uint32_t block) {
  constexpr uint32_t plain = 0;
  constexpr uint32_t chinese = block_size;
  constexpr uint32_t dropped = 2 * block_size;
  const uint32_t first = block << block_bits;
  const hugging_face::Alike alike = hugging_face::what_is_alike(first, first + block_mask);
  if (alike == hugging_face::Alike::no) {
    index_[block] = static_cast<uint32_t>(blocks_.size());
    for (uint32_t i = 0; i < block_size; ++i) blocks_.push_back(entry_of(first + i));
  } else if (alike == hugging_face::Alike::control && options_.clean_text) {
    index_[block] = dropped;
  } else {
    const bool spaced = alike == hugging_face::Alike::chinese && options_.handle_chinese_chars;
    index_[block] = spaced ? chinese : plain;
  }
}

BertCharacters::Entry BertCharacters::entry_of(uint32_t code) {
  if (hugging_face::what_is_alike(code, code) == hugging_face::Alike::plain) return {in_word, as_it_is, 0};
  const char32_t one[] = {code};
  const std::vector<Spelled> out = normalize({one, 1});
  const auto has_class = [](const Spelled& s) { return combining_class(s.code) != 0; };
  if (strip_accents_ && std::any_of(out.begin(), out.end(), has_class)) return {marked, 0, 0};
  if (out.empty()) return {in_word, 0, 0};
  const Kind kind = out[0].kind;
  const auto same_kind = [&](const Spelled& s) { return s.kind == kind && (kind == in_word || out.size() == 1); };
  if (std::all_of(out.begin(), out.end(), same_kind)) {
    if (out.size() == 1 && out[0].code == code) return {kind, as_it_is, 0};
    std::string utf8;
    for (const Spelled& s : out) append_utf8(s.code, utf8);
    uint32_t bytes = 0;
    for (size_t i = 0; i < utf8.size() && i < 3; ++i) bytes |= uint32_t{static_cast<uint8_t>(utf8[i])} << (8 * i);
    if (utf8.size() <= 3) return {kind, static_cast<uint32_t>(utf8.size()), bytes};
  }
  const auto where = static_cast<uint32_t>(spellings_.size());
  spellings_.insert(spellings_.end(), out.begin(), out.end());
  return {spelled, static_cast<uint32_t>(out.size()), where};
}

bool BertCharacters::clean(std::string_view text, std::string& cleaned) const {
  cleaned.clear();
  if (!options_.clean_text) return false;
  const auto drops = [](const Utf8Char& c) { return c.valid && hugging_face::is_control(c.code); };
  for (size_t i = 0; i < text.size();) {
    const Utf8Char c = decode_utf8(text, i);
    if (!drops(c)) cleaned.append(text, i, c.length);
    i += c.length;
  }
  for (size_t i = 0; i < cleaned.size();) {
    const Utf8Char c = decode_utf8(cleaned, i);
    if (drops(c)) return false;
    i += c.length;
  }
  return cleaned.size() < text.size();
}

std::vector<BertCharacters::Spelled> BertCharacters::normalize(std::u32string_view text) const {
  std::u32string cleaned;
  for (const char32_t code : text) {
    if (!options_.clean_text || !hugging_face::is_control(code)) cleaned += code;
  }
  const bool chinese = options_.handle_chinese_chars && cleaned.size() == 1 && hugging_face::is_chinese(cleaned[0]);
  if (strip_accents_) cleaned = hugging_face::decompose(cleaned);
  std::u32string out;
  for (const char32_t code : cleaned) {
    if (strip_accents_ && hugging_face::is_nonspacing_mark(code)) continue;
    if (lowercase_) {
      append_lowercase(code, out);
    } else {
      out += code;
    }
  }
  std::vector<Spelled> spelling;
  spelling.reserve(out.size());
  for (const char32_t code : out) spelling.push_back({chinese ? alone : kind_of(code), code});
  return spelling;
}

bool BertCharacters::continues_marks(uint32_t code) const {
  if (options_.clean_text && hugging_face::is_control(code)) return true;
  std::u32string parts;
  append_decomposition(code, parts);
  return combining_class(parts[0]) != 0;
}

}  // namespace sesame
