#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "sesame/base/file_system.h"

namespace sesame {

/// A directory of files that is replaced as a whole: a checkpoint, a model.
///
/// Protocol, for the directory `name`:
/// 1. `name.tmp` is created; one that a killed run left behind is removed first.
/// 2. The caller writes its files below path().
/// 3. commit() syncs every file and directory and writes `name.tmp/MANIFEST` last: size and XXH3 of every file, and the
///    XXH3 of the manifest itself. From here on the new content is complete.
/// 4. Where `name` exists, the two names are exchanged in one step (renameat2), so that `name` is complete at every
/// moment.
///    A file system that cannot do that gets two renames: `name` to `name.old`, `name.tmp` to `name`. Where `name` does
///    not exist, `name.tmp` is renamed to it.
/// 5. The parent directory is synced, and only then is the former content removed.
///
/// Whoever loads calls committed_directory(name): it returns `name`, or `name.old` when a run was killed between the
/// two renames. So after a kill, a loss of power or a full disk at any point, the old content or the new one can be
/// loaded.
class AtomicDirectory {
 public:
  /// Throws Error when `name.tmp` cannot be created. Parent directories are created.
  explicit AtomicDirectory(const std::filesystem::path& name, FileSystem& files = FileSystem::posix());
  /// Without commit(): removes `name.tmp`; `name` is as it was.
  ~AtomicDirectory();
  AtomicDirectory(const AtomicDirectory&) = delete;
  AtomicDirectory& operator=(const AtomicDirectory&) = delete;

  /// Where to write: `name.tmp`. Subdirectories are fine.
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return temporary_; }

  /// Makes the new content that of `name`. When this throws before step 4, the former content is untouched.
  void commit();

 private:
  void write_manifest();

  std::filesystem::path name_;
  std::filesystem::path temporary_;
  FileSystem& files_;
  bool committed_ = false;
};

struct ManifestEntry {
  std::string path;  // relative to the directory, with '/'
  uint64_t bytes = 0;
  uint64_t xxh3 = 0;

  bool operator==(const ManifestEntry&) const = default;
};

inline constexpr const char* kManifestName = "MANIFEST";

/// Reads `directory`/MANIFEST and every file that it lists. Throws Error that names the first file that is missing, has
/// another size or other content, or says that the manifest itself is missing or damaged. Files beside those are
/// ignored.
std::vector<ManifestEntry> verify_manifest(const std::filesystem::path& directory,
                                           FileSystem& files = FileSystem::posix());

/// The directory to load for `name`: `name` itself if its manifest holds, else `name.old` if that one's does. Throws
/// what is wrong with `name` otherwise.
std::filesystem::path committed_directory(const std::filesystem::path& name, FileSystem& files = FileSystem::posix());

/// Removes a directory and all below it; no error where it does not exist. Does not follow symbolic links.
void remove_directory_tree(const std::filesystem::path& path, FileSystem& files = FileSystem::posix());

}  // namespace sesame
