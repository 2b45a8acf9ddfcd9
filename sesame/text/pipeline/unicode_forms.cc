#include "sesame/text/pipeline/unicode_forms.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>

#include "sesame/text/unicode/hugging_face_categories.h"
#include "sesame/text/unicode/property_table.h"

namespace sesame {
namespace {

/// Compatibility decompositions of Unicode versions after 9.
constexpr std::pair<uint32_t, uint32_t> newer_compatibles[] = {
    {0x32FF, 0x32FF},   {0xA7F2, 0xA7F4},   {0xAB69, 0xAB69},   {0x10781, 0x107BA},
    {0x1E030, 0x1E06D}, {0x1F16C, 0x1F16C}, {0x1FBF0, 0x1FBF9},
};

void append_compatible(uint32_t code, std::u32string& out) {
  const auto holds = [&](const auto& range) { return code >= range.first && code <= range.second; };
  if (code < 0xA0 || std::any_of(std::begin(newer_compatibles), std::end(newer_compatibles), holds)) {
    out += static_cast<char32_t>(code);
    return;
  }
  if (utf8proc_get_property(static_cast<utf8proc_int32_t>(code))->decomp_type == 0) {
    std::u32string canonical;
    hugging_face::append_decomposition(code, canonical);
    if (canonical.size() == 1 && canonical[0] == code) {
      out += canonical;
    } else {
      for (const char32_t part : canonical) append_compatible(part, out);
    }
    return;
  }
  std::array<utf8proc_int32_t, 32> parts{};
  int boundary = 0;
  const auto count = utf8proc_decompose_char(
      static_cast<utf8proc_int32_t>(code), parts.data(), parts.size(),
      static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT), &boundary);
  for (utf8proc_ssize_t i = 0; i < count; ++i) out += static_cast<char32_t>(parts[static_cast<size_t>(i)]);
}

std::u32string decomposed(uint32_t code, bool compatible) {
  std::u32string out;
  if (compatible) {
    append_compatible(code, out);
  } else {
    hugging_face::append_decomposition(code, out);
  }
  return out;
}

constexpr uint32_t hangul_first = 0xAC00;
constexpr uint32_t hangul_count = 11172;
constexpr uint32_t lead_first = 0x1100;
constexpr uint32_t vowel_first = 0x1161;
constexpr uint32_t tail_first = 0x11A7;  // one before the first tail
constexpr uint32_t leads = 19;
constexpr uint32_t vowels = 21;
constexpr uint32_t tails = 28;

/// What two characters compose to, and which characters a form may change.
class Forms {
 public:
  static const Forms& get() {
    static const Forms forms;
    return forms;
  }

  /// Whether a form may change the character or what stands before it. Such a character never begins a stretch that is
  /// like itself; all others do.
  [[nodiscard]] bool may_change(uint32_t code, UnicodeForm form) const noexcept {
    return (table_.of(code) >> static_cast<unsigned>(form) & 1) != 0;
  }

  /// The primary composite of two characters, 0 where there is none.
  [[nodiscard]] uint32_t compose(uint32_t first, uint32_t second) const noexcept {
    if (first - lead_first < leads && second - vowel_first < vowels) {
      return hangul_first + ((first - lead_first) * vowels + (second - vowel_first)) * tails;
    }
    if (first - hangul_first < hangul_count && (first - hangul_first) % tails == 0 && second > tail_first &&
        second - tail_first < tails) {
      return first + (second - tail_first);
    }
    const uint64_t pair = static_cast<uint64_t>(first) << 32 | second;
    const auto found = std::lower_bound(pairs_.begin(), pairs_.end(), std::pair<uint64_t, uint32_t>{pair, 0});
    return found != pairs_.end() && found->first == pair ? found->second : 0;
  }

 private:
  Forms();
  void add_compositions(const std::vector<uint32_t>& candidates);

  std::vector<std::pair<uint64_t, uint32_t>> pairs_;  // sorted
  PropertyTable table_;
};

/// A composite is made of the character before its last one, composed, and the last one.
void Forms::add_compositions(const std::vector<uint32_t>& candidates) {
  std::vector<std::pair<std::u32string, uint32_t>> composites;  // by decomposition
  for (const uint32_t code : candidates) {
    if (code - hangul_first < hangul_count) continue;
    if (utf8proc_get_property(static_cast<utf8proc_int32_t>(code))->comp_exclusion) continue;
    std::u32string parts = decomposed(code, false);
    // Nor does one compose whose decomposition begins with a mark: U+0344, U+0F73, U+0F75, U+0F81.
    const auto first = static_cast<utf8proc_int32_t>(parts[0]);
    if (utf8proc_get_property(first)->combining_class != 0) continue;
    if (parts.size() > 1) composites.emplace_back(std::move(parts), code);
  }
  std::sort(composites.begin(), composites.end());
  for (const auto& [parts, code] : composites) {
    const std::u32string before = parts.substr(0, parts.size() - 1);
    uint32_t first = before[0];
    if (before.size() > 1) {
      const auto found = std::lower_bound(composites.begin(), composites.end(), std::pair{before, uint32_t{0}});
      if (found == composites.end() || found->first != before) continue;
      first = found->second;
    }
    pairs_.emplace_back(static_cast<uint64_t>(first) << 32 | parts.back(), code);
  }
  std::sort(pairs_.begin(), pairs_.end());
}

Forms::Forms() {
  std::vector<uint32_t> candidates;
  for (uint32_t code = 0; code < PropertyTable::code_points; ++code) {
    const auto* property = utf8proc_get_property(static_cast<utf8proc_int32_t>(code));
    const bool hangul = code - hangul_first < hangul_count;
    if (property->combining_class != 0 || property->decomp_seqindex != UINT16_MAX || hangul) candidates.push_back(code);
  }
  add_compositions(candidates);
  std::vector<uint32_t> seconds;
  for (const auto& [pair, composite] : pairs_) seconds.push_back(static_cast<uint32_t>(pair));
  for (uint32_t i = 0; i < vowels; ++i) seconds.push_back(vowel_first + i);
  for (uint32_t i = 1; i < tails; ++i) seconds.push_back(tail_first + i);
  std::sort(seconds.begin(), seconds.end());
  candidates.insert(candidates.end(), seconds.begin(), seconds.end());
  std::sort(candidates.begin(), candidates.end());
  candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
  for (const uint32_t code : candidates) {
    const std::u32string self(1, static_cast<char32_t>(code));
    const std::u32string canonical = decomposed(code, false);
    const bool moves = hugging_face::combining_class(code) != 0;
    const bool decomposes = canonical != self;
    const bool compatible = decomposed(code, true) != canonical;
    uint32_t composed = canonical[0];
    for (size_t i = 1; i < canonical.size(); ++i) composed = composed == 0 ? 0 : compose(composed, canonical[i]);
    const bool second = std::binary_search(seconds.begin(), seconds.end(), code);
    const bool nfc = moves || second || composed != code;
    const auto bit = [](UnicodeForm form, bool set) { return set ? 1u << static_cast<unsigned>(form) : 0u; };
    const unsigned bits = bit(UnicodeForm::nfc, nfc) | bit(UnicodeForm::nfkc, nfc || compatible) |
                          bit(UnicodeForm::nfd, moves || decomposes) |
                          bit(UnicodeForm::nfkd, moves || decomposes || compatible);
    table_.set(code, code, static_cast<uint8_t>(bits));
  }
}

/// Marks in the order of their combining classes, those of one class as they were.
void order_marks(std::vector<CharChange>& text) {
  const auto class_of = [](const CharChange& c) { return hugging_face::combining_class(c.code); };
  for (size_t begin = 0; begin < text.size(); ++begin) {
    if (class_of(text[begin]) == 0) continue;
    size_t end = begin + 1;
    while (end < text.size() && class_of(text[end]) != 0) ++end;
    std::stable_sort(text.begin() + static_cast<ptrdiff_t>(begin), text.begin() + static_cast<ptrdiff_t>(end),
                     [&](const CharChange& a, const CharChange& b) { return class_of(a) < class_of(b); });
    begin = end - 1;
  }
}

/// Composes characters with the last starter where nothing between them blocks it.
void compose(std::vector<CharChange>& text) {
  constexpr size_t none = SIZE_MAX;
  const Forms& forms = Forms::get();
  size_t starter = none;
  int last_class = -1;  // of the last mark that stays behind the starter; -1: none does
  size_t size = 0;
  for (const CharChange c : text) {
    const int own_class = hugging_face::combining_class(c.code);
    if (starter != none && last_class < own_class) {
      if (const uint32_t composite = forms.compose(text[starter].code, c.code)) {
        text[starter] = {composite, text[starter].change + c.change - 1};
        continue;
      }
    }
    if (own_class == 0) {
      starter = size;
      last_class = -1;
    } else if (starter != none) {
      last_class = own_class;
    }
    text[size++] = c;
  }
  text.resize(size);
}

}  // namespace

namespace {

size_t skip_ascii(std::string_view text, size_t from) {
  constexpr uint64_t high_bits = 0x8080808080808080;
  for (; from + sizeof(uint64_t) <= text.size(); from += sizeof(uint64_t)) {
    uint64_t bytes = 0;
    std::memcpy(&bytes, text.data() + from, sizeof bytes);
    if ((bytes & high_bits) != 0) break;
  }
  while (from < text.size() && static_cast<uint8_t>(text[from]) < 0x80) ++from;
  return from;
}

}  // namespace

Stretched next_changing(std::string_view text, size_t from, UnicodeForm form) {
  const Forms& forms = Forms::get();
  size_t before = from;  // the last character that does not change, or where the text begins
  for (size_t i = from; i < text.size();) {
    const size_t ascii_end = skip_ascii(text, i);
    if (ascii_end > i) before = ascii_end - 1;
    i = ascii_end;
    if (i == text.size()) break;
    const Utf8Char c = decode_utf8(text, i);
    if (!c.valid || !forms.may_change(c.code, form)) {
      before = c.valid ? i : i + 1;
      i += c.length;
      continue;
    }
    size_t end = i + c.length;
    while (end < text.size() && static_cast<uint8_t>(text[end]) >= 0x80) {
      const Utf8Char next = decode_utf8(text, end);
      if (!next.valid || !forms.may_change(next.code, form)) break;
      end += next.length;
    }
    return {before, end};
  }
  return {text.size(), text.size()};
}

void change_to_form(std::string_view stretch, UnicodeForm form, std::vector<CharChange>& changed) {
  const bool compatible = form == UnicodeForm::nfkc || form == UnicodeForm::nfkd;
  changed.clear();
  std::u32string parts;
  for (size_t i = 0; i < stretch.size();) {
    const Utf8Char c = decode_utf8(stretch, i);
    i += c.length;
    parts.clear();
    if (compatible) {
      append_compatible(c.code, parts);
    } else {
      hugging_face::append_decomposition(c.code, parts);
    }
    for (size_t k = 0; k < parts.size(); ++k) changed.push_back({parts[k], k == 0 ? 0 : 1});
  }
  order_marks(changed);
  if (form == UnicodeForm::nfc || form == UnicodeForm::nfkc) compose(changed);
}

std::optional<std::string> to_unicode_form(std::string_view text, UnicodeForm form) {
  Stretched stretch = next_changing(text, 0, form);
  if (stretch.begin == text.size()) return std::nullopt;
  std::string out;
  out.reserve(text.size());
  std::vector<CharChange> changed;
  size_t done = 0;
  for (; stretch.begin < text.size(); stretch = next_changing(text, stretch.end, form)) {
    out.append(text.substr(done, stretch.begin - done));
    change_to_form(text.substr(stretch.begin, stretch.end - stretch.begin), form, changed);
    for (const CharChange& c : changed) append_utf8(c.code, out);
    done = stretch.end;
  }
  return out.append(text.substr(done));
}

}  // namespace sesame
