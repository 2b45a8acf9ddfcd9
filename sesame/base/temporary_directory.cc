#include "sesame/base/temporary_directory.h"

#include <stdlib.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "sesame/base/error.h"

namespace sesame {

TemporaryDirectory::TemporaryDirectory() {
  std::string pattern = (std::filesystem::temp_directory_path() / "sesame.XXXXXX").string();
  if (!::mkdtemp(pattern.data())) {
    fail("cannot create a directory like " + pattern + ": " + std::generic_category().message(errno));
  }
  path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace sesame
