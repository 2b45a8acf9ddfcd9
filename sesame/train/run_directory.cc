#include "sesame/train/run_directory.h"

#include <fmt/format.h>

#include <array>
#include <system_error>

#include "sesame/base/atomic_directory.h"
#include "sesame/base/error.h"
#include "sesame/base/file.h"

namespace sesame {
namespace {

namespace fs = std::filesystem;

constexpr std::array<const char*, 11> kRunFiles{"recipe.toml",   "tokenizer.json", "best",     "best.tmp",
                                                "best.old",      "last",           "last.tmp", "last.old",
                                                "metrics.jsonl", "events",         "data"};

bool present(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

bool holds_run(const RunDirectory& run) {
  return present(run.recipe()) || present(run.last()) || present(run.best()) || present(run.metrics());
}

bool is_empty_directory(const fs::path& path) {
  std::error_code error;
  const bool empty = fs::is_empty(path, error);
  if (error) fail(fmt::format("{}: cannot read the directory: {}", path.string(), error.message()));
  return empty;
}

/// Directories that Sesame wrote carry checksums; those of others do not.
void check_manifest(const fs::path& directory) {
  if (!present(directory / kManifestName)) return;
  try {
    verify_manifest(directory);
  } catch (const Error& error) {
    fail(fmt::format("{}; where the change is meant, remove {}", error.what(), (directory / kManifestName).string()));
  }
}

void remove_run(const RunDirectory& run) {
  for (const char* name : kRunFiles) {
    const fs::path path = run.root / name;
    std::error_code error;
    if (fs::is_directory(fs::symlink_status(path, error))) {
      remove_directory_tree(path);
    } else if (!fs::remove(path, error) && error) {
      fail(fmt::format("{}: cannot remove: {}", path.string(), error.message()));
    }
  }
}

}  // namespace

fs::path find_model(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored))
    fail(fmt::format(
        "{}: no such directory; a model is a directory with config.json, tokenizer.json and model.safetensors",
        path.string()));
  if (present(path / "config.json")) {
    check_manifest(path);
    return path;
  }
  for (const char* name : {"best", "last"})
    if (present(path / name) || present(path / (std::string(name) + ".old"))) return committed_directory(path / name);
  fail(fmt::format(
      "{}: not a model directory: it has no config.json (nor best/ or last/ of a training run); a model directory "
      "holds config.json, tokenizer.json and model.safetensors",
      path.string()));
}

void open_run_directory(const RunDirectory& run, bool resume, bool overwrite) {
  if (present(run.root) && !fs::is_directory(run.root))
    fail_usage(fmt::format("--out {}: is a file; give a directory", run.root.string()));
  if (present(run.root)) {
    if (holds_run(run)) {
      if (overwrite) {
        remove_run(run);
      } else if (!resume) {
        fail_usage(fmt::format(
            "--out {}: holds a run already; add --resume to go on with it, --overwrite to throw it away, or "
            "choose another directory",
            run.root.string()));
      }
    } else if (!is_empty_directory(run.root)) {
      bool known = true;  // what a run killed in its first moments leaves
      for (const fs::directory_entry& entry : fs::directory_iterator(run.root)) {
        const std::string name = entry.path().filename().string();
        known = known && (name.starts_with("recipe.toml.tmp") || name == "data" || name.starts_with("tokenizer.json"));
      }
      if (!known)
        fail_usage(
            fmt::format("--out {}: holds other files and no run; choose a new or empty directory", run.root.string()));
    }
  }
  make_directories(run.root);
}

}  // namespace sesame
