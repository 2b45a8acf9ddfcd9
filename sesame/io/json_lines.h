#pragma once

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "sesame/base/file.h"

namespace sesame {

/// One JSON object on one line, its keys in the order they were added. Floats are written with the fewest digits that
/// read back as the same value of their own type; NaN and infinities, which JSON lacks, become null.
class JsonRecord {
 public:
  template <std::integral T>
  JsonRecord& add(std::string_view key, T value) {
    if constexpr (std::same_as<T, bool>)
      return add_literal(key, value ? "true" : "false");
    else
      return add_integer(key, static_cast<int64_t>(value));
  }
  JsonRecord& add(std::string_view key, float value);
  JsonRecord& add(std::string_view key, double value);
  /// Bytes that are not UTF-8 are written as U+FFFD.
  JsonRecord& add(std::string_view key, std::string_view value);
  JsonRecord& add(std::string_view key, const char* value) { return add(key, std::string_view(value)); }
  JsonRecord& add(std::string_view key, const std::string& value) { return add(key, std::string_view(value)); }

  /// {"step":3,"loss":1.5} without a line break.
  [[nodiscard]] std::string line() const { return "{" + fields_ + "}"; }

 private:
  JsonRecord& add_literal(std::string_view key, std::string_view literal);
  JsonRecord& add_integer(std::string_view key, int64_t value);

  std::string fields_;
};

/// Appends records to a file, one a line, each flushed when it is written.
class JsonLinesWriter {
 public:
  /// Opens for appending; creates the file where needed. `echo`: print each record on standard output as well.
  explicit JsonLinesWriter(const std::filesystem::path& path, bool echo = false,
                           FileSystem& files = FileSystem::posix());

  /// Throws Error when the record can't be written.
  void write(const JsonRecord& record);

 private:
  FileWriter out_;
  bool echo_;
};

/// Drops every record whose integer "step" is greater than `step`, and a half-written last line, so that a resumed run
/// goes on as if it had never gone past its checkpoint. The rest stays byte for byte; the file is replaced atomically
/// and only when something changes. A missing file is fine. Throws Error with file:line for a broken line before the
/// last.
void truncate_after_step(const std::filesystem::path& path, int64_t step, FileSystem& files = FileSystem::posix());

}  // namespace sesame
