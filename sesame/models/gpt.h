#pragma once

#include <vector>

#include "sesame/models/gpt_config.h"
#include "sesame/nn/parameters.h"

/// Decoder-only Transformers. All configs are `resolved`. Parameters are named as in Hugging Face's files, but for
/// Llama's q|k|v and gate|up, which are one tensor each: ...self_attn.qkv_proj.weight [(heads + 2 kv_heads) head_dim,
/// width] and
/// ...mlp.gate_up_proj.weight [2 inner, width].

namespace sesame {

/// Whether dropout acts.
enum class Mode : uint8_t { training, evaluation };

/// tokens int32 [batch, time <= context] -> the residual stream after the final norm, [batch * time, width].
Value gpt_hidden(Parameters& parameters, const GptConfig& config, Value tokens, Mode mode);

/// Mean cross-entropy in nats of `targets` int32 [batch, time] given tokens int32 [batch, time]: a scalar []. Targets
/// below 0 are ignored.
Value gpt_loss(Parameters& parameters, const GptConfig& config, Value tokens, Value targets, Mode mode);

/// Logits of every position, [batch * time, vocab_size], without dropout.
Value gpt_logits(Parameters& parameters, const GptConfig& config, Value tokens);

/// One call of generation with a cache: tokens int32 [batch, time] at positions start .. start + time - 1 (start int32
/// [1]) are run over the keys and values of the positions before, and theirs are added. The caches are variables
/// "cache.<layer>.keys" and ".values" [batch, capacity, kv_heads * head_dim]. Returns the last position's logits
/// [batch, vocab_size]; a graph that does not output them does not compute them.
Value gpt_decode(Parameters& parameters, const GptConfig& config, Value tokens, Value start, int64_t capacity);

/// The model's parameters in the order of first use.
std::vector<Parameter> gpt_parameters(const GptConfig& config);

/// The caches that gpt_decode asks for.
struct CacheVariable {
  std::string name;
  Type type;
};
std::vector<CacheVariable> gpt_caches(const GptConfig& config, int64_t batch, int64_t capacity);

}  // namespace sesame
