#include "sesame/train/model_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/base/temporary_directory.h"
#include "sesame/base/test_data.h"
#include "sesame/models/gpt.h"

namespace sesame {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using testing::HasSubstr;

GptConfig small(Family family, bool tied) {
  GptConfig config = default_config(family);
  config.vocab_size = 11;
  config.context = 8;
  config.width = 8;
  config.layers = 2;
  config.heads = 4;
  config.kv_heads = 2;
  config.inner = 12;
  config.tied = tied;
  config.dropout = 0.1;
  return resolved(config, "test");
}

LoadedModel random_model(const GptConfig& config) {
  LoadedModel model{config, {1, 2}, {}};
  const std::vector<Parameter> parameters = gpt_parameters(config);
  create_parameters(model.variables, parameters);
  for (Parameter parameter : parameters) {
    parameter.init = Init::normal(1);
    const Tensor tensor = model.variables.get(parameter.name);
    initialise(parameter, 5, {tensor.as<float>(), static_cast<size_t>(tensor.elements())});
  }
  return model;
}

std::vector<float> flat(const Variables& variables) {
  const Tensor tensor = variables.get("parameters");
  return {tensor.as<float>(), tensor.as<float>() + tensor.elements()};
}

class ModelDirectory : public testing::Test {
 protected:
  void save(const LoadedModel& model) const {
    save_config(path, model.config, model.ids);
    save_parameters(path, model.config, model.variables);
  }

  std::string refusal() const {
    try {
      load_model(path);
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  }

  // config.json with one key changed.
  void change_config(const std::string& key, const Json& value) const {
    Json json = Json::parse(read_file(path / "config.json"));
    json[key] = value;
    write_file_atomically(path / "config.json", json.dump());
  }

  // The tensors of a saved model, to be changed and written again.
  void rewrite_tensors(const std::function<void(std::vector<TensorView>&)>& change) const {
    const SafetensorsFile file(path / "model.safetensors");
    std::vector<TensorView> tensors = file.tensors();
    change(tensors);
    write_safetensors(path / "model.safetensors", tensors);
  }

  TemporaryDirectory directory;
  fs::path path = directory.path();
};

TEST_F(ModelDirectory, RoundTripKeepsConfigIdsAndEveryBit) {
  for (const Family family : {Family::gpt2, Family::llama}) {
    for (const bool tied : {true, false}) {
      const LoadedModel model = random_model(small(family, tied));
      save(model);
      const LoadedModel loaded = load_model(path);
      EXPECT_EQ(loaded.config, model.config) << to_string(loaded.config);
      EXPECT_EQ(loaded.ids, model.ids);
      EXPECT_EQ(flat(loaded.variables), flat(model.variables));
    }
  }
}

TEST_F(ModelDirectory, LlamaIsWrittenAsTransformersNamesIt) {
  save(random_model(small(Family::llama, true)));
  const SafetensorsFile file(path / "model.safetensors");
  const auto shape = [&](const std::string& name) { return file.at(name).shape; };
  using Dims = std::vector<int64_t>;
  EXPECT_EQ(file.tensors().size(), 1 + 2 * 9 + 1u);  // tied: no lm_head
  EXPECT_EQ(shape("model.embed_tokens.weight"), (Dims{11, 8}));
  EXPECT_EQ(shape("model.layers.1.self_attn.q_proj.weight"), (Dims{8, 8}));
  EXPECT_EQ(shape("model.layers.1.self_attn.k_proj.weight"), (Dims{4, 8}));
  EXPECT_EQ(shape("model.layers.1.self_attn.v_proj.weight"), (Dims{4, 8}));
  EXPECT_EQ(shape("model.layers.1.self_attn.o_proj.weight"), (Dims{8, 8}));
  EXPECT_EQ(shape("model.layers.1.mlp.gate_proj.weight"), (Dims{12, 8}));
  EXPECT_EQ(shape("model.layers.1.mlp.up_proj.weight"), (Dims{12, 8}));
  EXPECT_EQ(shape("model.layers.1.mlp.down_proj.weight"), (Dims{8, 12}));
  EXPECT_EQ(shape("model.norm.weight"), (Dims{8}));
  EXPECT_EQ(file.metadata().at("format"), "pt");
}

TEST_F(ModelDirectory, ConfigHasTheKeysThatTransformersReads) {
  save(random_model(small(Family::gpt2, true)));
  const Json gpt2 = Json::parse(read_file(path / "config.json"));
  EXPECT_EQ(gpt2["architectures"], Json({"GPT2LMHeadModel"}));
  EXPECT_EQ(gpt2["model_type"], "gpt2");
  EXPECT_EQ(gpt2["n_embd"], 8);
  EXPECT_EQ(gpt2["n_inner"], 12);
  EXPECT_EQ(gpt2["activation_function"], "gelu_new");
  EXPECT_EQ(gpt2["resid_pdrop"], 0.1);
  EXPECT_EQ(gpt2["eos_token_id"], 2);
  EXPECT_FALSE(gpt2.contains("dropout"));
  GptConfig scaled = small(Family::llama, false);
  scaled.rope_scaling = 4;
  save_config(path, scaled, {});
  const Json llama = Json::parse(read_file(path / "config.json"));
  EXPECT_EQ(llama["architectures"], Json({"LlamaForCausalLM"}));
  EXPECT_EQ(llama["num_key_value_heads"], 2);
  EXPECT_EQ(llama["rope_scaling"], (Json{{"type", "linear"}, {"factor", 4.0}}));
  EXPECT_EQ(llama["tie_word_embeddings"], false);
  EXPECT_TRUE(llama["eos_token_id"].is_null());
  EXPECT_EQ(load_config(path), scaled);
}

TEST_F(ModelDirectory, ReadsRopeParametersOfTransformers5) {
  save(random_model(small(Family::llama, true)));
  change_config("rope_theta", nullptr);
  change_config("rope_parameters", {{"rope_type", "linear"}, {"rope_theta", 500000.0}, {"factor", 2.0}});
  EXPECT_EQ(load_config(path).rope_theta, 500000.0);
  EXPECT_EQ(load_config(path).rope_scaling, 2.0);
}

TEST_F(ModelDirectory, RefusesSettingsThatItWouldGetWrong) {
  save(random_model(small(Family::llama, true)));
  const std::string config = read_file(path / "config.json");
  const auto refused = [&](const std::string& key, const Json& value) {
    write_file_atomically(path / "config.json", config);
    change_config(key, value);
    return refusal();
  };
  EXPECT_THAT(refused("hidden_act", "relu"),
              HasSubstr("config.json: hidden_act = \"relu\": expected \"silu\" or \"swish\""));
  EXPECT_THAT(refused("attention_bias", true), HasSubstr("attention_bias = true"));
  EXPECT_THAT(refused("rope_scaling", {{"rope_type", "yarn"}, {"factor", 2}}), HasSubstr("rope_type = \"yarn\""));
  EXPECT_THAT(refused("rope_scaling", 3), HasSubstr("rope_scaling = 3: expected an object or null"));
  EXPECT_THAT(refused("hidden_size", "big"), HasSubstr("hidden_size = \"big\": expected a whole number"));
  EXPECT_THAT(refused("hidden_size", 8.5), HasSubstr("hidden_size = 8.5: expected a whole number"));
  EXPECT_THAT(refused("hidden_size", uint64_t{1} << 63), HasSubstr("hidden_size = 9223372036854775808"));
  EXPECT_THAT(refused("hidden_size", -8), HasSubstr("hidden_size = -8: expected a whole number from 1"));
  EXPECT_THAT(refused("hidden_size", nullptr), HasSubstr("the key \"hidden_size\" is missing"));
  EXPECT_THAT(refused("rms_norm_eps", true), HasSubstr("rms_norm_eps = true: expected a number"));
  EXPECT_THAT(refused("tie_word_embeddings", 1), HasSubstr("tie_word_embeddings = 1: expected true or false"));
  EXPECT_THAT(refused("model_type", "bloom"),
              HasSubstr("\"bloom\": this model family is not known; known: gpt2, llama"));
  EXPECT_THAT(refused("num_key_value_heads", 3), HasSubstr("num_key_value_heads = 3: expected a divisor"));
}

TEST_F(ModelDirectory, SaysWhatIsMissing) {
  path = directory.path() / "nowhere";
  EXPECT_THAT(refusal(), HasSubstr("nowhere: not a model directory: there is no such directory"));
  path = directory.path();
  EXPECT_THAT(refusal(), HasSubstr("not a model directory: config.json is missing"));
  const GptConfig config = small(Family::gpt2, true);
  save_config(path, config, {});
  EXPECT_THAT(refusal(), HasSubstr("not a model directory: model.safetensors is missing"));
  write_file_atomically(path / "pytorch_model.bin", "x");
  EXPECT_THAT(refusal(), HasSubstr("pytorch_model.bin is not read"));
  write_file_atomically(path / "config.json", "{\"model_type\": \"gpt2\"");
  EXPECT_THAT(refusal(), HasSubstr("config.json: not valid JSON"));
  write_file_atomically(path / "config.json", "[]");
  EXPECT_THAT(refusal(), HasSubstr("expected a JSON object, found array"));
}

TEST_F(ModelDirectory, NamesTheTensorThatDoesNotFit) {
  const LoadedModel model = random_model(small(Family::llama, false));
  save(model);
  const std::string whole = read_file(path / "model.safetensors");
  const auto refused = [&](const std::function<void(std::vector<TensorView>&)>& change) {
    write_file_atomically(path / "model.safetensors", whole);
    rewrite_tensors(change);
    return refusal();
  };
  const auto named = [](std::vector<TensorView>& tensors, const std::string& name) {
    return std::ranges::find(tensors, name, &TensorView::name);
  };
  EXPECT_THAT(refused([&](auto& t) { t.erase(named(t, "model.norm.weight")); }),
              HasSubstr("model.safetensors: the tensor \"model.norm.weight\" is missing"));
  EXPECT_THAT(refused([&](auto& t) {
                named(t, "model.layers.0.self_attn.k_proj.weight")->shape = {8, 4};
              }),
              HasSubstr("\"model.layers.0.self_attn.k_proj.weight\" has shape [8, 4]; config.json asks for [4, 8]"));
  EXPECT_THAT(refused([&](auto& t) { named(t, "model.norm.weight")->name = "model.layers.2.x"; }),
              HasSubstr("\"model.norm.weight\" is missing"));
  const std::vector<float> values(4);
  EXPECT_THAT(refused([&](auto& t) { t.push_back(view_of<float>("model.extra", {4}, values)); }),
              HasSubstr("the tensor \"model.extra\" is not one of the model that config.json describes"));
}

TEST_F(ModelDirectory, ACutFileOfAnyLengthIsRefused) {
  save(random_model(small(Family::gpt2, true)));
  const std::string whole = read_file(path / "model.safetensors");
  for (size_t size = 0; size < whole.size(); size += size < 100 ? 1 : 97) {
    write_file_atomically(path / "model.safetensors", std::string_view(whole).substr(0, size));
    ASSERT_THAT(refusal(), HasSubstr("model.safetensors")) << size;
  }
}

TEST_F(ModelDirectory, AHugeConfigIsRefusedBeforeMemoryIsTaken) {
  save(random_model(small(Family::gpt2, true)));
  change_config("vocab_size", 1 << 30);
  EXPECT_THAT(refusal(), HasSubstr("has shape [11, 8]; config.json asks for [1073741824, 8]"));
}

TEST_F(ModelDirectory, OldNamesAndBuffersAreUnderstood) {
  const LoadedModel model = random_model(small(Family::gpt2, true));
  save(model);
  const std::vector<float> mask(64);
  rewrite_tensors([&](std::vector<TensorView>& tensors) {
    for (TensorView& tensor : tensors) tensor.name = tensor.name.substr(std::string("transformer.").size());
    tensors.push_back(view_of<float>("h.0.attn.bias", {1, 1, 8, 8}, mask));
    tensors.push_back(view_of<float>("h.0.attn.masked_bias", {}, std::span(mask).first(1)));
    TensorView head = *std::ranges::find(tensors, "wte.weight", &TensorView::name);
    head.name = "lm_head.weight";
    tensors.push_back(head);
  });
  EXPECT_EQ(flat(load_model(path).variables), flat(model.variables));
}

TEST_F(ModelDirectory, AHeadThatContradictsTieWordEmbeddingsIsRefused) {
  save(random_model(small(Family::gpt2, true)));
  const std::vector<float> head(88, 1.0f);
  rewrite_tensors([&](std::vector<TensorView>& t) { t.push_back(view_of<float>("lm_head.weight", {11, 8}, head)); });
  EXPECT_THAT(refusal(), HasSubstr("tie_word_embeddings"));
}

TEST_F(ModelDirectory, Bfloat16IsReadAsFloat32) {
  const LoadedModel model = random_model(small(Family::gpt2, true));
  save(model);
  std::deque<std::vector<uint16_t>> halves;
  rewrite_tensors([&](std::vector<TensorView>& tensors) {
    for (TensorView& tensor : tensors) {
      std::vector<uint16_t>& half = halves.emplace_back(static_cast<size_t>(tensor.elements()));
      for (size_t i = 0; i < half.size(); ++i) std::memcpy(&half[i], tensor.bytes.data() + 4 * i + 2, 2);  // upper half
      tensor.type = TensorType::bf16;
      tensor.bytes = std::as_bytes(std::span(half));
    }
  });
  const std::vector<float> expected = flat(model.variables);
  const std::vector<float> found = flat(load_model(path).variables);
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) ASSERT_NEAR(found[i], expected[i], std::abs(expected[i]) / 128) << i;
}

class Shards : public ModelDirectory {
 protected:
  void SetUp() override {
    save(model);
    const SafetensorsFile file(path / "model.safetensors");
    const std::vector<TensorView>& all = file.tensors();
    const auto half = static_cast<ptrdiff_t>(all.size() / 2);
    write_safetensors(path / "model-00001-of-00002.safetensors",
                      std::vector<TensorView>(all.begin(), all.begin() + half));
    write_safetensors(path / "model-00002-of-00002.safetensors",
                      std::vector<TensorView>(all.begin() + half, all.end()));
    for (size_t i = 0; i < all.size(); ++i) {
      index["weight_map"][all[i].name] =
          static_cast<ptrdiff_t>(i) < half ? "model-00001-of-00002.safetensors" : "model-00002-of-00002.safetensors";
    }
    fs::remove(path / "model.safetensors");
    write_index();
  }
  void write_index() const { write_file_atomically(path / "model.safetensors.index.json", index.dump()); }

  LoadedModel model = random_model(small(Family::llama, false));
  Json index;
};

TEST_F(Shards, AreReadThroughTheirIndex) { EXPECT_EQ(flat(load_model(path).variables), flat(model.variables)); }

TEST_F(Shards, AnIndexThatDoesNotFitIsRefused) {
  const Json good = index;
  index["weight_map"]["model.norm.weight"] = "model-00003-of-00002.safetensors";
  write_index();
  EXPECT_THAT(refusal(), HasSubstr("the file \"model-00003-of-00002.safetensors\" is missing"));
  index["weight_map"]["model.norm.weight"] = "../other/model.safetensors";
  write_index();
  EXPECT_THAT(refusal(), HasSubstr("is not the name of a file beside it"));
  index = good;
  index["weight_map"]["model.ghost"] = "model-00001-of-00002.safetensors";
  write_index();
  EXPECT_THAT(refusal(), HasSubstr("the tensor \"model.ghost\" is not in model-00001-of-00002.safetensors"));
  index = {{"weight_map", 3}};
  write_index();
  EXPECT_THAT(refusal(), HasSubstr("expected an object \"weight_map\""));
}

TEST(TinyGpt2, WrittenByTransformersLoads) {
  const auto path = shared_data("models/tiny-gpt2");
  if (!path) GTEST_SKIP() << "the shared test data is not here";
  const LoadedModel model = load_model(*path);
  EXPECT_EQ(model.config.width, 2);
  EXPECT_EQ(model.config.layers, 2);
  EXPECT_EQ(model.config.dropout, 0.1);
  EXPECT_EQ(model.ids, (SpecialIds{50256, 50256}));
  const SafetensorsFile file(*path / "model.safetensors");
  std::vector<float> expected(50257 * 2);
  copy_as_float32(file.at("transformer.wte.weight"), expected);
  const float* loaded = model.variables.get("transformer.wte.weight").as<float>();
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), loaded));
}

}  // namespace
}  // namespace sesame
