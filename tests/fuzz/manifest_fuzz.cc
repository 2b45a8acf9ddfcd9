#include <fmt/format.h>

#include "sesame/base/atomic_directory.h"
#include "sesame/base/hash.h"
#include "tests/fuzz/target.h"

namespace sesame::fuzz {
namespace {

void verify(std::string_view manifest) {
  scratch_file(fmt::format("manifest/{}", kManifestName), manifest);
  allow_error([] { committed_directory(scratch_directory() / "manifest"); });
  verify_manifest(scratch_directory() / "manifest");
}

/// The last line made to hold, as an ill-meaning writer would.
void parse(std::string_view input) {
  allow_error([&] { verify(input); });
  const std::string_view body = input.substr(0, input.rfind("end "));
  verify(fmt::format("{}end {:016x}\n", body, xxh3(body)));
}

std::vector<std::string> seeds() {
  AtomicDirectory directory(scratch_directory() / "manifest");
  scratch_file("manifest.tmp/a", "content");
  std::filesystem::create_directory(directory.path() / "sub");
  scratch_file("manifest.tmp/sub/b c", "");
  directory.commit();
  const std::string manifest = file_bytes(scratch_directory() / "manifest" / kManifestName);
  return {manifest, "sesame manifest 1\n0000000000000000 7 ../manifest\n0000000000000000 7 /dev/null\n"};
}

const Target target("manifest", parse, seeds);

}  // namespace
}  // namespace sesame::fuzz
