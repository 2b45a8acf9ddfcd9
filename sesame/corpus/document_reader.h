#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/corpus/source.h"

namespace sesame {

enum class CorpusFormat {
  automatic,  // by name: *.jsonl, *.ndjson (also before .gz or .zst) are jsonl, all else is text
  text,
  jsonl,
};

/// Where one document of a text file ends and the next begins.
enum class DocumentBoundary { file, line, blank_line };

struct CorpusOptions {
  CorpusFormat format = CorpusFormat::automatic;
  DocumentBoundary boundary = DocumentBoundary::file;  // of text files
  std::string text_field = "text";                     // of jsonl
  size_t piece_bytes = size_t{256} << 10;              // longer documents of text files come in pieces of at most this
};

/// "auto", "txt" or "text", "jsonl". Throws usage Error that names `key` for anything else.
CorpusFormat parse_corpus_format(std::string_view text, std::string_view key);
/// "file", "line", "blank-line". Throws usage Error that names `key` for anything else.
DocumentBoundary parse_document_boundary(std::string_view text, std::string_view key);

/// A document or, of one longer than piece_bytes, a piece of it.
struct DocumentPiece {
  std::string_view text;  // valid until the next call of next()
  bool first = true;      // begins a document
  bool last = true;       // ends a document
  uint64_t line = 0;      // 1-based line of the source at which the piece begins
};

/// What a reader has seen so far.
struct CorpusCounts {
  uint64_t documents = 0;
  uint64_t bytes = 0;                        // of text handed out
  uint64_t bad_lines = 0;                    // jsonl lines that were skipped
  std::vector<std::string> first_bad_lines;  // "file:line: reason", at most 10
};

/// Streams the documents of a corpus in order, in bounded memory (one piece, or one line of jsonl).
///
/// 1. Text is handed out byte for byte, line breaks included; DocumentBoundary::line leaves out the line break and
/// skips
///    empty lines, blank_line leaves out the blank lines between documents. A UTF-8 byte order mark is dropped.
/// 2. A piece ends after a line break, where possible one that is followed by a letter or digit, since no tokenizer
/// joins those;
///    in a line longer than piece_bytes, between two UTF-8 characters.
/// 3. A jsonl line that is no object, has no string `text_field`, or is no JSON is counted and skipped. When a file has
/// no good line
///    at all, that is an Error with the first bad lines.
/// 4. Binary input (a NUL byte, or more than a tenth of the first 64 KiB not UTF-8) and a corpus without any text are
/// an Error.
///    Single invalid bytes elsewhere are handed on: byte-level tokenizers keep them.
class DocumentReader {
 public:
  DocumentReader(const std::vector<std::string>& sources, CorpusOptions options);
  DocumentReader(std::vector<CorpusFile> files, CorpusOptions options);
  ~DocumentReader();
  DocumentReader(DocumentReader&&) noexcept;

  /// The next piece, or nothing at the end of the corpus.
  std::optional<DocumentPiece> next();

  [[nodiscard]] const CorpusCounts& counts() const;
  [[nodiscard]] const std::vector<CorpusFile>& files() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sesame
