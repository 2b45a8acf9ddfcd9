#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sesame/io/safetensors.h"
#include "sesame/models/gpt_config.h"
#include "sesame/nn/parameters.h"
#include "sesame/runtime/variables.h"
#include "sesame/text/tokenizer.h"

/// Model directories in Hugging Face's layout: config.json, generation_config.json, model.safetensors, tokenizer.json,
/// with transformers' keys, tensor names and orientations, so that its loaders open what we write and we open what they
/// wrote.

namespace sesame {

/// Ids that config.json and generation_config.json name, where the tokenizer has them.
struct SpecialIds {
  std::optional<int32_t> begin;
  std::optional<int32_t> end;

  bool operator==(const SpecialIds&) const = default;
};
SpecialIds special_ids(const Tokenizer& tokenizer);

/// Reads DIR/config.json. Throws Error naming file and key: not a model directory (and what is missing), a model_type
/// that is not known (and the known ones), a setting that this model function does not have.
GptConfig load_config(const std::filesystem::path& directory);

/// The ids of begin and end of text in DIR/config.json.
SpecialIds load_special_ids(const std::filesystem::path& directory);

/// Writes config.json and generation_config.json, each atomically.
void save_config(const std::filesystem::path& directory, const GptConfig& config, const SpecialIds& ids);

/// A tensor of model.safetensors and where its values lie: consecutive rows of a parameter. Most are a whole parameter;
/// Llama's packed ones are several tensors on disk.
struct DiskTensor {
  std::string name;
  Shape shape;
  std::string parameter;
  int64_t offset = 0;  // of its first element within the parameter
};
std::vector<DiskTensor> disk_tensors(const GptConfig& config);

/// Makes the flat variable "parameters" whose slices are the parameters in flat_layout's order, zero-filled.
void create_parameters(Variables& variables, std::span<const Parameter> parameters);

/// Fills the parameters (variables that exist) from DIR/model.safetensors, or from the shards that
/// DIR/model.safetensors.index.json lists. F16, BF16 and F64 become float32. Throws Error naming file, tensor, expected
/// and found shape for a missing, extra or mis-shaped tensor, before any value is overwritten.
void load_parameters(const std::filesystem::path& directory, const GptConfig& config, const Variables& variables);

/// Writes DIR/model.safetensors atomically: float32, standard names, tied weights once.
void save_parameters(const std::filesystem::path& directory, const GptConfig& config, const Variables& variables);

/// A model ready to be used, with the parameters as variables (create_parameters).
struct LoadedModel {
  GptConfig config;
  SpecialIds ids;
  Variables variables;
};

/// load_config, create_parameters, load_parameters.
LoadedModel load_model(const std::filesystem::path& directory);

}  // namespace sesame
