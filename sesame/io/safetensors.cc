#include "sesame/io/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <numeric>
#include <utility>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/io/tensor_type.h"

namespace sesame {

namespace {

/// Edit distance (Levenshtein 1966), to name the tensor that was meant.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i + 1);
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replace = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replace, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

}  // namespace

struct SafetensorsFile::State {
  MappedFile file;
  SafetensorsContents contents;
  std::vector<size_t> by_name;  // indices into contents.tensors, sorted by name
};

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path) : state_(std::make_unique<State>()) {
  state_->file = MappedFile(path);
  state_->contents = parse_safetensors(state_->file.bytes(), path.string());
  const std::vector<TensorView>& tensors = state_->contents.tensors;
  state_->by_name.resize(tensors.size());
  std::iota(state_->by_name.begin(), state_->by_name.end(), size_t{0});
  std::ranges::sort(state_->by_name, {}, [&](size_t i) -> std::string_view { return tensors[i].name; });
}

SafetensorsFile::~SafetensorsFile() = default;
SafetensorsFile::SafetensorsFile(SafetensorsFile&&) noexcept = default;
SafetensorsFile& SafetensorsFile::operator=(SafetensorsFile&&) noexcept = default;

const std::filesystem::path& SafetensorsFile::path() const { return state_->file.path(); }
const std::vector<TensorView>& SafetensorsFile::tensors() const { return state_->contents.tensors; }
const std::map<std::string, std::string>& SafetensorsFile::metadata() const { return state_->contents.metadata; }

const TensorView* SafetensorsFile::find(std::string_view name) const {
  const auto name_of = [&](size_t i) -> std::string_view { return tensors()[i].name; };
  const auto found = std::ranges::lower_bound(state_->by_name, name, {}, name_of);
  return found != state_->by_name.end() && name_of(*found) == name ? &tensors()[*found] : nullptr;
}

const TensorView& SafetensorsFile::at(std::string_view name) const {
  if (const TensorView* tensor = find(name)) return *tensor;
  if (tensors().empty())
    fail(fmt::format("{}: no tensor '{}'; the file holds no tensors at all", path().string(), name));
  const TensorView& nearest =
      *std::ranges::min_element(tensors(), {}, [&](const TensorView& t) { return edit_distance(t.name, name); });
  fail(fmt::format("{}: no tensor '{}' among its {}; the most similar name is '{}'; is this a model of another kind?",
                   path().string(), name, tensors().size(), nearest.name));
}

int64_t TensorView::elements() const {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

namespace {

std::string describe(const TensorView& tensor) {
  return fmt::format("tensor '{}' {}[{}]", tensor.name, tensor_type_name(tensor.type), fmt::join(tensor.shape, ", "));
}

template <typename T>
T element_at(const TensorView& tensor, size_t index) {
  T value;  // the bytes of a foreign file need not be aligned
  std::memcpy(&value, tensor.bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

}  // namespace

void copy_as_float32(const TensorView& tensor, std::span<float> out) {
  if (tensor.bytes.size() != out.size() * element_size(tensor.type)) {
    fail(fmt::format("{}: expected {} elements, found {}", describe(tensor), out.size(), tensor.elements()));
  }
  switch (tensor.type) {
    case TensorType::f32:
      if (!out.empty()) std::memcpy(out.data(), tensor.bytes.data(), tensor.bytes.size());
      return;
    case TensorType::f64:
      for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<float>(element_at<double>(tensor, i));
      return;
    case TensorType::f16:
      for (size_t i = 0; i < out.size(); ++i) out[i] = float_of_f16(element_at<uint16_t>(tensor, i));
      return;
    case TensorType::bf16:
      for (size_t i = 0; i < out.size(); ++i) out[i] = float_of_bf16(element_at<uint16_t>(tensor, i));
      return;
    default:
      fail(fmt::format("{}: expected one of F32, F64, F16, BF16", describe(tensor)));
  }
}

namespace {

template <typename T>
constexpr TensorType type_of() {
  if constexpr (std::is_same_v<T, float>) return TensorType::f32;
  if constexpr (std::is_same_v<T, double>) return TensorType::f64;
  if constexpr (std::is_same_v<T, int32_t>) return TensorType::i32;
  if constexpr (std::is_same_v<T, int64_t>) return TensorType::i64;
  if constexpr (std::is_same_v<T, uint32_t>) return TensorType::u32;
  if constexpr (std::is_same_v<T, uint64_t>) return TensorType::u64;
}

}  // namespace

template <typename T>
void copy_elements(const TensorView& tensor, std::span<T> out) {
  if (tensor.type != type_of<T>() || tensor.bytes.size() != out.size_bytes()) {
    fail(fmt::format("{}: expected {} elements of type {}", describe(tensor), out.size(),
                     tensor_type_name(type_of<T>())));
  }
  if (!out.empty()) std::memcpy(out.data(), tensor.bytes.data(), out.size_bytes());
}

template <typename T>
TensorView view_of(std::string name, std::vector<int64_t> shape, std::span<const T> values) {
  return {std::move(name), type_of<T>(), std::move(shape), std::as_bytes(values)};
}

template void copy_elements(const TensorView&, std::span<float>);
template void copy_elements(const TensorView&, std::span<double>);
template void copy_elements(const TensorView&, std::span<int32_t>);
template void copy_elements(const TensorView&, std::span<int64_t>);
template void copy_elements(const TensorView&, std::span<uint32_t>);
template void copy_elements(const TensorView&, std::span<uint64_t>);
template TensorView view_of(std::string, std::vector<int64_t>, std::span<const float>);
template TensorView view_of(std::string, std::vector<int64_t>, std::span<const double>);
template TensorView view_of(std::string, std::vector<int64_t>, std::span<const int32_t>);
template TensorView view_of(std::string, std::vector<int64_t>, std::span<const int64_t>);
template TensorView view_of(std::string, std::vector<int64_t>, std::span<const uint32_t>);
template TensorView view_of(std::string, std::vector<int64_t>, std::span<const uint64_t>);

}  // namespace sesame
