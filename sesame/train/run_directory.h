#pragma once

#include <filesystem>

namespace sesame {

/// The files of a training run:
///
///     OUT/recipe.toml        all settings, resolved
///     OUT/tokenizer.json     as trained or given
///     OUT/best/              the model with the lowest validation loss: a complete model directory
///     OUT/last/              the model of the last checkpoint: the same, and state.safetensors to resume from
///     OUT/metrics.jsonl      a record for every log_every steps and every evaluation
///     OUT/events/            the same for TensorBoard
///     OUT/data/              token shards; may be deleted, resuming makes them again
///
/// best/ and last/ are replaced whole, in one step.
struct RunDirectory {
  std::filesystem::path root;

  [[nodiscard]] std::filesystem::path recipe() const { return root / "recipe.toml"; }
  [[nodiscard]] std::filesystem::path tokenizer() const { return root / "tokenizer.json"; }
  [[nodiscard]] std::filesystem::path best() const { return root / "best"; }
  [[nodiscard]] std::filesystem::path last() const { return root / "last"; }
  [[nodiscard]] std::filesystem::path metrics() const { return root / "metrics.jsonl"; }
  [[nodiscard]] std::filesystem::path events() const { return root / "events"; }
  [[nodiscard]] std::filesystem::path data() const { return root / "data"; }
};

/// The model directory that `path` means: itself if it holds a config.json, else its best/, else its last/. Throws
/// Error that says what a model directory holds, and for files that differ from the directory's MANIFEST.
std::filesystem::path find_model(const std::filesystem::path& path);

/// Makes `root` ready for a new run (`resume` false) or checks that it holds one to resume. A directory with a run in
/// it is an Error unless `overwrite`, which removes the run's files and nothing else; a directory with other files in
/// it is an Error always.
void open_run_directory(const RunDirectory& run, bool resume, bool overwrite);

}  // namespace sesame
