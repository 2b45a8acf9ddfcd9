#include "tests/fuzz/target.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/base/temporary_directory.h"

namespace sesame::fuzz {
namespace {

std::vector<const Target*>& registry() {
  static std::vector<const Target*> targets;
  return targets;
}

}  // namespace

Target::Target(std::string_view name, Parse parse, Seeds make_seeds) : name_(name), parse_(parse), seeds_(make_seeds) {
  registry().push_back(this);
}

std::string Target::run(std::string_view input) const {
  try {
    parse_(input);
    return {};
  } catch (const Error& error) {
    return error.what();
  }
}

std::vector<const Target*> Target::all() {
  std::vector<const Target*> targets = registry();
  std::ranges::sort(targets, {}, &Target::name);
  return targets;
}

void require(bool holds, std::string_view what) {
  if (holds) return;
  constexpr size_t kShown = 1000;
  std::fprintf(stderr, "does not hold: %.*s\n", static_cast<int>(std::min(what.size(), kShown)), what.data());
  std::abort();
}

void allow_error(FunctionRef<void()> use) {
  try {
    use();
  } catch (const Error&) {
  }
}

const std::filesystem::path& scratch_directory() {
  static const TemporaryDirectory directory = [] {
    // Thousands of small files with fsync: not on a disk.
    if (::access("/dev/shm", W_OK) == 0) ::setenv("TMPDIR", "/dev/shm", 0);
    return TemporaryDirectory();
  }();
  return directory.path();
}

std::filesystem::path scratch_file(std::string_view name, std::string_view content) {
  std::filesystem::path path = scratch_directory() / name;
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

std::string repeated(std::string_view part, size_t times) {
  std::string text;
  for (size_t i = 0; i < times; ++i) text += part;
  return text;
}

std::string file_bytes(const std::filesystem::path& path) { return read_file(path, uint64_t{1} << 20); }

}  // namespace sesame::fuzz
