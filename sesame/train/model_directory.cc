#include "sesame/train/model_directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/base/text_format.h"
#include "sesame/models/gpt.h"
#include "sesame/optim/adamw.h"

namespace sesame {

namespace {

namespace fs = std::filesystem;

// Llama's packed parameters, and the tensors that they are on disk.
struct Part {
  std::string_view name;
  int64_t rows;
};

std::vector<Part> parts_of(const GptConfig& config, std::string_view parameter) {
  if (parameter.ends_with(".qkv_proj.weight")) {
    const int64_t queries = config.heads * config.head_dim;
    const int64_t keys = config.kv_heads * config.head_dim;
    return {{"q_proj", queries}, {"k_proj", keys}, {"v_proj", keys}};
  }
  if (parameter.ends_with(".gate_up_proj.weight")) return {{"gate_proj", config.inner}, {"up_proj", config.inner}};
  return {};
}

}  // namespace

std::vector<DiskTensor> disk_tensors(const GptConfig& config) {
  std::vector<DiskTensor> tensors;
  for (const Parameter& parameter : gpt_parameters(config)) {
    const std::vector<Part> parts = parts_of(config, parameter.name);
    if (parts.empty()) tensors.push_back({parameter.name, parameter.shape, parameter.name, 0});
    const std::string_view name = parameter.name;
    const std::string_view layer = name.substr(0, name.rfind('.', name.rfind('.') - 1));
    int64_t offset = 0;
    for (const Part& part : parts) {
      const Shape shape = parameter.shape.with(0, part.rows);
      tensors.push_back({fmt::format("{}.{}.weight", layer, part.name), shape, parameter.name, offset});
      offset += shape.elements();
    }
  }
  return tensors;
}

namespace {

// The place of a disk tensor's values.
std::span<float> values_of(const DiskTensor& tensor, const Variables& variables) {
  return {variables.get(tensor.parameter).as<float>() + tensor.offset, static_cast<size_t>(tensor.shape.elements())};
}

// All tensors of a model, from one file or from the shards that an index lists.
class ModelFiles {
 public:
  explicit ModelFiles(const fs::path& directory) {
    const fs::path single = directory / "model.safetensors";
    const fs::path index = directory / "model.safetensors.index.json";
    if (fs::exists(single)) {
      open(single);
    } else if (fs::exists(index)) {
      open_shards(directory, index);
    } else if (fs::exists(directory / "pytorch_model.bin")) {
      fail(fmt::format("{}: model.safetensors is missing; pytorch_model.bin is not read: save the model as safetensors",
                       directory.string()));
    } else {
      fail(fmt::format("{}: not a model directory: model.safetensors is missing", directory.string()));
    }
  }

  struct Found {
    const TensorView* view;
    const fs::path* file;
  };

  // Takes a tensor out of the set of those that nobody asked for; by its full name, or without the model's prefix, as
  // in files that hold the model without its head.
  Found take(const std::string& name) {
    for (const std::string& candidate : {name, name.substr(name.find('.') + 1)}) {
      const auto found = tensors_.find(candidate);
      if (found == tensors_.end()) continue;
      unused_.erase(candidate);
      return found->second;
    }
    fail(fmt::format("{}: the tensor \"{}\" is missing{}", where(), name, suggestion(name, names())));
  }

  // Null if there is none.
  [[nodiscard]] const TensorView* find(const std::string& name) const {
    const auto found = tensors_.find(name);
    return found == tensors_.end() ? nullptr : found->second.view;
  }

  [[nodiscard]] const std::set<std::string>& unused() const { return unused_; }
  [[nodiscard]] std::string where() const {
    return files_.size() == 1 ? files_.front().path().string() : files_.front().path().parent_path().string();
  }

 private:
  void open(const fs::path& path) {
    files_.emplace_back(path);
    const SafetensorsFile& file = files_.back();
    for (const TensorView& tensor : file.tensors()) {
      if (!tensors_.try_emplace(tensor.name, Found{&tensor, &file.path()}).second) {
        fail(fmt::format("{}: the tensor \"{}\" is in another file too", path.string(), tensor.name));
      }
      unused_.insert(tensor.name);
    }
  }

  void open_shards(const fs::path& directory, const fs::path& index) {
    std::map<std::string, std::string> file_of;  // tensor -> file
    try {
      file_of = nlohmann::json::parse(read_file(index)).at("weight_map").get<decltype(file_of)>();
    } catch (const nlohmann::json::exception& error) {
      fail(fmt::format("{}: expected an object \"weight_map\" of tensor names and file names: {}", index.string(),
                       error.what()));
    }
    std::set<std::string> names;
    for (const auto& [tensor, file] : file_of) names.insert(file);
    if (names.empty()) fail(fmt::format("{}: \"weight_map\" lists no tensors", index.string()));
    for (const std::string& name : names) {
      if (fs::path(name).filename() != name) {
        fail(fmt::format("{}: \"{}\" is not the name of a file beside it", index.string(), name));
      }
      std::error_code ignored;  // a name may be too long for a file system
      if (!fs::exists(directory / name, ignored))
        fail(fmt::format("{}: the file \"{}\" is missing", index.string(), name));
      open(directory / name);
    }
    for (const auto& [tensor, file] : file_of) {
      const auto found = tensors_.find(tensor);
      if (found == tensors_.end() || found->second.file->filename() != file) {
        fail(fmt::format("{}: the tensor \"{}\" is not in {}", index.string(), tensor, file));
      }
    }
  }

  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const auto& [name, found] : tensors_) result.push_back(name);
    return result;
  }

  std::deque<SafetensorsFile> files_;
  std::map<std::string, Found> tensors_;
  std::set<std::string> unused_;
};

// Buffers that old files hold beside the weights: GPT-2's causal masks, Llama's rotary frequencies.
bool is_known_buffer(std::string_view name) {
  return name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias") || name.ends_with(".rotary_emb.inv_freq");
}

bool same_tensor(const TensorView& a, const TensorView& b) {
  return a.type == b.type && a.shape == b.shape &&
         std::equal(a.bytes.begin(), a.bytes.end(), b.bytes.begin(), b.bytes.end());
}

void check_nothing_is_left(const ModelFiles& files, const GptConfig& config) {
  for (const std::string& name : files.unused()) {
    if (is_known_buffer(name)) continue;
    if (name != "lm_head.weight" || !config.tied) {
      fail(
          fmt::format("{}: the tensor \"{}\" is not one of the model that config.json describes", files.where(), name));
    }
    const std::string embedding = config.family == Family::gpt2 ? "wte.weight" : "embed_tokens.weight";
    const TensorView* tied = files.find((config.family == Family::gpt2 ? "transformer." : "model.") + embedding);
    if (tied == nullptr) tied = files.find(embedding);
    if (tied != nullptr && !same_tensor(*files.find(name), *tied)) {
      fail(
          fmt::format("{}: config.json says that lm_head.weight is the token embedding (tie_word_embeddings), but the "
                      "file holds another one",
                      files.where()));
    }
  }
}

// A tensor of the model and its values in a file.
struct Match {
  DiskTensor tensor;
  const TensorView* view;
};

// Finds every tensor of the model before anything is allocated or overwritten.
std::vector<Match> match(ModelFiles& files, const GptConfig& config) {
  std::vector<Match> matches;
  for (DiskTensor& tensor : disk_tensors(config)) {
    const auto [view, file] = files.take(tensor.name);
    if (!std::ranges::equal(view->shape, tensor.shape.dims())) {
      fail(fmt::format("{}: the tensor \"{}\" has shape [{}]; config.json asks for {}", file->string(), view->name,
                       fmt::join(view->shape, ", "), tensor.shape.to_string()));
    }
    matches.push_back({std::move(tensor), view});
  }
  check_nothing_is_left(files, config);
  return matches;
}

void copy_values(std::span<const Match> matches, const Variables& variables) {
  for (const Match& match : matches) copy_as_float32(*match.view, values_of(match.tensor, variables));
}

}  // namespace

void create_parameters(Variables& variables, std::span<const Parameter> parameters) {
  std::vector<Variables::Slice> slices;
  for (const Parameter& parameter : flat_layout(parameters).order) slices.push_back({parameter.name, parameter.shape});
  variables.create_flat("parameters", DType::f32, slices);
}

void load_parameters(const fs::path& directory, const GptConfig& config, const Variables& variables) {
  ModelFiles files(directory);
  copy_values(match(files, config), variables);
}

void save_parameters(const fs::path& directory, const GptConfig& config, const Variables& variables) {
  std::vector<TensorView> views;
  for (const DiskTensor& tensor : disk_tensors(config)) {
    const auto dims = tensor.shape.dims();
    views.push_back(view_of<float>(tensor.name, {dims.begin(), dims.end()}, values_of(tensor, variables)));
  }
  write_safetensors(directory / "model.safetensors", views);
}

LoadedModel load_model(const fs::path& directory) {
  LoadedModel model{load_config(directory), load_special_ids(directory), {}};
  ModelFiles files(directory);
  const std::vector<Match> matches = match(files, model.config);
  create_parameters(model.variables, gpt_parameters(model.config));
  copy_values(matches, model.variables);
  return model;
}

}  // namespace sesame
