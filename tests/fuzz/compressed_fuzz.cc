#include <array>

#include "sesame/io/byte_stream.h"
#include "sesame/io/compressed_text.h"
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
