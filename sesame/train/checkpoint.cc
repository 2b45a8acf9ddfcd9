#include "sesame/train/checkpoint.h"

#include <fmt/format.h>

#include "sesame/base/atomic_directory.h"
#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/train/model_directory.h"

namespace sesame {

void save_checkpoint(const std::filesystem::path& directory, const ModelFiles& files, TrainingStep& step,
                     const TrainingState* state, FileSystem& file_system) {
  try {
    AtomicDirectory out(directory, file_system);
    save_config(out.path(), files.config, special_ids(files.tokenizer));
    files.tokenizer.save(out.path());
    save_parameters(out.path(), files.config, step.variables());
    write_file_atomically(out.path() / "recipe.toml", files.recipe, file_system);
    if (state)
      save_state(out.path() / "state.safetensors", *state, step.flat_first_moment(), step.flat_second_moment());
    out.commit();
  } catch (const Error& error) {
    fail(fmt::format("could not save {}: {}; what was saved there before is intact", directory.string(), error.what()));
  }
}

TrainingState load_checkpoint(const std::filesystem::path& directory, const GptConfig& config, TrainingStep& step) {
  const std::filesystem::path source = committed_directory(directory);
  const GptConfig saved = resolved(load_config(source), source.string());
  GptConfig wanted = config;
  wanted.dropout = saved.dropout;  // a setting of the run, not of the weights
  if (!(saved == wanted))
    fail(fmt::format("{}: holds another model than the recipe asks for:\n  saved:  {}\n  recipe: {}", source.string(),
                     to_string(saved), to_string(config)));
  load_parameters(source, config, step.variables());
  return load_state(source / "state.safetensors", step.flat_first_moment(), step.flat_second_moment());
}

}  // namespace sesame
