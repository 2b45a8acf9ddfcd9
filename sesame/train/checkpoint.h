#pragma once

#include <filesystem>
#include <string>

#include "sesame/base/file_system.h"
#include "sesame/models/gpt_config.h"
#include "sesame/text/tokenizer.h"
#include "sesame/train/state.h"
#include "sesame/train/step.h"

namespace sesame {

/// What a model directory holds besides its weights.
struct ModelFiles {
  GptConfig config;
  Tokenizer tokenizer;
  std::string recipe;  // TOML
};

/// Replaces `directory` by a complete model directory (config.json, generation_config.json, tokenizer.json,
/// model.safetensors, recipe.toml, MANIFEST), and with `state` state.safetensors as well, in one step: what was there
/// stays until the new content is on the medium. Throws Error saying that when the disk refuses.
void save_checkpoint(const std::filesystem::path& directory, const ModelFiles& files, TrainingStep& step,
                     const TrainingState* state, FileSystem& file_system = FileSystem::posix());

/// Loads parameters and moments of a checkpoint with state into `step`. Throws Error for files that are damaged or
/// missing.
TrainingState load_checkpoint(const std::filesystem::path& directory, const GptConfig& config, TrainingStep& step);

}  // namespace sesame
