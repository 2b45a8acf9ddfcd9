#include "sesame/corpus/document_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sesame/base/error.h"
#include "sesame/corpus/jsonl_text.h"
#include "sesame/corpus/scan_window.h"
#include "sesame/corpus/text_boundary.h"
#include "sesame/io/byte_stream.h"

namespace sesame {
namespace {

constexpr size_t kMaxShownBadLines = 10;
constexpr size_t kMaxJsonLineBytes = size_t{1} << 30;

bool is_jsonl(const CorpusFile& file, CorpusFormat format) {
  if (format != CorpusFormat::automatic) return format == CorpusFormat::jsonl;
  std::string_view name = file.path;
  for (const std::string_view compression : {".gz", ".zst"}) {
    if (name.ends_with(compression)) name.remove_suffix(compression.size());
  }
  return name.ends_with(".jsonl") || name.ends_with(".ndjson");
}

/// A document, or the front of one, at the start of a window.
struct Found {
  size_t text = 0;     // bytes of text
  size_t consume = 0;  // bytes up to where to go on
  bool last = true;
};

/// Bytes of line breaks at the front.
size_t empty_lines(std::string_view view) {
  size_t end = 0;
  while (end < view.size()) {
    const size_t line_break = view[end] == '\r' ? 1 : 0;
    if (end + line_break >= view.size() || view[end + line_break] != '\n') break;
    end += line_break + 1;
  }
  return end;
}

std::optional<Found> find_line_end(std::string_view view, size_t limit) {
  const size_t line_break = view.substr(0, limit + 2).find('\n');
  if (line_break == std::string_view::npos) return std::nullopt;
  const size_t text = line_break > 0 && view[line_break - 1] == '\r' ? line_break - 1 : line_break;
  if (text > limit) return std::nullopt;
  return Found{text, line_break + 1, true};
}

std::optional<Found> find_blank_line(std::string_view view, size_t limit) {
  for (size_t at = 0;; ++at) {
    at = view.substr(0, limit).find('\n', at);
    if (at == std::string_view::npos) return std::nullopt;
    if (empty_lines(view.substr(at + 1, 2)) > 0) return Found{at + 1, at + 1, true};
  }
}

}  // namespace

CorpusFormat parse_corpus_format(std::string_view text, std::string_view key) {
  if (text == "auto") return CorpusFormat::automatic;
  if (text == "txt" || text == "text") return CorpusFormat::text;
  if (text == "jsonl") return CorpusFormat::jsonl;
  fail_usage(fmt::format("{}: '{}' is no corpus format, expected one of: auto, text, jsonl", key, text));
}

DocumentBoundary parse_document_boundary(std::string_view text, std::string_view key) {
  if (text == "file") return DocumentBoundary::file;
  if (text == "line") return DocumentBoundary::line;
  if (text == "blank-line") return DocumentBoundary::blank_line;
  fail_usage(fmt::format("{}: '{}' is no document boundary, expected one of: file, line, blank-line", key, text));
}

struct DocumentReader::State {
  std::vector<CorpusFile> files;
  CorpusOptions options;
  CorpusCounts counts;

  size_t next_file = 0;
  std::optional<ScanWindow> window;
  bool jsonl = false;
  bool inside_document = false;

  JsonlText parser;
  std::string_view rest;  // of the document of a jsonl line
  uint64_t document_line = 0;
  uint64_t good_lines_of_file = 0;
  uint64_t bad_lines_of_file = 0;
  std::string first_bad_line_of_file;

  void open_next() {
    const CorpusFile& file = files[next_file++];
    window.emplace(open_bytes(file.path));
    jsonl = is_jsonl(file, options.format);
    good_lines_of_file = bad_lines_of_file = 0;
  }

  void close() {
    if (good_lines_of_file == 0 && bad_lines_of_file > 0) {
      fail(fmt::format("{}: none of its {} lines is usable; {}; expected one JSON object a line with a string \"{}\"",
                       window->name(), bad_lines_of_file, first_bad_line_of_file, options.text_field));
    }
    window.reset();
  }

  DocumentPiece hand_out(std::string_view text, bool last, uint64_t line) {
    const bool first = !std::exchange(inside_document, !last);
    counts.documents += first;
    counts.bytes += text.size();
    return {text, first, last, line};
  }

  /// The next piece of the open text file, or nothing at its end.
  std::optional<DocumentPiece> next_text() {
    const size_t limit = options.piece_bytes;
    window->fill(limit + 3);
    while (!inside_document && options.boundary != DocumentBoundary::file) {
      const size_t skipped = empty_lines(window->view());
      window->consume(skipped);
      if (skipped == 0) break;
      window->fill(limit + 3);
    }
    const std::string_view view = window->view();
    if (view.empty()) return std::nullopt;
    const Found found = find_text(view, limit);
    const uint64_t line = window->line();
    window->consume(found.consume);
    return hand_out(view.substr(0, found.text), found.last, line);
  }

  [[nodiscard]] Found find_text(std::string_view view, size_t limit) const {
    std::optional<Found> found;
    if (options.boundary == DocumentBoundary::line) found = find_line_end(view, limit);
    if (options.boundary == DocumentBoundary::blank_line) found = find_blank_line(view, limit);
    if (found) return *found;
    if (view.size() <= limit) return {view.size(), view.size(), true};
    const size_t end = piece_end(view, limit);
    return {end, end, false};
  }

  /// The next piece of the open jsonl file, or nothing at its end.
  std::optional<DocumentPiece> next_jsonl() {
    while (rest.empty()) {
      const std::optional<std::string_view> line = next_line();
      if (!line) return std::nullopt;
      if (empty_lines(*line) == line->size() || *line == "\r") continue;
      std::string reason;
      const std::optional<std::string_view> text = parser.extract(*line, options.text_field, reason);
      if (text) {
        ++good_lines_of_file;
        rest = *text;
      } else {
        note_bad_line(reason);
      }
    }
    const bool last = rest.size() <= options.piece_bytes;
    const size_t end = last ? rest.size() : piece_end(rest, options.piece_bytes);
    const std::string_view text = rest.substr(0, end);
    rest.remove_prefix(end);
    return hand_out(text, last, document_line);
  }

  std::optional<std::string_view> next_line() {
    size_t searched = 0;
    while (true) {
      const std::string_view view = window->view();
      const size_t line_break = view.find('\n', searched);
      if (line_break == std::string_view::npos && !window->at_end()) {
        searched = view.size();
        if (searched > kMaxJsonLineBytes) {
          fail(fmt::format("{}:{}: a line of more than {} bytes; is this really jsonl?", window->name(), window->line(),
                           kMaxJsonLineBytes));
        }
        window->fill(view.size() + 1);
        continue;
      }
      if (view.empty()) return std::nullopt;
      const size_t end = std::min(line_break, view.size());
      document_line = window->line();
      window->consume(std::min(end + 1, view.size()));
      return view.substr(0, end);
    }
  }

  void note_bad_line(const std::string& reason) {
    const std::string where = fmt::format("{}:{}: {}", window->name(), document_line, reason);
    if (bad_lines_of_file++ == 0) first_bad_line_of_file = where;
    if (counts.bad_lines++ < kMaxShownBadLines) counts.first_bad_lines.push_back(where);
  }
};

DocumentReader::DocumentReader(const std::vector<std::string>& sources, CorpusOptions options)
    : DocumentReader(expand_sources(sources), std::move(options)) {}

DocumentReader::DocumentReader(std::vector<CorpusFile> files, CorpusOptions options)
    : state_(std::make_unique<State>()) {
  if (options.piece_bytes == 0) fail_usage("piece_bytes: 0, expected at least 1");
  state_->files = std::move(files);
  state_->options = std::move(options);
}

DocumentReader::~DocumentReader() = default;
DocumentReader::DocumentReader(DocumentReader&&) noexcept = default;

std::optional<DocumentPiece> DocumentReader::next() {
  State& state = *state_;
  while (true) {
    if (!state.window) {
      if (state.next_file == state.files.size()) break;
      state.open_next();
    }
    if (auto piece = state.jsonl ? state.next_jsonl() : state.next_text()) return piece;
    state.close();
  }
  if (state.counts.bytes == 0) {
    fail(fmt::format("{}: the corpus is empty: no text in {} file{}",
                     state.files.empty() ? "corpus" : state.files.front().path, state.files.size(),
                     state.files.size() == 1 ? "" : "s"));
  }
  return std::nullopt;
}

const CorpusCounts& DocumentReader::counts() const { return state_->counts; }
const std::vector<CorpusFile>& DocumentReader::files() const { return state_->files; }

}  // namespace sesame
