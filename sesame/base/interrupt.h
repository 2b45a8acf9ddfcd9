#pragma once

namespace sesame {

/// While one of these lives, the first SIGINT or SIGTERM only sets a flag that long work looks at between steps; the
/// second one ends the process at once with status 130. The former handlers come back at the end. One at a time in a
/// process.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  /// True from the first signal on. May be asked from any thread.
  [[nodiscard]] static bool interrupted() noexcept;
};

}  // namespace sesame
