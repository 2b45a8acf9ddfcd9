#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "sesame/base/function_ref.h"

namespace sesame {

/// What a file of word counts says of the text that was counted.
struct CountsHeader {
  std::string cut_by;  // how words were made
  uint64_t bytes = 0;  // of text
  uint64_t documents = 0;
};

/// Writes word counts atomically: 8 bytes "SESWORDS", then as LEB128 numbers the version 1, the bytes and documents of
/// the text and the size of `cut_by`, then its bytes; for each word the size of the word plus one, its count, its
/// bytes; a 0; and the chained XXH3 checksum of all before it, 8 bytes little-endian. `for_each_word` calls emit for
/// every word.
using EmitCount = FunctionRef<void(std::string_view word, uint64_t count)>;
void write_counts(const std::filesystem::path& path, const CountsHeader& header,
                  FunctionRef<void(EmitCount emit)> for_each_word);

/// Reads such a file: check(header) first, then emit for every word. The checksum is compared before either is called.
/// Throws Error that names the file for one that is no such file, of another version, shortened or changed.
void read_counts(const std::filesystem::path& path, FunctionRef<void(const CountsHeader&)> check, EmitCount emit);

}  // namespace sesame
