#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/base/thread_pool.h"
#include "sesame/word_vectors/files/formats.h"
#include "sesame/word_vectors/files/vector_collector.h"

namespace sesame {
namespace {

/// Reads rows in blocks, which all threads copy: a word, a space, `dim` float32, and mostly a line break.
class BinaryReader {
 public:
  BinaryReader(VectorInput& input, int64_t max_words)
      : input_(input), header_(read_vector_header(input, [](int64_t dim) { return 4 * dim + 2; })) {
    row_bytes_ = static_cast<size_t>(header_.dim) * sizeof(float);
    most_ = max_words > 0 ? max_words : header_.words;
  }

  WordVectors read(VectorFileSummary& summary) {
    VectorCollector rows(header_.dim, std::min(rows_to_expect(input_, header_), most_));
    while (seen_ < header_.words && rows.size() < most_) read_block(rows);
    if (seen_ == header_.words) check_end();
    summary.duplicate_words = rows.duplicates();
    return std::move(rows).finish();
  }

 private:
  struct Row {
    std::string_view word;
    const char* values = nullptr;
    int64_t bad = -1;  // the first value that is no number
  };

  void read_block(VectorCollector& rows) {
    const size_t bytes = find_rows(std::min(header_.words - seen_, most_ - rows.size()));
    rows.start_block(static_cast<int64_t>(rows_.size()));
    copy(rows);
    for (size_t i = 0; i < rows_.size(); ++i) {
      const Row& row = rows_[i];
      if (row.bad >= 0) {
        fail(fmt::format("{}: row {}, the word {}: value {} is {}", input_.name(), seen_ + static_cast<int64_t>(i) + 1,
                         shown_word(row.word), row.bad + 1, rows.block_row(static_cast<int64_t>(i))[row.bad]));
      }
      rows.keep(row.word, static_cast<int64_t>(i));
    }
    seen_ += static_cast<int64_t>(rows_.size());
    input_.skip(bytes);
  }

  /// Finds the whole rows in the window, at least one and at most `most`; the bytes that they take.
  size_t find_rows(int64_t most) {
    rows_.clear();
    for (size_t wanted = VectorInput::kWindow;; wanted *= 2) {
      const std::string_view window = input_.peek(wanted);
      size_t begin = 0;
      while (static_cast<int64_t>(rows_.size()) < most) {
        const size_t size = add_row(window.substr(begin));
        if (size == 0) break;
        begin += size;
      }
      if (!rows_.empty()) return begin;
      if (window.size() < wanted) {
        fail(
            fmt::format("{}: the header says {} words, but the file ends in row {}; it is truncated, or the header "
                        "wrong",
                        input_.name(), header_.words, seen_ + 1));
      }
      check_word_ends(window);
    }
  }

  /// Adds the row at the start of `text`; the bytes that it takes, or 0 where it is not there in whole.
  size_t add_row(std::string_view text) {
    const size_t line_break = text.starts_with('\n') ? 1 : 0;  // of the row before
    const size_t space = text.find(' ', line_break);
    if (space == std::string_view::npos || text.size() - space - 1 < row_bytes_) return 0;
    const std::string_view word = text.substr(line_break, space - line_break);
    if (word.empty() || word.size() > kMaxWordBytes) refuse_word(word);
    rows_.push_back({word, text.data() + space + 1, -1});
    return space + 1 + row_bytes_;
  }

  void check_word_ends(std::string_view window) const {
    if (window.substr(0, kMaxWordBytes + 2).find(' ') == std::string_view::npos) refuse_word(window);
  }

  [[noreturn]] void refuse_word(std::string_view word) const {
    fail(fmt::format("{}: row {} {}; the file is damaged, or the dimensions in its header are wrong", input_.name(),
                     seen_ + static_cast<int64_t>(rows_.size()) + 1,
                     word.empty() ? "has an empty word" : fmt::format("has no space within {} bytes", kMaxWordBytes)));
  }

  void copy(VectorCollector& rows) {
    constexpr int64_t kRows = 64;
    const auto count = static_cast<int64_t>(rows_.size());
    const auto copy_some = [&](int64_t block, int) {
      for (int64_t i = block * kRows; i < std::min(count, (block + 1) * kRows); ++i) {
        Row& row = rows_[static_cast<size_t>(i)];
        std::memcpy(rows.block_row(i), row.values, row_bytes_);
        row.bad = first_not_finite(rows.block_row(i), header_.dim);
      }
    };
    const int64_t blocks = (count + kRows - 1) / kRows;
    const bool small = static_cast<size_t>(count) * row_bytes_ < VectorInput::kWindow / 2;
    if (small && !threads_) {
      for (int64_t block = 0; block < blocks; ++block) copy_some(block, 0);
      return;
    }
    if (!threads_) threads_.emplace();
    threads_->run(blocks, copy_some);
  }

  void check_end() {
    std::string_view rest = input_.peek(2);
    if (rest.starts_with('\n')) rest.remove_prefix(1);
    if (!rest.empty()) {
      fail(
          fmt::format("{}: the header says {} words, but there are bytes behind the last one, at byte {}; the header "
                      "is wrong",
                      input_.name(), header_.words, input_.offset()));
    }
  }

  VectorInput& input_;
  VectorHeader header_;
  size_t row_bytes_ = 0;
  int64_t most_ = 0;
  int64_t seen_ = 0;  // rows before the block
  std::vector<Row> rows_;
  std::optional<ThreadPool> threads_;
};

}  // namespace

WordVectors read_binary_vectors(VectorInput& input, int64_t max_words, VectorFileSummary& summary) {
  return BinaryReader(input, max_words).read(summary);
}

void write_binary_vectors(const std::filesystem::path& path, const VectorParts& parts) {
  const int32_t words = parts.vocabulary->size();
  const auto dim = static_cast<size_t>(parts.rows->dim);
  for (int32_t id = 0; id < words; ++id) {
    const std::string_view word = parts.vocabulary->word(id);
    if (word.size() <= kMaxWordBytes && word.find_first_of(" \n") == std::string_view::npos) continue;
    fail(fmt::format("{}: the word {} can't be written: it {}; safetensors holds every word", path.string(),
                     shown_word(word),
                     word.size() > kMaxWordBytes ? "is too long" : "has a space or line break in it"));
  }
  write_file_atomically(path, [&](FileWriter& out) {
    out.write(fmt::format("{} {}\n", words, dim));
    for (int32_t id = 0; id < words; ++id) {
      out.write(parts.vocabulary->word(id));
      out.write(" ");
      out.write(std::as_bytes(std::span(parts.rows->row(id), dim)));
      out.write("\n");
    }
  });
}

}  // namespace sesame
