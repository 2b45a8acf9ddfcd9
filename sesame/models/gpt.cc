#include "sesame/models/gpt.h"

#include <fmt/format.h>

#include <cmath>

#include "sesame/base/error.h"
#include "sesame/graph/ops/ops.h"
#include "sesame/nn/layers.h"

namespace sesame {

namespace {

// One pass through the model. With a capacity it runs over a cache, from position `start` on; without, from position 0.
class Gpt {
 public:
  Gpt(Parameters& parameters, const GptConfig& config, Value tokens, double dropout, Value start = {},
      int64_t capacity = 0)
      : parameters_(parameters),
        config_(config),
        tokens_(tokens),
        start_(start),
        capacity_(capacity),
        dropout_(dropout) {}

  Value hidden();  // [batch, time, width]
  Value head();    // [vocab, width]

 private:
  // GPT-2: Radford et al. 2019, §2.3; the block of Vaswani et al. 2017 with the norms before each part.
  Value gpt2();
  Value gpt2_block(Value x);
  // Llama: Touvron et al. 2023, §2.2.
  Value llama();
  Value llama_block(Value x);

  Value attend(Value qkv);
  Value positions();
  Value start_position();

  [[nodiscard]] double std() const { return config_.initializer_range; }
  // Each block adds to the residual stream twice; this keeps its variance from growing with depth (Radford et al. 2019,
  // §2.3).
  [[nodiscard]] double residual_std() const { return std() / std::sqrt(2.0 * static_cast<double>(config_.layers)); }

  Parameters& parameters_;
  const GptConfig& config_;
  Value tokens_;  // int32 [batch, time]
  Value start_;   // int32 [1]
  int64_t capacity_;
  double dropout_;
  int64_t layer_ = 0;
};

Value Gpt::hidden() {
  const Shape& shape = tokens_.shape();
  if (shape.rank() != 2)
    fail(fmt::format("gpt: tokens must be int32 [batch, time], got {}", tokens_.type().to_string()));
  if (const int64_t limit = capacity_ > 0 ? capacity_ : config_.context; shape[1] > limit) {
    fail(fmt::format("gpt: {} tokens in a row, but the model has {} positions", shape[1], limit));
  }
  return config_.family == Family::gpt2 ? gpt2() : llama();
}

Value Gpt::head() {
  Builder& builder = tokens_.builder();
  const char* tied = config_.family == Family::gpt2 ? "transformer.wte" : "model.embed_tokens";
  const Builder::Scope scope(builder, config_.tied ? tied : "lm_head");
  return parameters_.get(builder, "weight", {config_.vocab_size, config_.width}, Init::normal(std()));
}

Value Gpt::gpt2() {
  const Builder::Scope scope(tokens_.builder(), "transformer");
  const Value token = embedding_layer(parameters_, "wte", tokens_, {config_.vocab_size, config_.width}, std());
  const Value position = embedding_layer(parameters_, "wpe", positions(), {config_.context, config_.width}, std());
  Value x = dropout(token + position, dropout_);  // [batch, time, width]
  for (layer_ = 0; layer_ < config_.layers; ++layer_) x = gpt2_block(x);
  return layer_norm_layer(parameters_, "ln_f", x, config_.epsilon);
}

Value Gpt::gpt2_block(Value x) {
  Builder& builder = x.builder();
  const Builder::Scope scope(builder, fmt::format("h.{}", layer_));
  Value h = layer_norm_layer(parameters_, "ln_1", x, config_.epsilon);
  {
    const Builder::Scope attn(builder, "attn");
    h = linear_in_out(parameters_, "c_attn", h,
                      {.outputs = 3 * config_.width, .std = std()});  // [batch, time, 3 width]
    h = attend(h);
    h = linear_in_out(parameters_, "c_proj", h, {.outputs = config_.width, .std = residual_std()});
    x = x + dropout(h, dropout_);
  }
  h = layer_norm_layer(parameters_, "ln_2", x, config_.epsilon);
  {
    const Builder::Scope mlp(builder, "mlp");
    h = linear_gelu(parameters_, "c_fc", h, {.outputs = config_.inner, .std = std()});  // [batch, time, inner]
    h = linear_in_out(parameters_, "c_proj", h, {.outputs = config_.width, .std = residual_std()});
    return x + dropout(h, dropout_);
  }
}

Value Gpt::llama() {
  const Builder::Scope scope(tokens_.builder(), "model");
  Value x = embedding_layer(parameters_, "embed_tokens", tokens_, {config_.vocab_size, config_.width}, std());
  x = dropout(x, dropout_);  // [batch, time, width]
  for (layer_ = 0; layer_ < config_.layers; ++layer_) x = llama_block(x);
  return rms_norm_layer(parameters_, "norm", x, config_.epsilon);
}

Value Gpt::llama_block(Value x) {
  Builder& builder = x.builder();
  const Builder::Scope scope(builder, fmt::format("layers.{}", layer_));
  Value h = rms_norm_layer(parameters_, "input_layernorm", x, config_.epsilon);
  {
    const Builder::Scope attn(builder, "self_attn");
    const int64_t packed = (config_.heads + 2 * config_.kv_heads) * config_.head_dim;
    h = linear_out_in(parameters_, "qkv_proj", h, {.outputs = packed, .std = std(), .bias = false});
    h = rope(h, start_position(),
             {.heads = config_.heads + config_.kv_heads,
              .head_dim = config_.head_dim,
              .theta = config_.rope_theta,
              .scaling = config_.rope_scaling});
    h = attend(h);  // [batch, time, heads * head_dim]
    h = linear_out_in(parameters_, "o_proj", h, {.outputs = config_.width, .std = residual_std(), .bias = false});
    x = x + dropout(h, dropout_);
  }
  h = rms_norm_layer(parameters_, "post_attention_layernorm", x, config_.epsilon);
  {
    const Builder::Scope mlp(builder, "mlp");
    h = linear_out_in(parameters_, "gate_up_proj", h, {.outputs = 2 * config_.inner, .std = std(), .bias = false});
    h = swiglu(h);  // [batch, time, inner]
    h = linear_out_in(parameters_, "down_proj", h, {.outputs = config_.width, .std = residual_std(), .bias = false});
    return x + dropout(h, dropout_);
  }
}

Value Gpt::attend(Value qkv) {
  const AttentionOptions options{
      .heads = config_.heads, .kv_heads = config_.kv_heads, .causal = true, .dropout = dropout_};
  if (capacity_ == 0) return attention(qkv, options);
  Builder& builder = qkv.builder();
  const Type type{qkv.dtype(), {qkv.shape()[0], capacity_, config_.kv_heads * config_.head_dim}};
  const Value keys = builder.variable(fmt::format("cache.{}.keys", layer_), type);
  const Value values = builder.variable(fmt::format("cache.{}.values", layer_), type);
  const CachedAttention result = cached_attention(qkv, keys, values, start_, options);
  builder.update(keys, result.keys);
  builder.update(values, result.values);
  return result.out;
}

Value Gpt::positions() {
  const Value index = iota(tokens_.builder(), {tokens_.shape()[1]});  // [time]
  return start_ ? index + start_ : index;
}

Value Gpt::start_position() { return start_ ? start_ : tokens_.builder().constant(0, {DType::i32, {1}}); }

// The rows of all sequences as one long matrix.
Value as_rows(Value x) { return reshape(x, {x.shape().elements() / x.shape()[-1], x.shape()[-1]}); }

}  // namespace

Value gpt_hidden(Parameters& parameters, const GptConfig& config, Value tokens, Mode mode) {
  return as_rows(Gpt(parameters, config, tokens, mode == Mode::training ? config.dropout : 0).hidden());
}

Value gpt_loss(Parameters& parameters, const GptConfig& config, Value tokens, Value targets, Mode mode) {
  Gpt gpt(parameters, config, tokens, mode == Mode::training ? config.dropout : 0);
  const Value x = as_rows(gpt.hidden());  // [batch * time, width]
  const Value head = gpt.head();
  const Builder::Scope scope(tokens.builder(), "loss");
  return linear_cross_entropy(x, head, reshape(targets, {targets.shape().elements()}));
}

Value gpt_logits(Parameters& parameters, const GptConfig& config, Value tokens) {
  Gpt gpt(parameters, config, tokens, 0);
  const Value x = as_rows(gpt.hidden());
  return matmul(x, gpt.head(), {.transpose_b = true});
}

Value gpt_decode(Parameters& parameters, const GptConfig& config, Value tokens, Value start, int64_t capacity) {
  Gpt gpt(parameters, config, tokens, 0, start, capacity);
  const Value x = gpt.hidden();  // [batch, time, width]
  const Value last = slice(x, 1, x.shape()[1] - 1, 1);
  return matmul(as_rows(last), gpt.head(), {.transpose_b = true});
}

std::vector<Parameter> gpt_parameters(const GptConfig& config) {
  Graph graph;
  Builder builder(graph);
  Parameters parameters;
  gpt_logits(parameters, config, builder.input("tokens", {DType::i32, {1, 1}}));
  return {parameters.list().begin(), parameters.list().end()};
}

std::vector<CacheVariable> gpt_caches(const GptConfig& config, int64_t batch, int64_t capacity) {
  const Type type{DType::f32, {batch, capacity, config.kv_heads * config.head_dim}};
  std::vector<CacheVariable> caches;
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    caches.push_back({fmt::format("cache.{}.keys", layer), type});
    caches.push_back({fmt::format("cache.{}.values", layer), type});
  }
  return caches;
}

}  // namespace sesame
