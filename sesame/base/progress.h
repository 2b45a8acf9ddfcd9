#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace sesame {

/// How progress is shown; by default found out from the stream and the environment.
struct ProgressStyle {
  bool terminal = false;  // redraw one line in place; else print a plain line now and then
  bool color = false;
  int width = 80;  // columns of the terminal
  std::chrono::milliseconds interval{100};

  /// A terminal is redrawn up to ten times a second; a log gets a line at most every five seconds. No colour where
  /// NO_COLOR is set (no-color.org) or TERM is "dumb".
  static ProgressStyle of(std::FILE* stream);
};

/// Shows on stderr how far a long job is: `train  [#####-----]  50%  1000/2000  loss 2.31, 15.2k tokens/s`.
/// Not for use from several threads at once.
class Progress {
 public:
  /// `total` 0: the end is not known, and no bar is drawn.
  Progress(std::string title, uint64_t total);
  Progress(std::string title, uint64_t total, std::FILE* stream, ProgressStyle style);
  /// Ends the line where it stands, without a word on success.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// True when the next update would be shown: lets the caller spare the work of formatting.
  [[nodiscard]] bool due() const;
  /// `fields` is shown as it is, cut to the terminal's width. Drawn only when due, and always when `done` reaches the
  /// total.
  void update(uint64_t done, std::string_view fields);
  /// Prints a line above the bar (a warning, an evaluation) and draws the bar again below.
  void line(std::string_view text);
  /// Clears the bar, or leaves the last one standing.
  enum class End { keep, clear };
  void finish(End end = End::keep);

 private:
  void draw();

  std::string title_;
  uint64_t total_;
  std::FILE* stream_;
  ProgressStyle style_;
  uint64_t done_ = 0;
  std::string fields_;
  std::chrono::steady_clock::time_point next_draw_;
  bool on_screen_ = false;
  bool finished_ = false;
};

}  // namespace sesame
