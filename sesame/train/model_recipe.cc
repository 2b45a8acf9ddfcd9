#include "sesame/train/model_recipe.h"

#include <fmt/format.h>

#include "sesame/base/error.h"

namespace sesame {

GptConfig model_config(const Recipe& recipe, int64_t vocabulary) {
  const ModelOptions& m = recipe.model;
  if (m.vocab_size > 0 && vocabulary > m.vocab_size)
    fail_usage(
        fmt::format("model.vocab_size = {} is less than the {} tokens of the tokenizer; leave it out or raise it",
                    m.vocab_size, vocabulary));
  GptConfig config;
  config.family = parse_family(m.model_type, "model.model_type");
  config.vocab_size = m.vocab_size > 0 ? m.vocab_size : vocabulary > 0 ? vocabulary : recipe.tokenizer.vocab_size;
  config.context = m.n_positions > 0 ? m.n_positions : recipe.train.context;
  config.width = m.n_embd;
  config.layers = m.n_layer;
  config.heads = m.n_head;
  config.kv_heads = m.num_key_value_heads;
  config.inner = m.n_inner;
  config.epsilon = m.norm_epsilon;
  config.rope_theta = m.rope_theta;
  config.tied = m.tie_word_embeddings;
  config.initializer_range = m.initializer_range;
  config.dropout = m.dropout;
  return resolved(config, "recipe");
}

StepOptions step_options(const Recipe& recipe) {
  return {.batch = recipe.train.batch_size,
          .context = recipe.train.context,
          .accumulation = recipe.train.accumulation,
          .beta1 = recipe.optim.beta1,
          .beta2 = recipe.optim.beta2,
          .epsilon = recipe.optim.epsilon,
          .weight_decay = recipe.optim.weight_decay,
          .clip = recipe.optim.clip,
          .seed = static_cast<uint64_t>(recipe.train.seed)};
}

LossFunction gpt_loss_function(const GptConfig& config) {
  return [config](Parameters& parameters, Value tokens, Value targets, Mode mode) {
    return gpt_loss(parameters, config, tokens, targets, mode);
  };
}

}  // namespace sesame
