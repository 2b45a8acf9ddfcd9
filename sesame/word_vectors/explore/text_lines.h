#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "sesame/base/function_ref.h"

namespace sesame {

/// Without spaces, tabs and carriage returns at either end.
std::string_view trimmed(std::string_view text) noexcept;

/// Calls f(line, number) for each line, trimmed, the first being 1; a byte order mark at the start is no part of it.
void for_each_line(std::string_view text, FunctionRef<void(std::string_view line, int64_t number)> f);

/// What stands between runs of separators.
std::vector<std::string_view> split_fields(std::string_view line, std::string_view separators);

}  // namespace sesame
