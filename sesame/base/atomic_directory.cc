#include "sesame/base/atomic_directory.h"

#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <system_error>
#include <utility>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/base/hash.h"

namespace sesame {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFirstLine = "sesame manifest 1";
constexpr uint64_t kMaxManifestBytes = uint64_t{64} << 20;

std::string reason(int error) { return std::generic_category().message(error); }

fs::path with_suffix(fs::path path, std::string_view suffix) {
  if (path.filename().empty()) path = path.parent_path();  // "checkpoints/last/" and "checkpoints/last" are one name
  path += suffix;
  return path;
}

fs::path parent_of(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : fs::path("."); }

/// The name without a trailing slash, and where a symbolic link leads.
fs::path resolved(const fs::path& name) {
  std::error_code ignored;
  if (fs::is_symlink(name, ignored)) return fs::weakly_canonical(name);
  return with_suffix(name, "");
}

bool present(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(path, ignored));
}

bool is_real_directory(const fs::path& path) {
  std::error_code ignored;
  return fs::symlink_status(path, ignored).type() == fs::file_type::directory;
}

std::vector<std::string> list_or_fail(const fs::path& path, FileSystem& files) {
  std::vector<std::string> names;
  if (const int error = files.list(path, names)) fail(fmt::format("cannot list {}: {}", path.string(), reason(error)));
  return names;
}

void sync_directory_or_fail(const fs::path& path, FileSystem& files) {
  if (const int error = files.sync_directory(path))
    fail(fmt::format("cannot sync {}: {}", path.string(), reason(error)));
}

void sync_file_or_fail(const fs::path& path, FileSystem& files) {
  int descriptor = -1;
  int error = files.open_for_reading(path, descriptor);
  if (error == 0) {
    error = files.sync(descriptor);
    files.close(descriptor);
  }
  if (error != 0) fail(fmt::format("cannot write {} to the disk: {}", path.string(), reason(error)));
}

/// Syncs every file and directory below `directory`, and lists the files.
void sync_tree(const fs::path& directory, const std::string& prefix, FileSystem& files,
               std::vector<ManifestEntry>& entries) {
  for (const std::string& name : list_or_fail(directory, files)) {
    const fs::path path = directory / name;
    if (is_real_directory(path)) {
      sync_tree(path, prefix + name + "/", files, entries);
      continue;
    }
    if (name.find('\n') != std::string::npos)
      fail(fmt::format("{}: a file name must not hold a line break", path.string()));
    sync_file_or_fail(path, files);
    const MappedFile file(path, files);
    entries.push_back({prefix + name, file.size(), xxh3(file.bytes())});
  }
  sync_directory_or_fail(directory, files);
}

std::string format_manifest(const std::vector<ManifestEntry>& entries) {
  std::string text = fmt::format("{}\n", kFirstLine);
  for (const ManifestEntry& entry : entries)
    text += fmt::format("{:016x} {} {}\n", entry.xxh3, entry.bytes, entry.path);
  return text + fmt::format("end {:016x}\n", xxh3(text));
}

template <typename Integer>
bool parse_whole(std::string_view text, Integer& value, int base) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return error == std::errc() && end == text.data() + text.size();
}

std::string_view take_until(std::string_view& text, char separator) {
  const size_t at = text.find(separator);
  const std::string_view head = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
  return head;
}

std::vector<ManifestEntry> parse_manifest(std::string_view text, const fs::path& path) {
  const auto damaged = [&](std::string_view what) {
    fail(fmt::format("{} is damaged ({}): the directory cannot be trusted; use another checkpoint", path.string(),
                     what));
  };
  const size_t end = text.rfind("end ");
  uint64_t expected = 0;
  const bool ends_well = end != std::string_view::npos && end > 0 && text[end - 1] == '\n' && text.back() == '\n' &&
                         parse_whole(text.substr(end + 4, text.size() - end - 5), expected, 16);
  if (!ends_well) damaged("its last line is missing");
  std::string_view body = text.substr(0, end);
  if (xxh3(body) != expected) damaged("its checksum does not hold");
  if (take_until(body, '\n') != kFirstLine) damaged(fmt::format("its first line is not \"{}\"", kFirstLine));
  std::vector<ManifestEntry> entries;
  while (!body.empty()) {
    std::string_view line = take_until(body, '\n');
    ManifestEntry entry;
    if (!parse_whole(take_until(line, ' '), entry.xxh3, 16) || !parse_whole(take_until(line, ' '), entry.bytes, 10)) {
      damaged(fmt::format("line {} has no checksum and size", entries.size() + 2));
    }
    entry.path = line;
    entries.push_back(std::move(entry));
  }
  return entries;
}

/// The error that kept f from its end, or "".
template <typename F>
std::string failure_of(F&& f) {
  try {
    f();
    return {};
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace

void remove_directory_tree(const fs::path& path, FileSystem& files) {
  if (!present(path)) return;
  int error = 0;
  if (is_real_directory(path)) {
    for (const std::string& name : list_or_fail(path, files)) remove_directory_tree(path / name, files);
    error = files.remove_directory(path);
  } else {
    error = files.remove_file(path);
  }
  if (error != 0) fail(fmt::format("cannot remove {}: {}", path.string(), reason(error)));
}

AtomicDirectory::AtomicDirectory(const fs::path& name, FileSystem& files)
    : name_(resolved(name)), temporary_(with_suffix(name_, ".tmp")), files_(files) {
  if (present(name_) && !is_real_directory(name_)) {
    fail(fmt::format("cannot write the directory {}: a file of that name exists", name_.string()));
  }
  make_directories(parent_of(name_), files_);
  remove_directory_tree(temporary_, files_);
  if (const int error = files_.make_directory(temporary_)) {
    fail(fmt::format("cannot create the directory {}: {}", temporary_.string(), reason(error)));
  }
}

AtomicDirectory::~AtomicDirectory() {
  // A destructor must not throw: what cannot be removed now is removed by the next AtomicDirectory of this name.
  if (!committed_) failure_of([&] { remove_directory_tree(temporary_, files_); });
}

void AtomicDirectory::write_manifest() {
  std::vector<ManifestEntry> entries;
  sync_tree(temporary_, "", files_, entries);
  FileWriter writer = FileWriter::create(temporary_ / kManifestName, files_);
  writer.write(format_manifest(entries));
  writer.sync();
  writer.close();
  sync_directory_or_fail(temporary_, files_);
}

void AtomicDirectory::commit() {
  if (committed_) fail(fmt::format("{} is committed already", name_.string()));
  write_manifest();
  const fs::path old = with_suffix(name_, ".old");
  const auto refuse = [&](int error) {
    fail(fmt::format("cannot move {} to {}: {}; the previous content is untouched", temporary_.string(), name_.string(),
                     reason(error)));
  };
  // An `old` beside a missing `name` is the last good content of a run killed between two renames: it stays until
  // the new content has its name.
  const bool replaces = present(name_);
  int error = replaces ? files_.exchange(temporary_, name_) : files_.rename(temporary_, name_);
  if (replaces && (error == EINVAL || error == ENOSYS || error == ENOTSUP)) {
    remove_directory_tree(old, files_);
    if (const int old_error = files_.rename(name_, old)) refuse(old_error);
    error = files_.rename(temporary_, name_);
    if (error != 0) files_.rename(old, name_);
  }
  if (error != 0) refuse(error);
  committed_ = true;
  sync_directory_or_fail(parent_of(name_), files_);
  // The new content has its name: whatever cannot be removed is left, and the next save of this name tries again.
  failure_of([&] { remove_directory_tree(temporary_, files_); });
  failure_of([&] { remove_directory_tree(old, files_); });
}

std::vector<ManifestEntry> verify_manifest(const fs::path& directory, FileSystem& files) {
  const fs::path path = directory / kManifestName;
  if (!present(path)) {
    fail(fmt::format("{} has no {}: it is not a directory that was written to its end", directory.string(),
                     kManifestName));
  }
  std::vector<ManifestEntry> entries = parse_manifest(read_file(path, kMaxManifestBytes, files), path);
  for (const ManifestEntry& entry : entries) {
    const fs::path file_path = directory / entry.path;
    const MappedFile file(file_path, files);
    if (file.size() != entry.bytes) {
      fail(fmt::format("{} has {} bytes, but {} says {}: the file is damaged", file_path.string(), file.size(),
                       path.string(), entry.bytes));
    }
    if (xxh3(file.bytes()) != entry.xxh3) {
      fail(fmt::format("{} does not have the checksum that {} says: the file is damaged", file_path.string(),
                       path.string()));
    }
  }
  return entries;
}

fs::path committed_directory(const fs::path& name, FileSystem& files) {
  fs::path old = with_suffix(resolved(name), ".old");
  const std::string wrong = failure_of([&] { verify_manifest(name, files); });
  if (wrong.empty()) return name;
  if (failure_of([&] { verify_manifest(old, files); }).empty()) return old;
  fail(wrong);
}

}  // namespace sesame
