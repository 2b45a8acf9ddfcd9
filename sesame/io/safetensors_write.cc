#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/io/safetensors.h"

namespace sesame {
namespace {

void check(const TensorView& tensor, const std::string& path) {
  uint64_t bytes = element_size(tensor.type);
  bool fits = !tensor.name.empty() && tensor.name != "__metadata__";
  for (const int64_t extent : tensor.shape) {
    fits = fits && extent >= 0 && !__builtin_mul_overflow(bytes, static_cast<uint64_t>(extent), &bytes);
  }
  if (fits && bytes == tensor.bytes.size()) return;
  fail(fmt::format("{}: can't write tensor '{}' {}[{}]: {} bytes of data do not fit its name, type and shape", path,
                   tensor.name, tensor_type_name(tensor.type), fmt::join(tensor.shape, ", "), tensor.bytes.size()));
}

std::vector<const TensorView*> in_file_order(std::span<const TensorView> tensors, const std::string& path) {
  std::vector<const TensorView*> order;
  for (const TensorView& tensor : tensors) {
    check(tensor, path);
    order.push_back(&tensor);
  }
  std::ranges::sort(order, [](const TensorView* a, const TensorView* b) {
    return a->type != b->type ? a->type > b->type : a->name < b->name;
  });
  std::vector<std::string_view> names;
  for (const TensorView& tensor : tensors) names.push_back(tensor.name);
  std::ranges::sort(names);
  if (const auto twice = std::ranges::adjacent_find(names); twice != names.end()) {
    fail(fmt::format("{}: can't write two tensors of the name '{}'", path, *twice));
  }
  return order;
}

std::string header_of(const std::vector<const TensorView*>& order, const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  uint64_t offset = 0;
  for (const TensorView* tensor : order) {
    nlohmann::ordered_json& entry = header[tensor->name];
    entry["dtype"] = std::string(tensor_type_name(tensor->type));
    entry["shape"] = tensor->shape;
    entry["data_offsets"] = {offset, offset + tensor->bytes.size()};
    offset += tensor->bytes.size();
  }
  std::string text = header.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  text.append((8 - text.size() % 8) % 8, ' ');
  return text;
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, std::span<const TensorView> tensors,
                       const std::map<std::string, std::string>& metadata, FileSystem& files) {
  const std::vector<const TensorView*> order = in_file_order(tensors, path.string());
  const std::string header = header_of(order, metadata);
  const uint64_t header_size = header.size();
  write_file_atomically(
      path,
      [&](FileWriter& out) {
        out.write(std::as_bytes(std::span(&header_size, 1)));
        out.write(header);
        for (const TensorView* tensor : order) out.write(tensor->bytes);
      },
      files);
}

}  // namespace sesame
