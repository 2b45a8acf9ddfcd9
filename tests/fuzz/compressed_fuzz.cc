#include <zlib.h>
#include <zstd.h>

#include <array>

#include "sesame/io/byte_stream.h"
#include "tests/fuzz/target.h"

namespace sesame::fuzz {
namespace {

std::string read_in_pieces(std::string_view input, size_t piece) {
  const auto reader = decompress(open_string(std::string(input), "input"));
  std::array<char, 4096> buffer{};
  std::string all;
  constexpr size_t kEnough = size_t{1} << 20;
  while (all.size() < kEnough) {
    const size_t n = reader->read(std::span(buffer).first(piece));
    require(n <= piece, "a read gives no more bytes than were asked for");
    if (n == 0) break;
    all.append(buffer.data(), n);
  }
  all.resize(std::min(all.size(), kEnough));
  return all;
}

void parse(std::string_view input) {
  const std::string whole = read_in_pieces(input, 4096);
  require(read_in_pieces(input, 61) == whole, "bytes do not depend on the sizes of reads");
}

std::string gzip(std::string_view text) {
  z_stream stream = {};
  constexpr int kGzip = 16 + MAX_WBITS;
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY);
  std::string out(1000 + text.size(), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string zstd(std::string_view text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

std::vector<std::string> seeds() {
  const std::string text = "Sing, goddess, the anger of Peleus' son Achilleus, the anger, the anger.\n";
  const std::string skippable("\x50\x2A\x4D\x18\x03\0\0\0abc", 11);
  return {gzip(text),
          gzip(text) + gzip("second member") + std::string(20, '\0'),
          gzip(std::string(100'000, 'a')),
          zstd(text),
          skippable + zstd(text) + zstd(""),
          zstd(std::string(300'000, 'a'))};
}

const Target target("compressed", parse, seeds);

}  // namespace
}  // namespace sesame::fuzz
