#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sesame {

/// Text on its way through normalizer and pre-tokenizer comes in two kinds, and the stages are written once for both: a
/// view to read and cut, an edit to make the changed text from it.
///
/// - Plain: all that is known is how many of its first bytes come from the first character of the input, because some
///   pre-tokenizers prepend a space there only.
/// - Aligned: every byte knows the bytes of the input that it comes from.
///
/// An edit reads its source from left to right:
///     keep(n)      the next n bytes as they are
///     put(c, n)    the character c instead of the next n bytes; it stands where the first of them stands
///     insert(c)    the character c in addition; it stands where the byte before stands
///     skip(n)      the next n bytes are dropped

struct PlainText {
  std::string text;
  size_t origin = 0;  // how many bytes come from the first character of the input
};

struct PlainView {
  std::string_view text;
  size_t origin = 0;

  PlainView(std::string_view bytes, size_t from_start) : text(bytes), origin(from_start) {}
  PlainView(const PlainText& plain) : text(plain.text), origin(plain.origin) {}  // NOLINT: a view of it

  [[nodiscard]] bool at_start() const noexcept { return origin > 0; }
  [[nodiscard]] PlainView slice(size_t begin, size_t end) const {
    return {text.substr(begin, end - begin), origin > begin ? std::min(origin - begin, end - begin) : 0};
  }
};

class PlainEdit {
 public:
  using Text = PlainText;

  explicit PlainEdit(PlainView source) : source_(source) { out_.text.reserve(source.text.size() + 8); }

  [[nodiscard]] size_t position() const noexcept { return position_; }
  [[nodiscard]] size_t written() const noexcept { return out_.text.size(); }
  void keep(size_t bytes) {
    out_.text.append(source_.text, position_, bytes);
    if (position_ < source_.origin) out_.origin += std::min(bytes, source_.origin - position_);
    position_ += bytes;
  }
  void keep_rest() { keep(source_.text.size() - position_); }
  void put(std::string_view character, size_t replaced) {
    if (position_ < source_.origin) out_.origin += character.size();
    out_.text += character;
    position_ += replaced;
  }
  void insert(std::string_view character) {
    if (position_ == 0 ? source_.at_start() : position_ - 1 < source_.origin) out_.origin += character.size();
    out_.text += character;
  }
  void skip(size_t bytes) noexcept { position_ += bytes; }
  [[nodiscard]] PlainText take() { return std::move(out_); }

 private:
  PlainView source_;
  PlainText out_;
  size_t position_ = 0;
};

/// Bytes [begin, end) of the input.
struct ByteSpan {
  uint32_t begin;
  uint32_t end;
};

struct AlignedText {
  std::string text;
  std::vector<ByteSpan> spans;  // of each byte
  uint32_t base = 0;            // where in the input the text begins
};

struct AlignedView {
  std::string_view text;
  const ByteSpan* spans;
  uint32_t base;

  AlignedView(std::string_view bytes, const ByteSpan* where, uint32_t begin) : text(bytes), spans(where), base(begin) {}
  AlignedView(const AlignedText& aligned)  // NOLINT: a view of it
      : text(aligned.text), spans(aligned.spans.data()), base(aligned.base) {}

  [[nodiscard]] bool at_start() const noexcept { return base == 0; }
  [[nodiscard]] AlignedView slice(size_t begin, size_t end) const {
    return {text.substr(begin, end - begin), spans + begin, begin < end ? spans[begin].begin : base};
  }
};

class AlignedEdit {
 public:
  using Text = AlignedText;

  explicit AlignedEdit(AlignedView source) : source_(source) {
    out_.base = source.base;
    out_.text.reserve(source.text.size() + 8);
    out_.spans.reserve(source.text.size() + 8);
  }

  [[nodiscard]] size_t position() const noexcept { return position_; }
  [[nodiscard]] size_t written() const noexcept { return out_.text.size(); }
  void keep(size_t bytes) {
    out_.text.append(source_.text, position_, bytes);
    out_.spans.insert(out_.spans.end(), source_.spans + position_, source_.spans + position_ + bytes);
    position_ += bytes;
  }
  void keep_rest() { keep(source_.text.size() - position_); }
  void put(std::string_view character, size_t replaced) {
    add(character, source_.spans[std::min(position_, source_.text.size() - 1)]);
    position_ += replaced;
  }
  void insert(std::string_view character) {
    add(character, position_ == 0 ? ByteSpan{source_.base, source_.base} : source_.spans[position_ - 1]);
  }
  void skip(size_t bytes) noexcept { position_ += bytes; }
  [[nodiscard]] AlignedText take() { return std::move(out_); }

 private:
  void add(std::string_view character, ByteSpan span) {
    out_.text += character;
    out_.spans.insert(out_.spans.end(), character.size(), span);
  }

  AlignedView source_;
  AlignedText out_;
  size_t position_ = 0;
};

inline PlainEdit edit_of(PlainView source) { return PlainEdit(source); }
inline AlignedEdit edit_of(AlignedView source) { return AlignedEdit(source); }

/// A text as it is given, every character aligned with itself. Throws Error for a text of 4 GiB or more. Bytes that are
/// not UTF-8 are characters of their own. `begin`: where the text begins in the input.
AlignedText align(std::string_view text, size_t begin);

/// The view of a text whose first character is the first of the input, or is not.
PlainView plain_view(std::string_view text, bool at_start);

}  // namespace sesame
