#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/base/file.h"

namespace sesame {

/// Writes a one-dimensional NumPy array (.npy, format 1.0, little-endian) whose length is known only at the end:
/// unsigned 16-bit or 32-bit integers. docs/formats.md has the bytes.
class NpyWriter {
 public:
  /// `element_bytes` is 2 or 4. The header is written now, its length filled in by finish().
  NpyWriter(FileWriter& file, int element_bytes);

  /// Throws Error for a number that is negative or does not fit.
  void append(std::span<const int32_t> numbers);
  void finish();

 private:
  FileWriter& file_;
  int element_bytes_;
  uint64_t begin_;  // of the header in the file
  uint64_t count_ = 0;
  std::vector<uint16_t> narrow_;
};

/// The numbers of a one-dimensional .npy array of 16-, 32- or 64-bit little-endian integers, signed or not. Throws
/// Error, beginning with `origin`, for anything else, and for numbers outside [0, 2^31).
std::vector<int32_t> read_npy(std::string_view file, std::string_view origin);

/// Whether bytes begin as .npy files do.
bool is_npy(std::string_view first_bytes) noexcept;

}  // namespace sesame
