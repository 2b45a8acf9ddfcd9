#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

namespace sesame {

/// The path of a file of the shared test data, or nothing where it is not there: such a test then checks less.
/// Looked for in the directory that the environment variable SESAME_SHARED_DATA names, else in ../shared/data relative
/// to the working directory (tests run in the source directory).
std::optional<std::filesystem::path> shared_data(std::string_view relative);

}  // namespace sesame
