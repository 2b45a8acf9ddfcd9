#include "sesame/base/test_data.h"

#include <cstdlib>
#include <system_error>

namespace sesame {

std::optional<std::filesystem::path> shared_data(std::string_view relative) {
  const char* directory = std::getenv("SESAME_SHARED_DATA");
  const std::filesystem::path path = std::filesystem::path(directory ? directory : "../shared/data") / relative;
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return std::nullopt;
  return std::filesystem::absolute(path);
}

}  // namespace sesame
