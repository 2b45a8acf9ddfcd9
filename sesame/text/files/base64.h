#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sesame {

/// The bytes that base64 text with padding stands for (RFC 4648, section 4); nothing where it is not that.
std::optional<std::string> decode_base64(std::string_view text);

std::string encode_base64(std::string_view bytes);

}  // namespace sesame
