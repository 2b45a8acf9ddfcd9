// One turn of SentencePiece's library: sentencepiece_peer MODEL FILE LIMIT. As tokenizer_peer.py; its texts are lines,
// and it has no cache, so that cold and warm are one figure. Built by tokenizers.

#include <sentencepiece_processor.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

namespace {

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

int main(int argc, char** argv) {
  sentencepiece::SentencePieceProcessor processor;
  if (argc < 4 || !processor.Load(argv[1]).ok()) return 2;
  std::ifstream file(argv[2], std::ios::binary);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  const double limit = std::atof(argv[3]);
  std::vector<std::vector<int>> ids;
  size_t bytes = 0;
  size_t tokens = 0;
  const double began = seconds();
  for (const std::string& line : lines) {
    if (seconds() - began > limit) break;
    ids.emplace_back();
    if (!processor.Encode(line, &ids.back()).ok()) return 1;
    bytes += line.size() + 1;
    tokens += ids.back().size();
  }
  const double encoded = seconds();
  std::string text;
  for (const std::vector<int>& line : ids) {
    if (!processor.Decode(line, &text).ok()) return 1;
  }
  const double decoded = seconds();
  const double megabytes = static_cast<double>(bytes) * 1e-6;
  const double speed = megabytes / (encoded - began);
  std::printf(
      "{\"bytes\": %zu, \"tokens\": %zu, \"encode_mb_per_s_cold\": %.2f, \"encode_mb_per_s_warm\": %.2f, "
      "\"decode_mb_per_s\": %.2f}\n",
      bytes, tokens, speed, speed, megabytes / (decoded - encoded));
  return 0;
}
