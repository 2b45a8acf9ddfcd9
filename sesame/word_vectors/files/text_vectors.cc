#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>
#include <vector>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/base/thread_pool.h"
#include "sesame/word_vectors/files/decimal_float.h"
#include "sesame/word_vectors/files/formats.h"
#include "sesame/word_vectors/files/vector_collector.h"

namespace sesame {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string_view without_end(std::string_view line) {
  while (!line.empty() && (is_blank(line.back()) || line.back() == '\r')) line.remove_suffix(1);
  return line;
}

bool is_number(std::string_view text) {
  float value = 0;
  return parse_float(text.data(), text.data() + text.size(), value) == text.data() + text.size() && !text.empty();
}

/// What is between the last space and the end.
std::string_view last_field(std::string_view text) { return text.substr(text.find_last_of(' ') + 1); }

/// One row of a text file. Lines of several fields before the `dim` numbers are words with spaces in them.
struct TextRow {
  std::string_view word;
  std::string problem;  // empty where the row is good
};

/// Reads numbers, each with blanks before it, to the end of the text; how many, at most `dim` of which are stored.
/// Stops at what is no number.
int64_t parse_numbers(std::string_view text, int64_t dim, float* row, const char*& stop) {
  const char* p = text.data();
  const char* const end = p + text.size();
  int64_t count = 0;
  stop = p;
  while (count < dim) {
    while (p < end && is_blank(*p)) ++p;
    if (p == end) break;
    float value = 0;
    const char* const after = parse_float(p, end, value);
    if (after == nullptr || (after < end && !is_blank(*after))) break;
    row[count++] = value;
    stop = p = after;
  }
  return count;
}

std::string describe_bad_number(int64_t index, const char* at, const char* end) {
  while (at < end && is_blank(*at)) ++at;
  const char* stop = std::find_if(at, end, is_blank);
  const std::string_view text(at, static_cast<size_t>(std::min<ptrdiff_t>(stop - at, 40)));
  return fmt::format("value {} is \"{}\", not a number", index + 1, text);
}

/// The place where the last `dim` fields begin, each with a space before it, or npos.
size_t start_of_last_fields(std::string_view line, int64_t dim) {
  size_t place = line.size();
  for (int64_t i = 0; i < dim; ++i) {
    if (place == 0) return std::string_view::npos;
    place = line.find_last_of(' ', place - 1);
    if (place == std::string_view::npos) return place;
  }
  return place;
}

TextRow parse_spaced_row(std::string_view line, int64_t dim, float* row) {
  const size_t place = start_of_last_fields(line, dim);
  if (place == std::string_view::npos) return {};
  TextRow result{line.substr(0, place), {}};
  const char* stop = nullptr;
  if (result.word.empty() || is_number(last_field(result.word))) return {};
  if (parse_numbers(line.substr(place), dim, row, stop) != dim || stop != line.data() + line.size()) return {};
  return result;
}

TextRow parse_row(std::string_view line, int64_t dim, float* row) {
  const size_t space = line.find(' ');
  TextRow result{line.substr(0, space), {}};
  const std::string_view rest = space == std::string_view::npos ? std::string_view() : line.substr(space);
  const char* stop = nullptr;
  const int64_t count = parse_numbers(rest, dim, row, stop);
  const char* const end = rest.data() + rest.size();
  if (count != dim || stop != end || result.word.empty()) {
    if (TextRow spaced = parse_spaced_row(line, dim, row); !spaced.word.empty())
      result = spaced;
    else if (result.word.empty())
      result.problem = "the row begins with a space, so that its word is empty";
    else if (count < dim && stop == end)
      result.problem = fmt::format("{} values, expected {}", count, dim);
    else if (count < dim)
      result.problem = describe_bad_number(count, stop, end);
    else
      result.problem = fmt::format("more than {} values", dim);
  }
  if (result.problem.empty()) {
    if (const int64_t bad = first_not_finite(row, dim); bad >= 0)
      result.problem = fmt::format("value {} is {}", bad + 1, row[bad]);
    else if (result.word.size() > kMaxWordBytes)
      result.problem = fmt::format("a word of {} bytes; the longest may have {}", result.word.size(), kMaxWordBytes);
  }
  return result;
}

/// Values in the first row of a file that does not say how many there are: the numbers at its end, and one field that
/// is the word.
int64_t dim_of_first_row(const std::string& file, std::string_view line) {
  line = without_end(line);
  int64_t count = 0;
  while (true) {
    const size_t space = line.find_last_of(' ');
    if (space == std::string_view::npos || space == 0 || !is_number(line.substr(space + 1))) break;
    ++count;
    line = line.substr(0, space);
  }
  if (count == 0 || count > kMaxFileDim) {
    fail(
        fmt::format("{}:1: expected a word and its values, or a header \"words dimensions\"; this is no file of word "
                    "vectors that Sesame knows",
                    file));
  }
  return count;
}

/// Reads lines of text in blocks, whose rows are parsed on all threads.
class TextReader {
 public:
  TextReader(VectorInput& input, bool header, int64_t max_words)
      : input_(input), header_(header), most_(max_words > 0 ? max_words : std::numeric_limits<int64_t>::max()) {}

  WordVectors read(VectorFileSummary& summary) {
    VectorCollector rows = begin();
    while (!done_) read_block(rows);
    check_count(rows);
    summary.duplicate_words = rows.duplicates();
    return std::move(rows).finish();
  }

 private:
  VectorCollector begin() {
    if (header_) {
      const VectorHeader header = read_vector_header(input_, [](int64_t dim) { return 2 * dim + 2; });
      dim_ = header.dim;
      declared_ = header.words;
      line_ = 1;
      return VectorCollector(dim_, std::min(rows_to_expect(input_, header), most_));
    }
    const std::string_view first = peek_line();
    dim_ = dim_of_first_row(input_.name(), first);
    const int64_t guess =
        input_.remaining()
            ? static_cast<int64_t>(std::min<uint64_t>(*input_.remaining() / (first.size() + 1) * 5 / 4, 1u << 30))
            : 0;
    return VectorCollector(dim_, std::min(guess + 1024, most_));
  }

  /// The longest line that there may be: no more is held in memory.
  [[nodiscard]] size_t longest_line() const {
    return kMaxWordBytes + 64 * static_cast<size_t>(dim_ > 0 ? dim_ : kMaxFileDim);
  }

  /// The bytes up to the end of the last line that is in the window, or of the file; sets `at_end_`.
  std::string_view peek_lines() {
    for (size_t wanted = VectorInput::kWindow;; wanted *= 2) {
      const std::string_view window = input_.peek(wanted);
      at_end_ = window.size() < wanted;
      if (at_end_) return window;
      if (const size_t end = window.find_last_of('\n'); end != std::string_view::npos) return window.substr(0, end + 1);
      if (wanted > longest_line()) {
        fail(fmt::format("{}:{}: no line break within {} bytes; this is no text file of vectors", input_.name(),
                         line_ + 1, wanted));
      }
    }
  }

  /// The next line without its end.
  std::string_view peek_line() {
    const std::string_view lines = peek_lines();
    return lines.substr(0, lines.find('\n'));
  }

  void read_block(VectorCollector& rows) {
    const std::string_view block = peek_lines();
    const size_t bytes = split(block, rows);
    parse(rows);
    for (size_t i = 0; i < lines_.size(); ++i) {
      if (!parsed_[i].problem.empty()) refuse(i);
      rows.keep(parsed_[i].word, static_cast<int64_t>(i));
    }
    seen_ += static_cast<int64_t>(lines_.size());
    input_.skip(bytes);
    done_ = rows.size() >= most_ || (at_end_ && bytes == block.size());
  }

  /// Takes as many lines as are still wanted; the bytes taken.
  size_t split(std::string_view block, VectorCollector& rows) {
    lines_.clear();
    first_line_ = line_ + 1;
    size_t begin = 0;
    while (begin < block.size() && rows.size() + static_cast<int64_t>(lines_.size()) < most_) {
      const size_t end = std::min(block.find('\n', begin), block.size());
      ++line_;
      add_line(without_end(block.substr(begin, end - begin)));
      begin = std::min(end + 1, block.size());
    }
    rows.start_block(static_cast<int64_t>(lines_.size()));
    return begin;
  }

  void add_line(std::string_view line) {
    if (line.empty()) {
      if (empty_line_ == 0) empty_line_ = line_;
      return;
    }
    if (empty_line_ != 0) fail(fmt::format("{}:{}: the line is empty, expected a row", input_.name(), empty_line_));
    if (declared_ > 0 && seen_ + static_cast<int64_t>(lines_.size()) == declared_) {
      fail(fmt::format("{}:{}: the header says {} words, but there are more rows", input_.name(), line_, declared_));
    }
    lines_.push_back(line);
  }

  void parse(VectorCollector& rows) {
    parsed_.resize(lines_.size());
    constexpr int64_t kRows = 16;
    const auto count = static_cast<int64_t>(lines_.size());
    const auto parse_some = [&](int64_t block, int) {
      for (int64_t i = block * kRows; i < std::min(count, (block + 1) * kRows); ++i)
        parsed_[static_cast<size_t>(i)] = parse_row(lines_[static_cast<size_t>(i)], dim_, rows.block_row(i));
    };
    const int64_t blocks = (count + kRows - 1) / kRows;
    if (at_end_ && !threads_) {  // a small file: threads would take longer to start
      for (int64_t block = 0; block < blocks; ++block) parse_some(block, 0);
      return;
    }
    if (!threads_) threads_.emplace();
    threads_->run(blocks, parse_some);
  }

  [[noreturn]] void refuse(size_t i) const {
    fail(fmt::format("{}:{}: the row of {}: {}", input_.name(), first_line_ + static_cast<int64_t>(i),
                     shown_word(parsed_[i].word), parsed_[i].problem));
  }

  void check_count(const VectorCollector& rows) const {
    if (rows.size() == 0) fail(fmt::format("{}: no word vectors in this file", input_.name()));
    if (rows.size() < most_ && seen_ < declared_) {
      fail(fmt::format("{}: the header says {} words, but the file ends after {}", input_.name(), declared_, seen_));
    }
  }

  VectorInput& input_;
  bool header_;
  int64_t most_;
  int64_t dim_ = 0;
  int64_t declared_ = 0;    // words by the header; 0: no header
  int64_t line_ = 0;        // read so far
  int64_t first_line_ = 1;  // of the block
  int64_t empty_line_ = 0;  // the first one
  int64_t seen_ = 0;        // rows before the block
  bool at_end_ = false;
  bool done_ = false;
  std::vector<std::string_view> lines_;  // of the block
  std::vector<TextRow> parsed_;
  std::optional<ThreadPool> threads_;
};

void append_row(std::string& text, std::string_view word, const float* row, int64_t dim) {
  text += word;
  for (int64_t d = 0; d < dim; ++d) {
    text += ' ';
    append_float(text, row[d]);
  }
  text += '\n';
}

void check_word(const std::filesystem::path& path, std::string_view word, bool header) {
  const bool line_break = word.find('\n') != std::string_view::npos;
  const bool space = word.find(' ') != std::string_view::npos;
  if (word.size() > kMaxWordBytes || line_break || (space && header)) {
    fail(fmt::format("{}: the word {} can't be written: {}; safetensors holds every word", path.string(),
                     shown_word(word),
                     line_break ? "it has a line break in it"
                     : space    ? "it has a space in it, which only GloVe's format allows"
                                : "it is too long"));
  }
  if (space && (word.ends_with(' ') || is_number(last_field(word)))) {
    fail(
        fmt::format("{}: the word {} can't be written: what is behind its space would be read as a value; safetensors "
                    "holds every word",
                    path.string(), shown_word(word)));
  }
}

}  // namespace

WordVectors read_text_vectors(VectorInput& input, bool header, int64_t max_words, VectorFileSummary& summary) {
  return TextReader(input, header, max_words).read(summary);
}

void write_text_vectors(const std::filesystem::path& path, const VectorParts& parts, bool header) {
  const int64_t words = parts.vocabulary->size();
  const int64_t dim = parts.rows->dim;
  for (int32_t id = 0; id < words; ++id) check_word(path, parts.vocabulary->word(id), header);
  const int64_t rows_a_piece = std::max<int64_t>(1, (int64_t{1} << 18) / (12 * dim + 16));
  const int64_t pieces = (words + rows_a_piece - 1) / rows_a_piece;
  ThreadPool threads(pieces > 1 ? 0 : 1);
  std::vector<std::string> texts(static_cast<size_t>(std::min<int64_t>(pieces, 4 * int64_t{threads.threads()})));
  write_file_atomically(path, [&](FileWriter& out) {
    if (header) out.write(fmt::format("{} {}\n", words, dim));
    for (int64_t first = 0; first < pieces; first += static_cast<int64_t>(texts.size())) {
      const int64_t count = std::min<int64_t>(pieces - first, static_cast<int64_t>(texts.size()));
      threads.run(count, [&](int64_t piece, int) {
        std::string& text = texts[static_cast<size_t>(piece)];
        text.clear();
        const int64_t begin = (first + piece) * rows_a_piece;
        for (int64_t id = begin; id < std::min(words, begin + rows_a_piece); ++id)
          append_row(text, parts.vocabulary->word(static_cast<int32_t>(id)), parts.rows->row(id), dim);
      });
      for (int64_t piece = 0; piece < count; ++piece) out.write(texts[static_cast<size_t>(piece)]);
    }
  });
}

}  // namespace sesame
