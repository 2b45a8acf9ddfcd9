#include <fmt/format.h>
#include <utf8proc.h>

#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>

#include "sesame/base/error.h"
#include "sesame/text/unicode/unicode.h"
#include "sesame/word_vectors/words/find_breaks.h"
#include "sesame/word_vectors/words/word_source.h"

namespace sesame {
namespace {

/// Gathers spans and hands them on in batches.
class SpanBatch {
 public:
  SpanBatch(std::string_view text, const TextBlock& block, WordSplitter::Ends ends, WordSplitter::Batch batch)
      : text_(text),
        batch_(batch),
        all_lines_(ends == WordSplitter::Ends::lines),
        inside_sentence_(block.continues || all_lines_) {}

  /// A word of size 0 is none.
  void add_word(size_t begin, size_t end) {
    spans_[count_] = {static_cast<uint32_t>(begin), static_cast<uint32_t>(end - begin)};
    count_ += end != begin;
    if (count_ == kSize) flush();
  }

  void add_end(size_t position) {
    if (count_ == sentence_begin_ && !inside_sentence_) return;
    spans_[count_++] = {static_cast<uint32_t>(position), 0};
    sentence_begin_ = count_;
    inside_sentence_ = all_lines_;
    if (count_ == kSize) flush();
  }

  void flush() {
    if (count_ == 0) return;
    batch_(text_, {spans_.data(), count_});
    inside_sentence_ |= count_ > sentence_begin_;
    sentence_begin_ = count_ = 0;
  }

 private:
  static constexpr size_t kSize = 1024;
  std::string_view text_;
  WordSplitter::Batch batch_;
  bool all_lines_;
  bool inside_sentence_;  // an end is due even without words since sentence_begin_
  size_t count_ = 0;
  size_t sentence_begin_ = 0;  // in spans_
  std::array<WordSpan, kSize> spans_;
};

void split_at_white_space(std::string_view text, SpanBatch& spans) {
  constexpr size_t kTile = 4096;  // bytes
  std::array<uint64_t, kTile / 64 + 8> breaks;
  size_t begin = 0;
  for (size_t tile = 0; tile < text.size(); tile += kTile) {
    const size_t size = std::min(kTile, text.size() - tile);
    find_breaks(text.data() + tile, size, breaks.data());
    for (size_t i = 0; i * 64 < size; ++i) {
      for (uint64_t left = breaks[i]; left != 0; left &= left - 1) {
        const size_t position = tile + i * 64 + static_cast<size_t>(std::countr_zero(left));
        spans.add_word(begin, position);
        if (text[position] == '\n') spans.add_end(position);
        begin = position + 1;
      }
    }
  }
  spans.add_word(begin, text.size());
}

/// Han characters: the blocks of the unified ideographs and their extensions, and of the compatibility ideographs.
bool is_cjk(uint32_t code) {
  return (code >= 0x4E00 && code <= 0x9FFF) || (code >= 0x3400 && code <= 0x4DBF) || code == 0x3007 ||
         (code >= 0xF900 && code <= 0xFAFF) || (code >= 0x20000 && code <= 0x323AF);
}

void split_into_characters(std::string_view text, SpanBatch& spans) {
  const CharClasses& classes = CharClasses::get();
  size_t run = 0;  // begin of the letters that stand together
  size_t position = 0;
  while (position < text.size()) {
    const Utf8Char c = decode_utf8(text, position);
    const uint8_t bits = c.valid ? classes.of(c.code) : uint8_t{0};
    const size_t end = position + c.length;
    const bool cjk = c.valid && is_cjk(c.code);
    if (cjk || (bits & (char_word | char_number)) == 0) {
      spans.add_word(run, position);
      if (cjk || (bits & char_space) == 0) spans.add_word(position, end);
      if (text[position] == '\n') spans.add_end(position);
      run = end;
    }
    position = end;
  }
  spans.add_word(run, text.size());
}

void strip_carriage_returns(std::string_view text, std::string& out) {
  out.clear();
  while (true) {
    const size_t end = std::min(text.find('\r'), text.size());
    out.append(text.substr(0, end));
    if (end == text.size()) return;
    text.remove_prefix(end + 1);
  }
}

void lower_case(std::string_view text, std::string& out) {
  out.resize(text.size() + text.size() / 2 + 1);  // no lower case has more than 3 bytes for 2
  size_t to = 0;
  for (size_t from = 0; from < text.size();) {
    const size_t ascii = lower_ascii(text.data() + from, text.size() - from, out.data() + to);
    from += ascii;
    to += ascii;
    while (from < text.size() && static_cast<uint8_t>(text[from]) >= 0x80) {
      const Utf8Char c = decode_utf8(text, from);
      if (c.valid) {
        auto* const bytes = reinterpret_cast<utf8proc_uint8_t*>(out.data() + to);
        to += static_cast<size_t>(utf8proc_encode_char(utf8proc_tolower(static_cast<utf8proc_int32_t>(c.code)), bytes));
      } else {
        out[to++] = text[from];
      }
      from += c.length;
    }
  }
  out.resize(to);
}

}  // namespace

struct WordSplitter::State {
  WordUnit unit;
  bool lower;
  std::optional<Tokenizer> tokenizer;
  std::string stripped;  // texts that stand for the block's own
  std::string lowered;
  std::string pieces;
  std::vector<int32_t> ids;

  /// The block's text as it is to be split.
  std::string_view prepare(std::string_view text) {
    if (unit == WordUnit::whitespace && text.find('\r') != std::string_view::npos) {
      strip_carriage_returns(text, stripped);
      text = stripped;
    }
    if (lower) {
      lower_case(text, lowered);
      text = lowered;
    }
    return text;
  }

  /// Writes the pieces of a line into `pieces`, each followed by a space.
  void tokenize(std::string_view line) {
    while (line.ends_with('\r')) line.remove_suffix(1);
    ids.clear();
    tokenizer->encode_append(line, {}, ids);
    for (const int32_t id : ids) {
      const std::string_view piece = tokenizer->token(id);
      if (piece.find_first_not_of(" \t\r\n") == std::string_view::npos) continue;
      for (const char c : piece) pieces += c == ' ' || c == '\t' || c == '\n' ? '_' : c;
      pieces += ' ';
    }
  }

  /// The pieces of all lines, as white space separates them.
  std::string_view tokenize_lines(std::string_view text) {
    pieces.clear();
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = std::min(text.find('\n', begin), text.size());
      if (end > begin) tokenize(text.substr(begin, end - begin));
      if (end < text.size()) pieces += '\n';
      begin = end + 1;
    }
    return pieces;
  }
};

WordSplitter::WordSplitter(const WordSourceOptions& options) : state_(std::make_unique<State>()) {
  if (options.unit == WordUnit::tokenizer && !options.tokenizer) fail_usage("words of a tokenizer need a tokenizer");
  state_->unit = options.unit;
  state_->lower = options.lower_case;
  state_->tokenizer = options.tokenizer;
}

WordSplitter::~WordSplitter() = default;

void WordSplitter::split_spans(const TextBlock& block, Batch batch, Ends ends) {
  State& state = *state_;
  if (block.text.size() > std::numeric_limits<uint32_t>::max() / 8) {
    fail(fmt::format("a block of {} bytes of text is too much to be split at once", block.text.size()));
  }
  std::string_view text = state.prepare(block.text);
  if (state.unit == WordUnit::tokenizer) text = state.tokenize_lines(text);
  SpanBatch spans(text, block, ends, batch);
  if (state.unit == WordUnit::character) {
    split_into_characters(text, spans);
  } else {
    split_at_white_space(text, spans);
  }
  if (block.ends_sentence && !block.text.ends_with('\n')) spans.add_end(text.size());
  spans.flush();
}

void WordSplitter::split(const TextBlock& block, FunctionRef<void(std::string_view)> word,
                         FunctionRef<void()> sentence_end) {
  split_spans(block, [&](std::string_view text, std::span<const WordSpan> words) {
    for (const WordSpan& span : words) {
      if (span.size == 0) {
        sentence_end();
      } else {
        word(text.substr(span.begin, span.size));
      }
    }
  });
}

}  // namespace sesame
