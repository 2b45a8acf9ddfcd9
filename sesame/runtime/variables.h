#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/backend/kernel.h"

namespace sesame {

/// The tensors that outlive a step: parameters, gradients, optimiser moments, caches. Each is named, zero at first,
/// 64-byte aligned, and keeps its address for the life of this object. Huge pages are asked for. Not thread-safe.
class Variables {
 public:
  Variables();
  ~Variables();
  Variables(Variables&&) noexcept;
  Variables& operator=(Variables&&) noexcept;

  /// One tensor. Throws Error if the name is taken.
  Tensor create(const std::string& name, Type type);

  /// One flat tensor `name` of the given dtype whose consecutive slices are tensors of their own, each starting at a
  /// multiple of 64 bytes (gaps stay zero). The flat tensor's element count is the end of the last slice rounded up to
  /// 64 bytes.
  struct Slice {
    std::string name;
    Shape shape;
  };
  Tensor create_flat(const std::string& name, DType dtype, std::span<const Slice> slices);

  /// Throws Error, naming the nearest known name, if there is none.
  [[nodiscard]] Tensor get(std::string_view name) const;
  [[nodiscard]] bool contains(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> names() const;

  /// Bytes of storage in all.
  [[nodiscard]] int64_t bytes() const;

 private:
  struct Storage;
  std::unique_ptr<Storage> storage_;
};

}  // namespace sesame
