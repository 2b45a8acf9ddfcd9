#include "sesame/base/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace sesame {
namespace {

constexpr int kBarWidth = 24;
constexpr std::string_view kClearLine = "\r\x1b[K";

/// The longest prefix of at most `columns` characters, counting UTF-8 sequences as one column each and cutting none.
std::string_view fit(std::string_view text, int columns) {
  int used = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool starts_character = (static_cast<unsigned char>(text[i]) & 0xC0) != 0x80;
    if (starts_character && ++used > columns) return text.substr(0, i);
  }
  return text;
}

}  // namespace

ProgressStyle ProgressStyle::of(std::FILE* stream) {
  ProgressStyle style;
  const char* terminal_name = std::getenv("TERM");
  const bool dumb = terminal_name && std::string_view(terminal_name) == "dumb";
  const int descriptor = ::fileno(stream);
  style.terminal = !dumb && ::isatty(descriptor) == 1;
  const char* no_color = std::getenv("NO_COLOR");
  style.color = style.terminal && !(no_color && *no_color);
  winsize size = {};
  if (style.terminal && ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) style.width = size.ws_col;
  style.interval = style.terminal ? std::chrono::milliseconds(100) : std::chrono::milliseconds(5000);
  return style;
}

Progress::Progress(std::string title, uint64_t total)
    : Progress(std::move(title), total, stderr, ProgressStyle::of(stderr)) {}

Progress::Progress(std::string title, uint64_t total, std::FILE* stream, ProgressStyle style)
    : title_(std::move(title)), total_(total), stream_(stream), style_(style) {}

Progress::~Progress() { finish(); }

bool Progress::due() const { return !finished_ && std::chrono::steady_clock::now() >= next_draw_; }

void Progress::update(uint64_t done, std::string_view fields) {
  done_ = done;
  fields_ = fields;
  if (due() || (total_ > 0 && done >= total_ && !finished_)) draw();
}

void Progress::draw() {
  next_draw_ = std::chrono::steady_clock::now() + style_.interval;
  const double share = total_ > 0 ? std::min(1.0, static_cast<double>(done_) / static_cast<double>(total_)) : 0;
  const std::string count = total_ > 0 ? fmt::format("{}/{}", done_, total_) : fmt::format("{}", done_);
  if (!style_.terminal) {
    const std::string percent = total_ > 0 ? fmt::format("  {:.0f}%", 100 * share) : std::string();
    fmt::print(stream_, "{}{}  {}  {}\n", title_, percent, count, fields_);
    std::fflush(stream_);
    return;
  }
  std::string head = title_ + "  ";
  std::string bar;
  if (total_ > 0) {
    const int filled = static_cast<int>(share * kBarWidth);
    bar = fmt::format("[{:#<{}}{:-<{}}]", "", filled, "", kBarWidth - filled);
    head += fmt::format("{} {:3.0f}%  ", bar, 100 * share);
  }
  const std::string text = fmt::format("{}{}  {}", head, count, fields_);
  // One column is left free: a full line makes some terminals wrap.
  std::string shown(fit(text, style_.width - 1));
  if (style_.color && !bar.empty()) {
    if (const size_t at = shown.find(bar); at != std::string::npos) {
      shown.replace(at, bar.size(), fmt::format("\x1b[32m{}\x1b[0m", bar));
    }
  }
  fmt::print(stream_, "{}{}", kClearLine, shown);
  std::fflush(stream_);
  on_screen_ = true;
}

void Progress::line(std::string_view text) {
  if (on_screen_) fmt::print(stream_, "{}", kClearLine);
  fmt::print(stream_, "{}\n", text);
  std::fflush(stream_);
  if (on_screen_ && !finished_) draw();
}

void Progress::finish(End end) {
  if (finished_) return;
  finished_ = true;
  if (!on_screen_) return;
  fmt::print(stream_, "{}", end == End::clear ? kClearLine : std::string_view("\n"));
  std::fflush(stream_);
  on_screen_ = false;
}

}  // namespace sesame
