#include <algorithm>

#include "sesame/io/safetensors.h"
#include "tests/fuzz/target.h"

namespace sesame::fuzz {
namespace {

void parse(std::string_view input) {
  const SafetensorsContents contents = parse_safetensors(std::as_bytes(std::span(input)), "input");
  size_t bytes = 0;
  for (const TensorView& tensor : contents.tensors) {
    bytes += tensor.bytes.size();
    allow_error([&] {
      std::vector<float> values(static_cast<size_t>(std::min<int64_t>(tensor.elements(), 1 << 16)));
      copy_as_float32(tensor, values);
    });
  }
  require(bytes <= input.size(), "tensors lie inside the file");

  const std::filesystem::path path = scratch_directory() / "again.safetensors";
  write_safetensors(path, contents.tensors, contents.metadata);
  const SafetensorsFile again(path);
  require(again.metadata() == contents.metadata, "metadata is written as it was read");
  require(again.tensors().size() == contents.tensors.size(), "as many tensors are written as were read");
  for (const TensorView& tensor : contents.tensors) {
    const TensorView& other = again.at(tensor.name);
    require(other.type == tensor.type && other.shape == tensor.shape && std::ranges::equal(other.bytes, tensor.bytes),
            "a tensor is written as it was read");
  }
}

std::vector<std::string> seeds() {
  const std::vector<float> floats = {1, 2, 3, 4, 5, 6};
  const std::vector<int64_t> integers = {-1};
  const std::vector<float> none;
  const std::vector<TensorView> tensors = {view_of<float>("h.0.weight", {2, 3}, floats),
                                           view_of<int64_t>("step", {}, integers),
                                           view_of<float>("nothing", {0, 4}, none)};
  const std::filesystem::path path = scratch_directory() / "seed.safetensors";
  write_safetensors(path, tensors);
  std::vector<std::string> result = {file_bytes(path)};
  write_safetensors(path, {}, {});
  result.push_back(file_bytes(path));
  return result;
}

const Target target("safetensors", parse, seeds);

}  // namespace
}  // namespace sesame::fuzz
