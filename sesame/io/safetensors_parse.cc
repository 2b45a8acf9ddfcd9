#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sesame/base/error.h"
#include "sesame/io/safetensors.h"

namespace sesame {
namespace {

static_assert(std::endian::native == std::endian::little, "tensor bytes are used as they lie in the file");

using nlohmann::json;

constexpr uint64_t kMaxHeaderBytes = 100'000'000;

/// What went wrong, with the file before it.
class Source {
 public:
  explicit Source(std::string_view name) : name_(name) {}

  [[noreturn]] void fail_damaged(const std::string& what) const {
    fail(fmt::format("{}: not a valid safetensors file: {}; make or download it anew", name_, what));
  }
  [[noreturn]] void fail_tensor(std::string_view tensor, const std::string& what) const {
    fail_damaged(fmt::format("tensor '{}': {}", tensor, what));
  }
  [[noreturn]] void fail_unsupported(std::string_view tensor, std::string_view type) const {
    fail(fmt::format("{}: tensor '{}': type {} is not supported; convert it to F32, F16 or BF16", name_, tensor, type));
  }

 private:
  std::string_view name_;
};

/// Parses JSON and refuses what nlohmann-json would let pass: duplicate keys, and nesting no valid header has.
json parse_strictly(std::string_view text, const Source& source) {
  constexpr int kMaxDepth = 4;
  std::vector<std::set<std::string>> keys;  // of each object that is open
  const json::parser_callback_t check = [&](int depth, json::parse_event_t event, json& value) {
    if (depth > kMaxDepth) source.fail_damaged("its header is nested too deeply");
    if (event == json::parse_event_t::object_start) keys.emplace_back();
    if (event == json::parse_event_t::object_end) keys.pop_back();
    if (event == json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second) {
      source.fail_damaged(fmt::format("the key '{}' occurs twice in its header", value.get<std::string>()));
    }
    return true;
  };
  try {
    return json::parse(text, check);
  } catch (const json::exception& error) {
    source.fail_damaged(fmt::format("its header is no valid JSON ({})", error.what()));
  }
}

std::string_view header_text(std::span<const std::byte> bytes, const Source& source) {
  uint64_t size = 0;
  if (bytes.size() < sizeof size) source.fail_damaged(fmt::format("only {} bytes long", bytes.size()));
  std::memcpy(&size, bytes.data(), sizeof size);
  if (size > kMaxHeaderBytes) {
    source.fail_damaged(fmt::format("its header claims {} bytes, more than {}", size, kMaxHeaderBytes));
  }
  if (size > bytes.size() - sizeof size) {
    source.fail_damaged(
        fmt::format("its header claims {} bytes, but only {} follow: truncated?", size, bytes.size() - sizeof size));
  }
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + sizeof size, size);
  if (!text.starts_with('{')) source.fail_damaged("its header does not start with '{'");
  return text;
}

std::map<std::string, std::string> metadata_of(const json& value, const Source& source) {
  std::map<std::string, std::string> metadata;
  if (!value.is_object()) source.fail_damaged("__metadata__ is no object");
  for (const auto& [key, text] : value.items()) {
    if (!text.is_string()) source.fail_damaged(fmt::format("__metadata__ '{}' is no string", key));
    metadata[key] = text.get<std::string>();
  }
  return metadata;
}

uint64_t unsigned_of(const std::string& tensor, const json& value, std::string_view what, const Source& source) {
  constexpr auto kMax = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (!value.is_number_unsigned() || value.get<uint64_t>() > kMax) {
    source.fail_tensor(tensor, fmt::format("{} holds {}, expected an integer from 0 to 2^63 - 1", what, value.dump()));
  }
  return value.get<uint64_t>();
}

/// A tensor of the header before its bytes are known to be there.
struct Entry {
  TensorView tensor;
  uint64_t begin = 0;
  uint64_t end = 0;
};

Entry entry_of(const std::string& name, const json& value, const Source& source) {
  for (const char* key : {"dtype", "shape", "data_offsets"}) {
    if (!value.is_object() || !value.contains(key)) source.fail_tensor(name, fmt::format("lacks '{}'", key));
  }
  Entry entry;
  entry.tensor.name = name;
  const json& type_name = value["dtype"];
  if (!type_name.is_string()) source.fail_tensor(name, "its dtype is no string");
  const auto type = tensor_type_named(type_name.get<std::string>());
  if (!type) source.fail_unsupported(name, type_name.get<std::string>());
  entry.tensor.type = *type;

  const json& shape = value["shape"];
  if (!shape.is_array()) source.fail_tensor(name, "its shape is no list");
  uint64_t bytes = element_size(*type);
  for (const json& extent : shape) {
    entry.tensor.shape.push_back(static_cast<int64_t>(unsigned_of(name, extent, "its shape", source)));
    if (__builtin_mul_overflow(bytes, extent.get<uint64_t>(), &bytes)) {
      source.fail_tensor(name, fmt::format("its shape {} has more elements than any memory", shape.dump()));
    }
  }

  const json& offsets = value["data_offsets"];
  if (!offsets.is_array() || offsets.size() != 2) source.fail_tensor(name, "data_offsets is no pair");
  entry.begin = unsigned_of(name, offsets[0], "data_offsets", source);
  entry.end = unsigned_of(name, offsets[1], "data_offsets", source);
  if (entry.end < entry.begin || entry.end - entry.begin != bytes) {
    source.fail_tensor(name, fmt::format("data_offsets {} do not span the {} bytes of {}{}", offsets.dump(), bytes,
                                         tensor_type_name(*type), shape.dump()));
  }
  return entry;
}

/// Gives the entries, sorted by offset, their bytes of the buffer, which they must fill without hole or overlap.
std::vector<TensorView> place(std::vector<Entry> entries, std::span<const std::byte> buffer, const Source& source) {
  std::ranges::sort(
      entries, [](const Entry& a, const Entry& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
  std::vector<TensorView> tensors;
  uint64_t expected = 0;
  for (Entry& entry : entries) {
    if (entry.begin != expected) {
      source.fail_tensor(entry.tensor.name, fmt::format("starts at byte {} of the data, expected {} ({})", entry.begin,
                                                        expected, entry.begin < expected ? "overlap" : "hole"));
    }
    if (entry.end > buffer.size()) {
      source.fail_tensor(
          entry.tensor.name,
          fmt::format("ends at byte {} of the data, but the file has only {}: truncated?", entry.end, buffer.size()));
    }
    entry.tensor.bytes = buffer.subspan(entry.begin, entry.end - entry.begin);
    expected = entry.end;
    tensors.push_back(std::move(entry.tensor));
  }
  if (expected != buffer.size()) {
    source.fail_damaged(fmt::format("{} bytes follow the last tensor", buffer.size() - expected));
  }
  return tensors;
}

}  // namespace

SafetensorsContents parse_safetensors(std::span<const std::byte> bytes, std::string_view source_name) {
  const Source source(source_name);
  const std::string_view text = header_text(bytes, source);
  const json header = parse_strictly(text, source);
  SafetensorsContents contents;
  std::vector<Entry> entries;
  for (const auto& [name, value] : header.items()) {
    if (name == "__metadata__") {
      contents.metadata = metadata_of(value, source);
    } else {
      entries.push_back(entry_of(name, value, source));
    }
  }
  contents.tensors = place(std::move(entries), bytes.subspan(sizeof(uint64_t) + text.size()), source);
  return contents;
}

}  // namespace sesame
