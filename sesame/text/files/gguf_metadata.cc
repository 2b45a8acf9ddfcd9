#include "sesame/text/files/gguf_metadata.h"

#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "sesame/base/error.h"

namespace sesame {
namespace {

enum Type : uint32_t {
  uint8_type,
  int8_type,
  uint16_type,
  int16_type,
  uint32_type,
  int32_type,
  float32_type,
  boolean_type,
  string_type,
  array_type,
  uint64_type,
  int64_type,
  float64_type,
};

/// Reads little-endian values and complains about a file that ends too early.
class GgufReader {
 public:
  GgufReader(std::string_view bytes, std::string_view origin) : bytes_(bytes), origin_(origin) {}

  template <typename T>
  T read() {
    T value;
    const std::string_view bytes = take(sizeof value);
    std::memcpy(&value, bytes.data(), bytes.size());
    return value;
  }

  std::string_view take(uint64_t size) {
    if (size > bytes_.size()) fail(fmt::format("{}: the file ends inside its metadata", origin_));
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }

  std::string_view string() { return take(read<uint64_t>()); }

  double number(uint32_t type) {
    switch (type) {
      case uint8_type:
      case boolean_type:
        return read<uint8_t>();
      case int8_type:
        return read<int8_t>();
      case uint16_type:
        return read<uint16_t>();
      case int16_type:
        return read<int16_t>();
      case uint32_type:
        return read<uint32_t>();
      case int32_type:
        return read<int32_t>();
      case float32_type:
        return static_cast<double>(read<float>());
      case uint64_type:
        return static_cast<double>(read<uint64_t>());
      case int64_type:
        return static_cast<double>(read<int64_t>());
      case float64_type:
        return read<double>();
      default:
        fail(fmt::format("{}: metadata of type {}, which GGUF does not have", origin_, type));
    }
  }

  /// How many elements an array claims; none takes less than a byte.
  uint64_t count() {
    const auto count = read<uint64_t>();
    if (count > bytes_.size()) fail(fmt::format("{}: an array of {} elements does not fit the file", origin_, count));
    return count;
  }

 private:
  std::string_view bytes_;
  std::string_view origin_;
};

}  // namespace

GgufMetadata::GgufMetadata(std::string_view bytes, std::string_view prefix, std::string_view origin) : origin_(origin) {
  GgufReader reader(bytes, origin);
  if (reader.take(4) != "GGUF") fail(fmt::format("{}: not a GGUF file", origin));
  const auto version = reader.read<uint32_t>();
  if (version != 2 && version != 3) fail(fmt::format("{}: GGUF version {}, expected 2 or 3", origin, version));
  (void)reader.read<uint64_t>();  // tensors
  const auto keys = reader.read<uint64_t>();
  for (uint64_t i = 0; i < keys; ++i) {
    const std::string_view key = reader.string();
    const auto type = reader.read<uint32_t>();
    Value value;
    if (type == string_type) {
      value = reader.string();
    } else if (type == array_type) {
      const auto of = reader.read<uint32_t>();
      const uint64_t count = reader.count();
      if (of == string_type) {
        std::vector<std::string_view> strings;
        for (uint64_t j = 0; j < count; ++j) strings.push_back(reader.string());
        value = std::move(strings);
      } else {
        std::vector<double> numbers;
        for (uint64_t j = 0; j < count; ++j) numbers.push_back(reader.number(of));
        value = std::move(numbers);
      }
    } else {
      value = reader.number(type);
    }
    if (key.starts_with(prefix) && !values_.emplace(key, std::move(value)).second) fail_at(key, "appears twice");
  }
}

template <typename T>
const T* GgufMetadata::find(std::string_view key, std::string_view type) const {
  const auto found = values_.find(key);
  if (found == values_.end()) return nullptr;
  const T* value = std::get_if<T>(&found->second);
  if (value == nullptr) fail_at(key, fmt::format("expected {}", type));
  return value;
}

void GgufMetadata::fail_at(std::string_view key, std::string_view what) const {
  fail(fmt::format("{}: {}: {}", origin_, key, what));
}

std::string_view GgufMetadata::string(std::string_view key) const {
  const auto* value = find<std::string_view>(key, "a string");
  if (value == nullptr) fail_at(key, "missing");
  return *value;
}

std::string_view GgufMetadata::string_or(std::string_view key, std::string_view otherwise) const {
  const auto* value = find<std::string_view>(key, "a string");
  return value == nullptr ? otherwise : *value;
}

int64_t GgufMetadata::integer_or(std::string_view key, int64_t otherwise) const {
  const auto* value = find<double>(key, "an integer");
  if (value == nullptr) return otherwise;
  if (!(*value >= -1e15 && *value <= 1e15)) fail_at(key, "out of range");
  return static_cast<int64_t>(*value);
}

bool GgufMetadata::boolean_or(std::string_view key, bool otherwise) const {
  return integer_or(key, otherwise ? 1 : 0) != 0;
}

const std::vector<std::string_view>& GgufMetadata::strings(std::string_view key) const {
  const auto* value = find<std::vector<std::string_view>>(key, "an array of strings");
  if (value == nullptr) fail_at(key, "missing");
  return *value;
}

const std::vector<double>& GgufMetadata::numbers(std::string_view key) const {
  const auto* value = find<std::vector<double>>(key, "an array of numbers");
  if (value == nullptr) fail_at(key, "missing");
  return *value;
}

}  // namespace sesame
