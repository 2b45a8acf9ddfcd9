#pragma once

#include <memory>

#include "sesame/io/byte_stream.h"

namespace sesame {

/// The contents of a gzip stream of one or more members (RFC 1952). Zero bytes behind the last member (tape padding)
/// are accepted, as gzip does; anything else there is an Error.
std::unique_ptr<ByteReader> read_gzip(std::unique_ptr<ByteReader> compressed);

/// The contents of a Zstandard stream of one or more frames (RFC 8878), skippable frames left out. Windows of up to
/// 2^31 bytes (`zstd --long=31`) are accepted.
std::unique_ptr<ByteReader> read_zstd(std::unique_ptr<ByteReader> compressed);

}  // namespace sesame
