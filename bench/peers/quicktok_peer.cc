// One turn of quicktok: quicktok_peer DATA ENCODING FILE LIMIT [--ids FILE]. As tokenizer_peer.py; built by tokenizers.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "quicktok.hpp"

namespace {

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) return 2;
  std::ifstream file(argv[3], std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  const auto tokenizer = quicktok::Tokenizer::load_dir(argv[1], argv[2]);
  std::vector<uint32_t> ids;
  double times[2];
  for (double& time : times) {
    ids.clear();
    const double began = seconds();
    tokenizer.encode(bytes, text.size(), ids);
    time = seconds() - began;
  }
  std::string decoded;
  const double began = seconds();
  tokenizer.decode(ids.data(), ids.size(), decoded);
  const double back = seconds() - began;
  if (argc > 6)
    std::ofstream(argv[6], std::ios::binary)
        .write(reinterpret_cast<const char*>(ids.data()), static_cast<std::streamsize>(ids.size() * 4));
  const double megabytes = static_cast<double>(text.size()) * 1e-6;
  std::printf(
      "{\"bytes\": %zu, \"tokens\": %zu, \"encode_mb_per_s_cold\": %.2f, \"encode_mb_per_s_warm\": %.2f, "
      "\"decode_mb_per_s\": %.2f}\n",
      text.size(), ids.size(), megabytes / times[0], megabytes / times[1], megabytes / back);
  return 0;
}
