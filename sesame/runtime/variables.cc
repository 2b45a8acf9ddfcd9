#include "sesame/runtime/variables.h"

#include <fmt/format.h>

#include <cstring>
#include <new>

#include "sesame/base/error.h"
#include "sesame/base/huge_buffer.h"
#include "sesame/base/text_format.h"

namespace sesame {
namespace {

constexpr size_t kAlignment = 64;
// Below this a huge page of its own would be mostly waste.
constexpr size_t kHugeFrom = size_t{1} << 20;

size_t aligned(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

struct AlignedDelete {
  void operator()(std::byte* data) const { ::operator delete[](data, std::align_val_t{kAlignment}); }
};

}  // namespace

struct Variables::Storage {
  std::map<std::string, Tensor, std::less<>> tensors;
  std::vector<HugeBuffer> huge;
  std::vector<std::unique_ptr<std::byte[], AlignedDelete>> small;
  int64_t bytes = 0;

  std::byte* allocate(size_t size) {
    bytes += static_cast<int64_t>(size);
    if (size >= kHugeFrom) return huge.emplace_back(size, HugeBuffer::FirstTouch::now).data();
    auto* data = static_cast<std::byte*>(::operator new[](size, std::align_val_t{kAlignment}));
    std::memset(data, 0, size);
    return small.emplace_back(data).get();
  }

  void add(const std::string& name, Tensor tensor) {
    if (!tensors.emplace(name, tensor).second) fail(fmt::format("variables: there are two named \"{}\"", name));
  }
};

Variables::Variables() : storage_(std::make_unique<Storage>()) {}
Variables::~Variables() = default;
Variables::Variables(Variables&&) noexcept = default;
Variables& Variables::operator=(Variables&&) noexcept = default;

Tensor Variables::create(const std::string& name, Type type) {
  if (contains(name)) fail(fmt::format("variables: there are two named \"{}\"", name));
  const Tensor tensor{storage_->allocate(aligned(static_cast<size_t>(type.bytes()))), type};
  storage_->add(name, tensor);
  return tensor;
}

Tensor Variables::create_flat(const std::string& name, DType dtype, std::span<const Slice> slices) {
  std::vector<size_t> offsets;
  size_t bytes = 0;
  for (const Slice& slice : slices) {
    offsets.push_back(bytes);
    bytes += aligned(static_cast<size_t>(slice.shape.elements()) * size_of(dtype));
  }
  if (bytes == 0) fail(fmt::format("variables: \"{}\" has no slices", name));
  const Tensor flat = create(name, {dtype, {static_cast<int64_t>(bytes / size_of(dtype))}});
  for (size_t i = 0; i < slices.size(); ++i) {
    storage_->add(slices[i].name, {flat.as<std::byte>() + offsets[i], {dtype, slices[i].shape}});
  }
  return flat;
}

Tensor Variables::get(std::string_view name) const {
  const auto found = storage_->tensors.find(name);
  if (found != storage_->tensors.end()) return found->second;
  const std::vector<std::string> known = names();
  const auto close = nearest(name, known);
  fail(fmt::format("there is no variable \"{}\"{}", name, close ? fmt::format("; did you mean \"{}\"?", *close) : ""));
}

bool Variables::contains(std::string_view name) const { return storage_->tensors.contains(name); }

std::vector<std::string> Variables::names() const {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : storage_->tensors) names.push_back(name);
  return names;
}

int64_t Variables::bytes() const { return storage_->bytes; }

}  // namespace sesame
