#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sesame {

/// One input of a corpus after globbing: a path or "-" (standard input).
struct CorpusFile {
  std::string path;
  bool regular = false;              // not standard input, a pipe or a device: can be read again, and has what follows
  uint64_t bytes = 0;                // as stored
  int64_t modified_nanoseconds = 0;  // since the epoch
};

/// Expands paths, glob patterns (*, ?, [...]; matches sorted by name) and "-" in the order given. An existing path is
/// taken as it is, even with glob characters in its name. Throws Error for a missing file, a pattern without a match, a
/// directory, an empty list, and standard input named twice.
std::vector<CorpusFile> expand_sources(const std::vector<std::string>& sources);

}  // namespace sesame
