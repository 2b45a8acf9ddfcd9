#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace sesame {

/// The two families of decoder-only Transformers that one model function serves.
enum class Family : uint8_t {
  gpt2,   // learned positions, layer norm, GELU, biases (Radford et al. 2019)
  llama,  // rotary positions, RMS norm, SwiGLU, grouped queries, no biases (Touvron et al. 2023)
};

/// The sizes and settings of a GPT. Where a zero stands for a rule, `resolved` applies it.
struct GptConfig {
  Family family = Family::gpt2;
  int64_t vocab_size = 50257;
  int64_t context = 1024;  // positions that the model was made for
  int64_t width = 768;     // channels of the residual stream
  int64_t layers = 12;
  int64_t heads = 12;
  int64_t kv_heads = 0;  // 0: as many as heads; fewer is grouped-query attention (Ainslie et al. 2023)
  int64_t head_dim = 0;  // 0: width / heads
  int64_t inner = 0;     // 0: 4 width (GPT-2), 8/3 width rounded up to a multiple of 64 (Llama)
  double epsilon = 1e-5;
  double rope_theta = 10000;
  double rope_scaling = 1;  // positions are divided by it
  bool tied = true;         // the output projection is the token embedding
  double initializer_range = 0.02;
  double dropout = 0;  // embedding, attention probabilities, both residual branches

  bool operator==(const GptConfig&) const = default;
};

/// One field of GptConfig and what Hugging Face's config.json calls it: recipes, files and print-outs follow this list.
struct GptField {
  std::string_view gpt2;  // empty where the family has no such key
  std::string_view llama;
  std::variant<int64_t GptConfig::*, double GptConfig::*, bool GptConfig::*> member;
  std::string_view doc;

  [[nodiscard]] std::string_view key(Family family) const { return family == Family::gpt2 ? gpt2 : llama; }
};

/// Every field but the family, in the order of GptConfig.
std::span<const GptField> gpt_fields();

/// The field that `family` calls `key`; for GPT-2 Llama's name of it as well, as transformers does. Null if there is
/// none.
const GptField* find_gpt_field(Family family, std::string_view key);

/// "gpt2" or "llama", as model_type says in a config.json.
std::string_view name_of(Family family);

/// Throws usage Error that names `key` and the known families for anything else.
Family parse_family(std::string_view text, std::string_view key);

/// What transformers takes for keys that a config.json leaves out: GPT-2 124M, or Llama's conventions (untied, 2048
/// positions, epsilon 1e-6).
GptConfig default_config(Family family);

/// The config with every rule applied and checked: sizes positive and within bounds, heads dividing the width, an even
/// head_dim for rotary positions, rates in range. Throws usage Error that begins with `where` and names the key in the
/// family's own spelling.
GptConfig resolved(GptConfig config, std::string_view where);

/// "gpt2: vocab_size 65, n_positions 256, ..." on one line.
std::string to_string(const GptConfig& config);

}  // namespace sesame
