#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "sesame/base/file.h"

namespace sesame {

/// One named number of a training step.
struct Scalar {
  std::string_view tag;
  float value = 0;
};

/// Writes scalars as a TensorBoard event file: TFRecord framing with masked CRC-32C around `Event` protocol buffers.
/// Each writer starts a file of its own, so a resumed run appends by adding a file; TensorBoard reads them all in
/// order.
class TensorboardWriter {
 public:
  /// Creates `directory` where needed and in it events.out.tfevents.<seconds>.<host>.<pid>[.<n>], never touching a file
  /// that is there. Throws Error when it can't be created.
  explicit TensorboardWriter(const std::filesystem::path& directory, FileSystem& files = FileSystem::posix());

  /// Appends one event with all scalars of a step and flushes it to the file. Throws Error when the write fails.
  void write(int64_t step, std::span<const Scalar> scalars);

  [[nodiscard]] const std::filesystem::path& path() const { return out_.path(); }

 private:
  FileWriter out_;
};

/// The bytes of a record: length, its masked CRC-32C, data, its masked CRC-32C.
std::string tensorboard_record(std::string_view data);

/// The serialised first event of every file: wall time in seconds and the version "brain.Event:2".
std::string tensorboard_version_event(double wall_time);

/// A serialised event with scalars.
std::string tensorboard_scalar_event(double wall_time, int64_t step, std::span<const Scalar> scalars);

}  // namespace sesame
