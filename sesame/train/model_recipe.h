#pragma once

#include "sesame/models/gpt_config.h"
#include "sesame/train/recipe.h"
#include "sesame/train/step.h"

namespace sesame {

/// The model that a recipe asks for, resolved, for a tokenizer of `vocabulary` tokens; 0: none is known yet, and the
/// recipe's own figures are taken. Throws usage Error when model.vocab_size is smaller than the vocabulary.
GptConfig model_config(const Recipe& recipe, int64_t vocabulary = 0);

/// The recipe's micro-batch, accumulation and optimiser.
StepOptions step_options(const Recipe& recipe);

/// gpt_loss of a config.
LossFunction gpt_loss_function(const GptConfig& config);

}  // namespace sesame
