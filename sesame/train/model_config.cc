#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/train/model_directory.h"

namespace sesame {

namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

constexpr uint64_t kMostConfigBytes = uint64_t{16} << 20;

Json read_json_object(const fs::path& path) {
  try {
    Json json = Json::parse(read_file(path, kMostConfigBytes));
    if (!json.is_object()) fail(fmt::format("{}: expected a JSON object, found {}", path.string(), json.type_name()));
    return json;
  } catch (const Json::exception& error) {
    fail(fmt::format("{}: not valid JSON: {}", path.string(), error.what()));
  }
}

Json read_config_json(const fs::path& directory) {
  if (!fs::is_directory(directory)) {
    fail(fmt::format("{}: not a model directory: {}", directory.string(),
                     fs::exists(directory) ? "it is a file" : "there is no such directory"));
  }
  const fs::path path = directory / "config.json";
  if (!fs::exists(path)) fail(fmt::format("{}: not a model directory: config.json is missing", directory.string()));
  return read_json_object(path);
}

// A value in a message. Lists and objects may be of any size, and so deep that printing them overflows the stack.
std::string shown(const Json& value) {
  if (value.is_array()) return "[...]";
  if (value.is_object()) return "{...}";
  std::string text = value.dump();
  constexpr size_t kMost = 60;
  return text.size() <= kMost ? text
                              : "a " + std::string(value.type_name()) + " of " + std::to_string(text.size()) + " bytes";
}

// A config.json being read; every complaint names file and key.
class ConfigReader {
 public:
  ConfigReader(const Json& json, fs::path path) : json_(json), path_(std::move(path)) {}

  // The value of a key; null where it is absent or null.
  [[nodiscard]] const Json* find(std::string_view key) const {
    const auto found = json_.find(std::string(key));
    return found == json_.end() || found->is_null() ? nullptr : &*found;
  }

  [[noreturn]] void refuse(std::string_view key, const Json& value, std::string_view expected) const {
    fail(fmt::format("{}: {} = {}: expected {}", path_.string(), key, shown(value), expected));
  }

  void read(std::string_view key, int64_t& out) const {
    const Json* value = find(key);
    if (value == nullptr) return;
    if (!value->is_number_integer()) refuse(key, *value, "a whole number");
    if (value->is_number_unsigned() && value->get<uint64_t>() > INT64_MAX) refuse(key, *value, "a number below 2^63");
    out = value->get<int64_t>();
  }
  void read(std::string_view key, double& out) const {
    const Json* value = find(key);
    if (value == nullptr) return;
    if (!value->is_number()) refuse(key, *value, "a number");
    out = value->get<double>();
  }
  void read(std::string_view key, bool& out) const {
    const Json* value = find(key);
    if (value == nullptr) return;
    if (!value->is_boolean()) refuse(key, *value, "true or false");
    out = value->get<bool>();
  }

  // Refuses a setting that changes the model in a way that it does not have. Absent or null is fine.
  void demand(std::string_view key, const std::vector<Json>& allowed) const {
    const Json* value = find(key);
    if (value == nullptr || std::find(allowed.begin(), allowed.end(), *value) != allowed.end()) return;
    refuse(key, *value, fmt::format("{}: nothing else is supported", fmt::join(texts(allowed), " or ")));
  }

  void require(std::string_view key) const {
    if (find(key) == nullptr) fail(fmt::format("{}: the key \"{}\" is missing", path_.string(), key));
  }

  [[nodiscard]] std::string where() const { return path_.string(); }

 private:
  static std::vector<std::string> texts(const std::vector<Json>& values) {
    std::vector<std::string> result;
    for (const Json& value : values) result.push_back(value.dump());
    return result;
  }

  const Json& json_;
  fs::path path_;
};

void read_gpt2_settings(const ConfigReader& reader, GptConfig& config) {
  reader.demand("activation_function", {"gelu_new", "gelu_pytorch_tanh"});
  reader.demand("scale_attn_weights", {true});
  reader.demand("scale_attn_by_inverse_layer_idx", {false});
  reader.demand("add_cross_attention", {false});
  reader.read("resid_pdrop", config.dropout);
}

// Hugging Face's "rope_scaling", and "rope_parameters" of transformers 5, which holds rope_theta as well.
void read_rope(const ConfigReader& reader, std::string_view key, GptConfig& config) {
  const Json* rope = reader.find(key);
  if (rope == nullptr) return;
  if (!rope->is_object()) reader.refuse(key, *rope, "an object or null");
  const ConfigReader inner(*rope, reader.where() + ": " + std::string(key));
  const Json* type = inner.find("rope_type") != nullptr ? inner.find("rope_type") : inner.find("type");
  inner.read("rope_theta", config.rope_theta);
  if (type == nullptr || *type == "default") return;
  if (*type != "linear") inner.refuse("rope_type", *type, "\"default\" or \"linear\": nothing else is supported");
  inner.require("factor");
  inner.read("factor", config.rope_scaling);
}

void read_llama_settings(const ConfigReader& reader, GptConfig& config) {
  reader.demand("hidden_act", {"silu", "swish"});
  reader.demand("attention_bias", {false});
  reader.demand("mlp_bias", {false});
  reader.require("intermediate_size");
  reader.read("attention_dropout", config.dropout);
  read_rope(reader, "rope_scaling", config);
  read_rope(reader, "rope_parameters", config);
}

// The fields whose keys are our own; config.json spells them otherwise.
bool is_own_key(std::string_view key) { return key.empty() || key == "dropout" || key == "rope_factor"; }

}  // namespace

GptConfig load_config(const fs::path& directory) {
  const Json json = read_config_json(directory);
  const ConfigReader reader(json, directory / "config.json");
  reader.require("model_type");
  const Json& type = *reader.find("model_type");
  if (!type.is_string()) reader.refuse("model_type", type, "\"gpt2\" or \"llama\"");
  const Family family = parse_family(type.get<std::string>(), reader.where() + ": model_type");
  GptConfig config = default_config(family);
  for (const auto member : {&GptConfig::vocab_size, &GptConfig::width, &GptConfig::layers, &GptConfig::heads}) {
    for (const GptField& field : gpt_fields()) {
      if (field.member == decltype(field.member)(member)) reader.require(field.key(family));
    }
  }
  if (family == Family::gpt2) reader.read("n_ctx", config.context);
  for (const GptField& field : gpt_fields()) {
    const std::string_view key = field.key(family);
    if (!is_own_key(key)) std::visit([&](auto member) { reader.read(key, config.*member); }, field.member);
  }
  family == Family::gpt2 ? read_gpt2_settings(reader, config) : read_llama_settings(reader, config);
  return resolved(config, reader.where());
}

SpecialIds load_special_ids(const fs::path& directory) {
  const Json json = read_config_json(directory);
  const auto id_of = [&](const char* key) -> std::optional<int32_t> {
    const auto found = json.find(key);
    // Models with several ends of text give a list; the first is the one of plain text.
    const Json* value = found == json.end() ? nullptr : found->is_array() && !found->empty() ? &(*found)[0] : &*found;
    if (value == nullptr || !value->is_number_integer()) return std::nullopt;
    const auto id = value->get<int64_t>();
    if (id < 0 || id > INT32_MAX) return std::nullopt;
    return static_cast<int32_t>(id);
  };
  return {id_of("bos_token_id"), id_of("eos_token_id")};
}

SpecialIds special_ids(const Tokenizer& tokenizer) { return {tokenizer.begin_of_text(), tokenizer.end_of_text()}; }

namespace {

Json id_or_null(std::optional<int32_t> id) { return id ? Json(*id) : Json(nullptr); }

void add_gpt2_settings(const GptConfig& config, Json& json) {
  json["architectures"] = {"GPT2LMHeadModel"};
  json["activation_function"] = "gelu_new";
  json["attn_pdrop"] = json["embd_pdrop"] = json["resid_pdrop"] = config.dropout;
  json["n_ctx"] = config.context;
  json["scale_attn_weights"] = true;
  json["scale_attn_by_inverse_layer_idx"] = false;
}

void add_llama_settings(const GptConfig& config, Json& json) {
  json["architectures"] = {"LlamaForCausalLM"};
  json["hidden_act"] = "silu";
  json["attention_bias"] = false;
  json["mlp_bias"] = false;
  json["attention_dropout"] = config.dropout;
  json["rope_scaling"] = nullptr;
  if (config.rope_scaling != 1) json["rope_scaling"] = {{"type", "linear"}, {"factor", config.rope_scaling}};
}

}  // namespace

void save_config(const fs::path& directory, const GptConfig& config, const SpecialIds& ids) {
  Json json;
  json["model_type"] = name_of(config.family);
  json["torch_dtype"] = "float32";
  json["use_cache"] = true;
  json["bos_token_id"] = id_or_null(ids.begin ? ids.begin : ids.end);
  json["eos_token_id"] = id_or_null(ids.end);
  for (const GptField& field : gpt_fields()) {
    const std::string_view key = field.key(config.family);
    if (!is_own_key(key)) std::visit([&](auto member) { json[std::string(key)] = config.*member; }, field.member);
  }
  config.family == Family::gpt2 ? add_gpt2_settings(config, json) : add_llama_settings(config, json);
  write_file_atomically(directory / "config.json", json.dump(2) + "\n");

  Json generation;
  generation["_from_model_config"] = true;
  for (const char* key : {"bos_token_id", "eos_token_id"}) {
    if (!json[key].is_null()) generation[key] = json[key];
  }
  write_file_atomically(directory / "generation_config.json", generation.dump(2) + "\n");
}

}  // namespace sesame
