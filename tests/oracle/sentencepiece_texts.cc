// SentencePiece's side of the comparison, over the library itself because spm_encode takes lines only. The same
// exchange as encode_texts.cc has.

#include <sentencepiece_processor.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace {

bool read_exactly(void* to, size_t bytes) { return std::fread(to, 1, bytes, stdin) == bytes; }

void write_number(uint32_t number) { std::fwrite(&number, sizeof number, 1, stdout); }

void write_text(const std::string& text) {
  write_number(static_cast<uint32_t>(text.size()));
  std::fwrite(text.data(), 1, text.size(), stdout);
}

bool read_text(std::string& text) {
  uint32_t size = 0;
  if (!read_exactly(&size, sizeof size)) return false;
  text.resize(size);
  return read_exactly(text.data(), size);
}

void answer(const sentencepiece::SentencePieceProcessor& processor, const std::string& text) {
  std::vector<int> ids;
  std::string decoded;
  auto status = processor.Encode(text, &ids);
  if (status.ok()) status = processor.Decode(ids, &decoded);
  if (status.ok()) {
    write_number(static_cast<uint32_t>(ids.size()));
    std::fwrite(ids.data(), sizeof(int), ids.size(), stdout);
    write_text(decoded);
  } else {
    write_number(0xFFFFFFFF);
    write_text(status.ToString());
  }
}

}  // namespace

int main(int argc, char** argv) {
  sentencepiece::SentencePieceProcessor processor;
  const auto loaded = processor.Load(argc > 1 ? argv[1] : "");
  if (!loaded.ok()) {
    std::fprintf(stderr, "sentencepiece_texts: %s\n", loaded.ToString().c_str());
    return 1;
  }
  for (uint32_t texts = 0; read_exactly(&texts, sizeof texts);) {
    for (uint32_t i = 0; i < texts; ++i) {
      std::string text;
      if (!read_text(text)) return 1;
      answer(processor, text);
    }
    std::fflush(stdout);
  }
  return 0;
}
