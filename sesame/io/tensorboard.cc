#include "sesame/io/tensorboard.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <chrono>

#include "sesame/base/crc32c.h"

namespace sesame {
namespace {

static_assert(std::endian::native == std::endian::little, "values are appended as they lie in memory");

template <typename T>
void append_raw(std::string& out, T value) {
  const auto bytes = std::bit_cast<std::array<char, sizeof(T)>>(value);
  out.append(bytes.data(), bytes.size());
}

// Protocol Buffers wire format: https://protobuf.dev/programming-guides/encoding/
enum class Wire : uint64_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

void append_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(static_cast<uint8_t>(value) | 0x80));
  out.push_back(static_cast<char>(value));
}

void append_key(std::string& out, uint64_t field, Wire wire) {
  append_varint(out, field << 3 | static_cast<uint64_t>(wire));
}

void append_bytes(std::string& out, uint64_t field, std::string_view bytes) {
  append_key(out, field, Wire::bytes);
  append_varint(out, bytes.size());
  out.append(bytes);
}

// Event: 1 wall_time, 2 step, 3 file_version, 5 summary. Summary: 1 value. Summary.Value: 1 tag, 2 simple_value.
std::string event_of(double wall_time) {
  std::string event;
  append_key(event, 1, Wire::fixed64);
  append_raw(event, wall_time);
  return event;
}

uint32_t masked_crc32c(std::string_view data) {
  const uint32_t crc = crc32c(std::as_bytes(std::span(data)));
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::filesystem::path unused_path(const std::filesystem::path& directory, double wall_time) {
  std::array<char, 256> host = {};
  if (::gethostname(host.data(), host.size() - 1) != 0 || host[0] == '\0') host = {'l', 'o', 'c', 'a', 'l'};
  const std::string stem =
      fmt::format("events.out.tfevents.{:010}.{}.{}", static_cast<int64_t>(wall_time), host.data(), ::getpid());
  std::filesystem::path path = directory / stem;
  for (int n = 1; std::filesystem::exists(path); ++n) path = directory / fmt::format("{}.{}", stem, n);
  return path;
}

FileWriter create_event_file(const std::filesystem::path& directory, FileSystem& files) {
  make_directories(directory, files);
  const double now = now_seconds();
  FileWriter out = FileWriter::append(unused_path(directory, now), files);
  out.write(tensorboard_record(tensorboard_version_event(now)));
  out.flush();
  return out;
}

}  // namespace

std::string tensorboard_record(std::string_view data) {
  std::string record;
  append_raw(record, static_cast<uint64_t>(data.size()));
  append_raw(record, masked_crc32c(record));
  record += data;
  append_raw(record, masked_crc32c(data));
  return record;
}

std::string tensorboard_version_event(double wall_time) {
  std::string event = event_of(wall_time);
  append_bytes(event, 3, "brain.Event:2");
  return event;
}

std::string tensorboard_scalar_event(double wall_time, int64_t step, std::span<const Scalar> scalars) {
  std::string summary;
  for (const Scalar& scalar : scalars) {
    std::string value;
    append_bytes(value, 1, scalar.tag);
    append_key(value, 2, Wire::fixed32);
    append_raw(value, scalar.value);
    append_bytes(summary, 1, value);
  }
  std::string event = event_of(wall_time);
  append_key(event, 2, Wire::varint);
  append_varint(event, static_cast<uint64_t>(step));
  append_bytes(event, 5, summary);
  return event;
}

TensorboardWriter::TensorboardWriter(const std::filesystem::path& directory, FileSystem& files)
    : out_(create_event_file(directory, files)) {}

void TensorboardWriter::write(int64_t step, std::span<const Scalar> scalars) {
  out_.write(tensorboard_record(tensorboard_scalar_event(now_seconds(), step, scalars)));
  out_.flush();
}

}  // namespace sesame
