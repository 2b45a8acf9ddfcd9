#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/base/file_system.h"
#include "sesame/io/tensor_type.h"

namespace sesame {

/// A tensor that lies in someone else's memory: row-major, little-endian, bytes.size() == product(shape) *
/// element_size.
struct TensorView {
  std::string name;
  TensorType type = TensorType::f32;
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;

  /// Product of the shape; 1 for a scalar.
  [[nodiscard]] int64_t elements() const;
};

/// Writes a safetensors file atomically (temporary file, fsync, rename), one tensor after the other, without copying
/// them. Order and padding are those of the reference writer: larger element types first, then by name; the header is
/// padded with spaces to a multiple of 8, so equal tensors give equal files. Throws Error on a duplicate name, a tensor
/// whose bytes do not fit its shape, and any failure to write (what was at `path` stays).
void write_safetensors(const std::filesystem::path& path, std::span<const TensorView> tensors,
                       const std::map<std::string, std::string>& metadata = {{"format", "pt"}},
                       FileSystem& files = FileSystem::posix());

/// What a safetensors file holds; the views point into the bytes that were parsed.
struct SafetensorsContents {
  std::vector<TensorView> tensors;  // by offset
  std::map<std::string, std::string> metadata;
};

/// Parses and validates a whole safetensors file: header length and JSON, types, shapes (no overflow), offsets without
/// overlap, hole or remainder, no duplicate key. Throws Error that names `source` and the tensor.
SafetensorsContents parse_safetensors(std::span<const std::byte> bytes, std::string_view source);

/// A safetensors file, mapped into memory. Movable; views stay valid as long as the object (or the one moved to) lives.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::filesystem::path& path);
  ~SafetensorsFile();
  SafetensorsFile(SafetensorsFile&&) noexcept;
  SafetensorsFile& operator=(SafetensorsFile&&) noexcept;

  [[nodiscard]] const std::filesystem::path& path() const;
  [[nodiscard]] const std::vector<TensorView>& tensors() const;  // by offset
  [[nodiscard]] const std::map<std::string, std::string>& metadata() const;

  /// The tensor of that name, or nullptr.
  [[nodiscard]] const TensorView* find(std::string_view name) const;

  /// The tensor of that name. Throws Error that names the file and the most similar name in it.
  [[nodiscard]] const TensorView& at(std::string_view name) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Copies a tensor of type F32, F64, F16 or BF16 as float32. out.size() must be tensor.elements(). Exact except for
/// F64, which is rounded to nearest. Throws Error on another type or size.
void copy_as_float32(const TensorView& tensor, std::span<float> out);

/// Copies a tensor's elements of exactly type T (float F32, double F64, int32_t I32, int64_t I64, uint32_t U32,
/// uint64_t U64). Throws Error on another type or size.
template <typename T>
void copy_elements(const TensorView& tensor, std::span<T> out);

/// A view of values in memory, for write_safetensors. T as in copy_elements. The values must outlive the view.
template <typename T>
TensorView view_of(std::string name, std::vector<int64_t> shape, std::span<const T> values);

}  // namespace sesame
