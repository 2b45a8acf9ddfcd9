#include "sesame/corpus/source.h"

#include <fmt/format.h>
#include <glob.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "sesame/base/error.h"

namespace sesame {
namespace {

CorpusFile describe(const std::string& path) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0) {
    fail(fmt::format("{}: can't open: {}; check data.train and data.validation or the path on the command line", path,
                     std::strerror(errno)));
  }
  if (S_ISDIR(status.st_mode)) {
    fail(fmt::format("{}: is a directory, expected a file; name the files in it, for example '{}/*.txt'", path, path));
  }
  if (!S_ISREG(status.st_mode)) return {path};
  constexpr int64_t kNanoseconds = 1'000'000'000;
  return {path, true, static_cast<uint64_t>(status.st_size),
          static_cast<int64_t>(status.st_mtim.tv_sec) * kNanoseconds + status.st_mtim.tv_nsec};
}

bool exists(const std::string& path) {
  struct stat status = {};
  return ::stat(path.c_str(), &status) == 0;
}

void append_matches(const std::string& pattern, std::vector<CorpusFile>& files) {
  glob_t matches = {};
  const int result = ::glob(pattern.c_str(), 0, nullptr, &matches);
  std::vector<std::string> paths;
  if (result == 0) paths.assign(matches.gl_pathv, matches.gl_pathv + matches.gl_pathc);
  ::globfree(&matches);
  if (paths.empty()) {
    fail(
        fmt::format("{}: no file matches this pattern; quote it so that the shell leaves it alone, and check the "
                    "directory",
                    pattern));
  }
  for (const std::string& path : paths) files.push_back(describe(path));
}

}  // namespace

std::vector<CorpusFile> expand_sources(const std::vector<std::string>& sources) {
  if (sources.empty()) fail("no corpus: expected at least one file, glob pattern or '-' (standard input)");
  std::vector<CorpusFile> files;
  bool reads_stdin = false;
  for (const std::string& source : sources) {
    if (source == "-") {
      if (reads_stdin) fail("'-' (standard input) is named twice, but can be read only once");
      reads_stdin = true;
      files.push_back({source});
    } else if (source.find_first_of("*?[") != std::string::npos && !exists(source)) {
      append_matches(source, files);
    } else {
      files.push_back(describe(source));
    }
  }
  return files;
}

}  // namespace sesame
