#include "sesame/models/gpt_config.h"

#include <fmt/format.h>

#include <array>

#include "sesame/base/error.h"
#include "sesame/base/text_format.h"

namespace sesame {

std::span<const GptField> gpt_fields() {
  static const std::array<GptField, 14> fields = {{
      {"vocab_size", "vocab_size", &GptConfig::vocab_size, "tokens that the model knows"},
      {"n_positions", "max_position_embeddings", &GptConfig::context, "positions that the model is made for"},
      {"n_embd", "hidden_size", &GptConfig::width, "channels of the residual stream"},
      {"n_layer", "num_hidden_layers", &GptConfig::layers, "blocks"},
      {"n_head", "num_attention_heads", &GptConfig::heads, "attention heads"},
      {"", "num_key_value_heads", &GptConfig::kv_heads, "heads of keys and values; default: all"},
      {"", "head_dim", &GptConfig::head_dim, "channels of a head; default: width / heads"},
      {"n_inner", "intermediate_size", &GptConfig::inner, "channels inside the MLP; default: 4 or 8/3 of the width"},
      {"layer_norm_epsilon", "rms_norm_eps", &GptConfig::epsilon, "epsilon of the norms"},
      {"", "rope_theta", &GptConfig::rope_theta, "base of the rotary angles"},
      {"", "rope_factor", &GptConfig::rope_scaling, "linear scaling: positions are divided by it"},
      {"tie_word_embeddings", "tie_word_embeddings", &GptConfig::tied, "output projection = token embedding"},
      {"initializer_range", "initializer_range", &GptConfig::initializer_range,
       "standard deviation of initial weights"},
      {"dropout", "dropout", &GptConfig::dropout, "rate of dropout in training"},
  }};
  return fields;
}

const GptField* find_gpt_field(Family family, std::string_view key) {
  for (const GptField& field : gpt_fields()) {
    if (field.key(family).empty()) continue;
    if (key == field.key(family) || key == field.llama) return &field;
  }
  return nullptr;
}

std::string_view name_of(Family family) { return family == Family::gpt2 ? "gpt2" : "llama"; }

Family parse_family(std::string_view text, std::string_view key) {
  const std::array<std::string, 2> known = {"gpt2", "llama"};
  if (text == known[0]) return Family::gpt2;
  if (text == known[1]) return Family::llama;
  fail_usage(fmt::format("{} = \"{}\": this model family is not known{}; known: gpt2, llama", key, text,
                         suggestion(text, known)));
}

GptConfig default_config(Family family) {
  GptConfig config;
  if (family == Family::gpt2) return config;
  config.family = Family::llama;
  config.vocab_size = 32000;
  config.context = 2048;
  config.epsilon = 1e-6;
  config.tied = false;
  return config;
}

namespace {

// One config being checked; every complaint names the key as the family spells it.
class ConfigCheck {
 public:
  ConfigCheck(const GptConfig& config, std::string_view where) : config_(config), where_(where) {}

  template <typename T>
  [[noreturn]] void refuse(T GptConfig::*member, std::string_view expected) const {
    fail_usage(fmt::format("{}: {} = {}: expected {}", where_, key_of(member), config_.*member, expected));
  }

  void size(int64_t GptConfig::*member, int64_t most) const {
    const int64_t value = config_.*member;
    if (value < 1 || value > most) refuse(member, fmt::format("a whole number from 1 to {}", most));
  }

  void positive(double GptConfig::*member) const {
    const double value = config_.*member;
    if (!(value > 0 && value < 1e30)) refuse(member, "a positive number");
  }

  template <typename T>
  [[nodiscard]] std::string_view key_of(T GptConfig::*member) const {
    for (const GptField& field : gpt_fields()) {
      const auto* candidate = std::get_if<T GptConfig::*>(&field.member);
      if (candidate != nullptr && *candidate == member) return field.key(config_.family);
    }
    return "?";
  }

 private:
  const GptConfig& config_;
  std::string_view where_;
};

constexpr int64_t kMostChannels = 1 << 20;

void apply_rules(GptConfig& config) {
  const bool llama = config.family == Family::llama;
  if (config.kv_heads == 0 || !llama) config.kv_heads = config.heads;
  if (config.head_dim == 0 || !llama) config.head_dim = config.width / config.heads;
  if (config.inner == 0) config.inner = llama ? (8 * config.width / 3 + 63) / 64 * 64 : 4 * config.width;
}

}  // namespace

GptConfig resolved(GptConfig config, std::string_view where) {
  const ConfigCheck check(config, where);
  check.size(&GptConfig::vocab_size, int64_t{1} << 30);
  check.size(&GptConfig::context, int64_t{1} << 24);
  check.size(&GptConfig::width, kMostChannels);
  check.size(&GptConfig::layers, 4096);
  check.size(&GptConfig::heads, 65536);
  if (config.width % config.heads != 0 && (config.family == Family::gpt2 || config.head_dim == 0)) {
    check.refuse(&GptConfig::heads, fmt::format("a divisor of {} = {}", check.key_of(&GptConfig::width), config.width));
  }
  apply_rules(config);
  check.size(&GptConfig::kv_heads, config.heads);
  check.size(&GptConfig::head_dim, kMostChannels / config.heads);
  check.size(&GptConfig::inner, 4 * kMostChannels);
  if (config.heads % config.kv_heads != 0) {
    check.refuse(&GptConfig::kv_heads,
                 fmt::format("a divisor of {} = {}", check.key_of(&GptConfig::heads), config.heads));
  }
  if (config.family == Family::llama && config.head_dim % 2 != 0) {
    check.refuse(&GptConfig::head_dim, "an even number: rotary positions turn pairs of channels");
  }
  check.positive(&GptConfig::epsilon);
  check.positive(&GptConfig::rope_theta);
  check.positive(&GptConfig::rope_scaling);
  check.positive(&GptConfig::initializer_range);
  if (!(config.dropout >= 0 && config.dropout < 1)) check.refuse(&GptConfig::dropout, "a rate in [0, 1)");
  return config;
}

std::string to_string(const GptConfig& config) {
  std::string text = fmt::format("{}:", name_of(config.family));
  const char* separator = " ";
  for (const GptField& field : gpt_fields()) {
    if (field.key(config.family).empty()) continue;
    std::visit(
        [&](auto member) { text += fmt::format("{}{} {}", separator, field.key(config.family), config.*member); },
        field.member);
    separator = ", ";
  }
  return text;
}

}  // namespace sesame
