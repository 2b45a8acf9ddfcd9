#pragma once

#include <stdexcept>
#include <string>

namespace sesame {

/// What the process returns for an error: the user called us wrongly (usage), or the work could not be done (failure).
enum class ExitStatus { ok = 0, failure = 1, usage = 2 };

/// The one exception type that leaves Sesame. The message says what was wrong, where (file, line, key, tensor), what
/// was expected, and what to do about it; it is shown to the user as it is.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message, ExitStatus status = ExitStatus::failure)
      : std::runtime_error(message), status_(status) {}

  [[nodiscard]] ExitStatus status() const noexcept { return status_; }

 private:
  ExitStatus status_;
};

/// Throws Error with exit status 1. Build the message with fmt::format at the call site.
[[noreturn]] void fail(const std::string& message);

/// Throws Error with exit status 2: a wrong flag, key or value that the user can mend on the command line or in a
/// recipe.
[[noreturn]] void fail_usage(const std::string& message);

}  // namespace sesame
