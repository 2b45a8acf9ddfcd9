#include "sesame/io/safetensors.h"
#include "sesame/models/gpt.h"
#include "sesame/train/model_directory.h"
#include "tests/fuzz/target.h"

namespace sesame::fuzz {
namespace {

const std::filesystem::path& directory() {
  static const std::filesystem::path path = scratch_directory() / "shard_index";
  return path;
}

GptConfig config() {
  GptConfig config;
  config.vocab_size = 3;
  config.context = config.width = 2;
  config.layers = config.heads = 1;
  config.inner = 2;
  return resolved(config, "");
}

/// model.safetensors.index.json over one shard that holds the whole model.
void parse(std::string_view input) {
  scratch_file("shard_index/model.safetensors.index.json", input);
  Variables variables;
  create_parameters(variables, gpt_parameters(config()));
  load_parameters(directory(), config(), variables);
}

std::vector<std::string> seeds() {
  std::filesystem::create_directory(directory());
  Variables variables;
  create_parameters(variables, gpt_parameters(config()));
  save_parameters(directory(), config(), variables);
  std::filesystem::rename(directory() / "model.safetensors", directory() / "model-1.safetensors");
  std::string index = R"({"metadata":{"total_size":8},"weight_map":{)";
  for (const DiskTensor& tensor : disk_tensors(config())) {
    index += (index.back() == '{' ? "\"" : ",\"") + tensor.name + R"(":"model-1.safetensors")";
  }
  return {index + "}}", R"({"weight_map":{"a":"..","b":"","c":"/dev/null","d":"x\u0000y"}})",
          R"({"weight_map":{"a":")" + repeated("long", 100) + "\"}}"};
}

const Target target("shard_index", parse, seeds);

}  // namespace
}  // namespace sesame::fuzz
