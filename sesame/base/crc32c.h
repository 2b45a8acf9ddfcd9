#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace sesame {

/// CRC-32C (Castagnoli, polynomial 0x1EDC6F41 reflected), as in TFRecord and iSCSI (RFC 3720, appendix B.4).
/// `crc` is the value so far: crc32c(b, crc32c(a)) is that of a and b joined.
uint32_t crc32c(std::span<const std::byte> bytes, uint32_t crc = 0);
uint32_t crc32c(std::string_view text, uint32_t crc = 0);

}  // namespace sesame
