#include "sesame/word_vectors/words/word_source.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <utility>

#include "sesame/base/error.h"

namespace sesame {
namespace {

constexpr size_t kLongestWord = size_t{1} << 20;

/// Documents of text files need no boundaries of their own: a line break, which all of them have, ends a sentence.
CorpusOptions reader_options(const WordSourceOptions& options) {
  CorpusOptions corpus = options.corpus;
  corpus.boundary = DocumentBoundary::file;
  corpus.piece_bytes = options.block_bytes;
  return corpus;
}

uint64_t bytes_of(const std::vector<CorpusFile>& files) {
  uint64_t bytes = 0;
  for (const CorpusFile& file : files) {
    if (!file.regular) return 0;
    bytes += file.bytes;
  }
  return bytes;
}

bool is_continuation(char byte) { return (static_cast<uint8_t>(byte) & 0xC0u) == 0x80; }

/// Behind the last line break at or behind `from`, or 0.
size_t behind_line_break(std::string_view text, size_t from) {
  const void* found = ::memrchr(text.data() + from, '\n', text.size() - from);
  return found == nullptr ? 0 : static_cast<size_t>(static_cast<const char*>(found) - text.data()) + 1;
}

/// The last space or tab at or behind `from`, or 0.
size_t last_space(std::string_view text, size_t from) {
  const size_t found = text.substr(from).find_last_of(" \t");
  return found == std::string_view::npos ? 0 : from + found;
}

/// Where to cut a text without white space: between two characters, of three bytes or more (CJK) if there are such in
/// the last few.
size_t between_characters(std::string_view text) {
  constexpr size_t kLooksBack = 256;
  size_t any = 0;
  for (size_t cut = text.size() - 1; cut > 1 && text.size() - cut < kLooksBack; --cut) {
    if (is_continuation(text[cut])) continue;
    if (static_cast<uint8_t>(text[cut]) >= 0xE3 && is_continuation(text[cut - 1])) return cut;
    if (any == 0) any = cut;
  }
  return any == 0 ? text.size() - 1 : any;
}

}  // namespace

struct TextBlocks::State {
  explicit State(const WordSourceOptions& options)
      : reader(options.sources, reader_options(options)),
        block_bytes(options.block_bytes),
        stored_bytes(bytes_of(reader.files())) {}

  DocumentReader reader;
  size_t block_bytes;
  uint64_t stored_bytes;
  std::mutex mutex;
  std::string rest;             // behind the last block
  bool inside_line = false;     // behind words of a line
  bool document_ended = false;  // with what has been read
  bool finished = false;
  int64_t blocks = 0;
  std::atomic<uint64_t> bytes = 0;

  /// Reads until `text` can be cut: its size, if it ends a document, else the size of the block at its front. 0 at the
  /// end of the corpus.
  size_t fill(std::string& text) {
    size_t searched = 0;
    for (;;) {
      if (text.size() >= block_bytes) {
        if (const size_t cut = find_cut(text, searched)) return cut;
        searched = text.size();
      }
      const std::optional<DocumentPiece> piece = reader.next();
      if (!piece) {
        finished = true;
        return text.size();
      }
      if (document_ended && !text.empty() && !text.ends_with('\n')) text += '\n';
      text += piece->text;
      document_ended = piece->last;
      if (document_ended && text.size() * 2 >= block_bytes) return text.size();
    }
  }

  [[nodiscard]] static size_t find_cut(std::string_view text, size_t searched) {
    if (const size_t cut = behind_line_break(text, searched)) return cut;
    if (const size_t cut = last_space(text, searched)) return cut;
    return text.size() > kLongestWord ? between_characters(text) : 0;
  }

  bool next(TextBlock& block) {
    if (finished && rest.empty()) return false;
    block.text.swap(rest);
    rest.clear();
    const size_t cut = fill(block.text);
    if (cut == 0) return false;
    rest.assign(block.text, cut);
    block.text.resize(cut);
    block.index = blocks++;
    block.continues = inside_line;
    block.ends_sentence = rest.empty() || block.text.ends_with('\n');
    inside_line = !block.ends_sentence && (inside_line || block.text.find_first_not_of(" \t\r") != std::string::npos);
    bytes.fetch_add(cut, std::memory_order_relaxed);
    return true;
  }
};

TextBlocks::TextBlocks(const WordSourceOptions& options) {
  if (options.block_bytes == 0) fail_usage("block_bytes: 0, expected at least 1");
  state_ = std::make_unique<State>(options);
}

TextBlocks::~TextBlocks() = default;

bool TextBlocks::next(TextBlock& block) {
  State& state = *state_;
  const std::lock_guard lock(state.mutex);
  try {
    return state.next(block);
  } catch (...) {
    state.finished = true;
    state.rest.clear();
    throw;
  }
}

void TextBlocks::stop() {
  State& state = *state_;
  const std::lock_guard lock(state.mutex);
  state.finished = true;
  state.rest.clear();
}

uint64_t TextBlocks::bytes() const noexcept { return state_->bytes.load(std::memory_order_relaxed); }
uint64_t TextBlocks::stored_bytes() const noexcept { return state_->stored_bytes; }
const CorpusCounts& TextBlocks::counts() const { return state_->reader.counts(); }

}  // namespace sesame
