#include "sesame/train/model_directory.h"
#include "tests/fuzz/target.h"

namespace sesame::fuzz {
namespace {

void parse(std::string_view input) {
  const std::filesystem::path directory = scratch_directory() / "model_config";
  std::filesystem::create_directory(directory);
  scratch_file("model_config/config.json", input);
  const SpecialIds ids = load_special_ids(directory);
  const GptConfig config = load_config(directory);
  save_config(directory, config, ids);
  require(load_config(directory) == config, "a config is written as it was read");
}

std::vector<std::string> seeds() {
  const std::filesystem::path directory = scratch_directory() / "model_config";
  std::filesystem::create_directory(directory);
  save_config(directory, resolved(default_config(Family::gpt2), ""), {0, 1});
  return {file_bytes(directory / "config.json"),
          R"({"model_type":"llama","vocab_size":260,"hidden_size":64,"num_hidden_layers":2,"num_attention_heads":4,
"num_key_value_heads":2,"intermediate_size":96,"rope_scaling":{"rope_type":"linear","factor":2.0},"hidden_act":"silu",
"rope_parameters":{"rope_theta":500000,"rope_type":"default"},"tie_word_embeddings":true,"eos_token_id":[2,3],"bos_token_id":1})",
          R"({"model_type":)" + repeated("[", 300'000) + repeated("]", 300'000) + "}"};
}

const Target target("model_config", parse, seeds);

}  // namespace
}  // namespace sesame::fuzz
