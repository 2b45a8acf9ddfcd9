#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/base/function_ref.h"

namespace sesame::fuzz {

/// A parser of foreign bytes under test. One file defines one target, at namespace scope:
///
///   const Target target("manifest", parse, seeds);
///
/// `parse` reads one input and, where that succeeds, uses the result a little. sesame::Error is the only exception that
/// may leave it; it aborts (see `require`) where a parsed value does not behave.
class Target {
 public:
  using Parse = void (*)(std::string_view input);
  using Seeds = std::vector<std::string> (*)();

  Target(std::string_view name, Parse parse, Seeds make_seeds);

  [[nodiscard]] std::string_view name() const { return name_; }
  [[nodiscard]] std::vector<std::string> seeds() const { return seeds_(); }

  /// Parses one input; an Error is a fine answer. Returns its message, or "" for an input that was accepted.
  [[nodiscard]] std::string run(std::string_view input) const;

  /// Every target of this program, by name.
  static std::vector<const Target*> all();

 private:
  std::string_view name_;
  Parse parse_;
  Seeds seeds_;
};

/// Ends the program with a message where something that must hold does not.
void require(bool holds, std::string_view what);

/// Runs `use`, in which an Error is a fine answer too.
void allow_error(FunctionRef<void()> use);

/// A directory of this process, in memory where the system has /dev/shm; removed at the end of the program.
const std::filesystem::path& scratch_directory();

/// Writes `content` to a file of the scratch directory and returns its path.
std::filesystem::path scratch_file(std::string_view name, std::string_view content);

/// `part`, `times` times.
std::string repeated(std::string_view part, size_t times);

/// The bytes of a file, as a seed.
std::string file_bytes(const std::filesystem::path& path);

/// The object representation of a value, as a seed's header.
template <typename T>
std::string bytes_of(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

}  // namespace sesame::fuzz
