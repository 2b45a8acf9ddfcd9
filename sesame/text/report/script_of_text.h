#pragma once

#include <string>
#include <string_view>

namespace sesame {

/// The script that most letters of a text are of: "Latin", "Han", ...; "none" for a text without letters.
std::string script_of_text(std::string_view text);

}  // namespace sesame
