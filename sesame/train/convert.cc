#include "sesame/train/convert.h"

#include <fmt/format.h>

#include <array>
#include <cstring>

#include "sesame/base/atomic_directory.h"
#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/models/gpt.h"
#include "sesame/text/files/llama2c_vocabulary.h"
#include "sesame/text/tokenizer.h"
#include "sesame/train/model_directory.h"

namespace sesame {

namespace {

namespace fs = std::filesystem;

constexpr size_t kHeaderBytes = 7 * sizeof(int32_t);

GptConfig read_header(const fs::path& path, std::span<const std::byte> bytes) {
  if (bytes.size() < kHeaderBytes) {
    fail(fmt::format("{}: {} bytes; a llama2.c checkpoint begins with a header of {} bytes", path.string(),
                     bytes.size(), kHeaderBytes));
  }
  std::array<int32_t, 7> header{};
  std::memcpy(header.data(), bytes.data(), kHeaderBytes);
  constexpr int32_t kMagic = 0x616b3432;  // "ak42": llama2.c's later versions
  if (header[0] == kMagic) {
    fail(fmt::format("{}: a llama2.c checkpoint of version {}; only version 0 is read: export with --version 0",
                     path.string(), header[1]));
  }
  GptConfig config = default_config(Family::llama);
  config.width = header[0];
  config.inner = header[1];
  config.layers = header[2];
  config.heads = header[3];
  config.kv_heads = header[4];
  config.tied = header[5] > 0;
  config.vocab_size = std::abs(int64_t{header[5]});
  config.context = header[6];
  config.epsilon = 1e-5;
  if (config.inner < 1 || config.kv_heads < 1) {
    fail(fmt::format("{}: not a llama2.c checkpoint: hidden size {}, key/value heads {}", path.string(), config.inner,
                     config.kv_heads));
  }
  return resolved(config, path.string() + ": not a llama2.c checkpoint of version 0");
}

// The float32 values after the header, taken one tensor after the other.
class Weights {
 public:
  explicit Weights(std::span<const std::byte> bytes) : bytes_(bytes.subspan(kHeaderBytes)) {}

  [[nodiscard]] int64_t size() const { return static_cast<int64_t>(bytes_.size() / sizeof(float)); }
  void skip(int64_t count) { position_ += count; }
  void take(int64_t count, float* out) {
    std::memcpy(out, bytes_.data() + position_ * static_cast<int64_t>(sizeof(float)),
                static_cast<size_t>(count) * sizeof(float));
    position_ += count;
  }

 private:
  std::span<const std::byte> bytes_;
  int64_t position_ = 0;
};

// The table of cosines and sines, which follows from the config.
int64_t rotary_values(const GptConfig& config) { return config.context * config.head_dim; }

void check_length(const fs::path& path, const GptConfig& config, std::span<const std::byte> bytes) {
  const int64_t values = count_of(gpt_parameters(config)) + rotary_values(config);
  const auto expected = static_cast<uint64_t>(values) * sizeof(float) + kHeaderBytes;
  if (bytes.size() == expected) return;
  fail(fmt::format("{}: {} bytes, but its header ({}) makes {}", path.string(), bytes.size(), to_string(config),
                   expected));
}

// Rows of one matrix, `heads` groups of head_dim: within each, row 2j + i goes to row i * head_dim / 2 + j, so that
// pairs (2j, 2j+1) become pairs (j, j + head_dim / 2).
void take_rotary_rows(Weights& weights, const GptConfig& config, int64_t heads, float* out) {
  const int64_t half = config.head_dim / 2;
  for (int64_t head = 0; head < heads; ++head) {
    for (int64_t j = 0; j < half; ++j) {
      for (int64_t i = 0; i < 2; ++i) {
        weights.take(config.width, out + (head * config.head_dim + i * half + j) * config.width);
      }
    }
  }
}

// The file has the tensors by kind, each for all layers.
void read_weights(Weights weights, const GptConfig& config, const Variables& variables) {
  const int64_t width = config.width;
  const int64_t kv_width = config.kv_heads * config.head_dim;
  const auto at = [&](std::string_view name) { return variables.get(name).as<float>(); };
  const auto each_layer = [&](std::string_view name, int64_t offset, auto take) {
    for (int64_t layer = 0; layer < config.layers; ++layer) {
      take(at(fmt::format("model.layers.{}.{}.weight", layer, name)) + offset);
    }
  };
  const auto plain = [&](int64_t count) { return [&weights, count](float* out) { weights.take(count, out); }; };
  const auto rotary = [&](int64_t heads) {
    return [&, heads](float* out) { take_rotary_rows(weights, config, heads, out); };
  };
  weights.take(config.vocab_size * width, at("model.embed_tokens.weight"));
  each_layer("input_layernorm", 0, plain(width));
  each_layer("self_attn.qkv_proj", 0, rotary(config.heads));
  each_layer("self_attn.qkv_proj", width * width, rotary(config.kv_heads));
  each_layer("self_attn.qkv_proj", (width + kv_width) * width, plain(kv_width * width));
  each_layer("self_attn.o_proj", 0, plain(width * width));
  each_layer("post_attention_layernorm", 0, plain(width));
  each_layer("mlp.gate_up_proj", 0, plain(config.inner * width));
  each_layer("mlp.down_proj", 0, plain(width * config.inner));
  each_layer("mlp.gate_up_proj", config.inner * width, plain(config.inner * width));
  weights.take(width, at("model.norm.weight"));
  weights.skip(rotary_values(config));
  if (!config.tied) weights.take(config.vocab_size * width, at("lm_head.weight"));
}

void refuse_existing(const fs::path& directory) {
  if (fs::exists(directory) && !(fs::is_directory(directory) && fs::is_empty(directory))) {
    fail(fmt::format("{}: exists already; give a new directory", directory.string()));
  }
}

}  // namespace

void convert_llama2c(const fs::path& checkpoint, const fs::path& tokenizer, const fs::path& directory) {
  refuse_existing(directory);
  const MappedFile file(checkpoint);
  const GptConfig config = read_header(checkpoint, file.bytes());
  check_length(checkpoint, config, file.bytes());
  const Tokenizer vocabulary(read_llama2c(tokenizer, static_cast<int32_t>(config.vocab_size)), tokenizer.string());

  Variables variables;
  create_parameters(variables, gpt_parameters(config));
  read_weights(Weights(file.bytes()), config, variables);

  AtomicDirectory result(directory);
  save_config(result.path(), config, special_ids(vocabulary));
  vocabulary.save(result.path() / "tokenizer.json");
  save_parameters(result.path(), config, variables);
  result.commit();
}

}  // namespace sesame
