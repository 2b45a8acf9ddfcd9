#include <array>

#include "sesame/train/convert.h"
#include "sesame/train/model_directory.h"
#include "tests/fuzz/llama2c_vocabulary.h"
#include "tests/fuzz/target.h"

namespace sesame::fuzz {
namespace {

void parse(std::string_view input) {
  static const auto tokenizer = scratch_file("checkpoint_tokenizer.bin", llama2c_vocabulary({"a"}));
  const std::filesystem::path model = scratch_directory() / "converted";
  convert_llama2c(scratch_file("model.bin", input), tokenizer, model);
  require(load_model(model).config.vocab_size == 260, "what was converted can be loaded");
  std::filesystem::remove_all(model);
}

/// Width 4, inner 2, one layer, two heads of two channels.
std::string checkpoint(int32_t kv_heads, int32_t vocabulary, size_t floats) {
  const std::array<int32_t, 7> header = {4, 2, 1, 2, kv_heads, vocabulary, 3};
  return bytes_of(header) + std::string(floats * sizeof(float), '\x3d');
}

std::vector<std::string> seeds() {
  constexpr size_t kEmbedding = 260 * 4;
  constexpr size_t kRotary = 3 * 2;
  const auto layer = [](size_t kv) { return 4 + 16 + 2 * 4 * kv + 16 + 4 + 3 * 8 + 4; };
  return {checkpoint(2, 260, kEmbedding + layer(4) + kRotary),
          checkpoint(1, -260, 2 * kEmbedding + layer(2) + kRotary)};
}

const Target target("llama2c_checkpoint", parse, seeds);

}  // namespace
}  // namespace sesame::fuzz
