#include "sesame/corpus/scan_window.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sesame/base/error.h"
#include "sesame/corpus/text_boundary.h"

namespace sesame {
namespace {

constexpr size_t kReadBytes = size_t{256} << 10;
constexpr size_t kProbeBytes = size_t{64} << 10;

}  // namespace

ScanWindow::ScanWindow(std::unique_ptr<ByteReader> source) : source_(std::move(source)) {}

void ScanWindow::fill(size_t bytes) {
  if (!started_) bytes = std::max(bytes, kProbeBytes);
  while (!at_end_ && end_ - begin_ < bytes) {
    if (begin_ > 0) {
      std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
                buffer_.begin() + static_cast<std::ptrdiff_t>(end_), buffer_.begin());
      end_ -= std::exchange(begin_, 0);
    }
    // Growing by half keeps the cost of one very long line linear.
    const size_t room = std::max(kReadBytes, end_ / 2);
    if (buffer_.size() < end_ + room + kPadding) buffer_.resize(end_ + room + kPadding);
    const size_t n = source_->read(std::span(buffer_).subspan(end_, room));
    check_new_bytes(std::string_view(buffer_).substr(end_, n));
    at_end_ = n == 0;
    end_ += n;
    position_ += n;
  }
  if (!std::exchange(started_, true)) check_start();
}

void ScanWindow::consume(size_t bytes) {
  const std::string_view gone = view().substr(0, bytes);
  line_ += static_cast<uint64_t>(std::count(gone.begin(), gone.end(), '\n'));
  begin_ += gone.size();
}

void ScanWindow::check_new_bytes(std::string_view bytes) const {
  const size_t nul = bytes.find('\0');
  if (nul == std::string_view::npos) return;
  const std::string_view start = end_ == 0 ? bytes : view();
  const bool utf16 = start.starts_with("\xFF\xFE") || start.starts_with("\xFE\xFF");
  fail(fmt::format("{}: a NUL byte at offset {}: this is {}, expected UTF-8 text{}", name(), position_ + nul,
                   utf16 ? "UTF-16" : "binary data", utf16 ? "; convert it: iconv -f UTF-16 -t UTF-8" : ""));
}

void ScanWindow::check_start() {
  const std::string_view probe = view().substr(0, kProbeBytes);
  const size_t invalid = count_invalid_utf8(probe);
  if (invalid * 10 > probe.size()) {
    fail(
        fmt::format("{}: {} of the first {} bytes are not UTF-8: binary data or another encoding, expected UTF-8 text; "
                    "convert it, for example: iconv -f ISO-8859-1 -t UTF-8",
                    name(), invalid, probe.size()));
  }
  if (probe.starts_with("\xEF\xBB\xBF")) begin_ += 3;
}

}  // namespace sesame
