#include "sesame/models/gpt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "sesame/base/error.h"
#include "sesame/graph/op_def.h"

namespace sesame {
namespace {

using testing::ElementsAre;

GptConfig gpt2(int64_t width, int64_t layers, int64_t heads) {
  GptConfig config;
  config.width = width;
  config.layers = layers;
  config.heads = heads;
  return resolved(config, "test");
}

GptConfig llama(int64_t vocab, int64_t width, int64_t layers, int64_t heads, int64_t kv_heads, int64_t inner) {
  GptConfig config = default_config(Family::llama);
  config.vocab_size = vocab;
  config.width = width;
  config.layers = layers;
  config.heads = heads;
  config.kv_heads = kv_heads;
  config.inner = inner;
  return resolved(config, "test");
}

std::vector<std::string> names(const GptConfig& config) {
  std::vector<std::string> result;
  for (const Parameter& p : gpt_parameters(config)) result.push_back(p.name + " " + p.shape.to_string());
  return result;
}

// Published sizes: Radford et al. 2019 as released; Llama-2 7B and TinyLlama 1.1B as their model cards count.
TEST(GptParameters, CountAsPublished) {
  EXPECT_EQ(count_of(gpt_parameters(gpt2(768, 12, 12))), 124439808);
  EXPECT_EQ(count_of(gpt_parameters(gpt2(1024, 24, 16))), 354823168);
  EXPECT_EQ(count_of(gpt_parameters(gpt2(1280, 36, 20))), 774030080);
  EXPECT_EQ(count_of(gpt_parameters(gpt2(1600, 48, 25))), 1557611200);
  EXPECT_EQ(count_of(gpt_parameters(llama(32000, 4096, 32, 32, 32, 11008))), 6738415616);
  EXPECT_EQ(count_of(gpt_parameters(llama(32000, 2048, 22, 32, 4, 5632))), 1100048384);
}

TEST(GptParameters, AreNamedAndShapedAsInGpt2sFile) {
  GptConfig config = gpt2(2, 1, 2);
  config.vocab_size = 11;
  config.context = 5;
  EXPECT_THAT(
      names(config),
      ElementsAre("transformer.wte.weight [11, 2]", "transformer.wpe.weight [5, 2]", "transformer.h.0.ln_1.weight [2]",
                  "transformer.h.0.ln_1.bias [2]", "transformer.h.0.attn.c_attn.weight [2, 6]",
                  "transformer.h.0.attn.c_attn.bias [6]", "transformer.h.0.attn.c_proj.weight [2, 2]",
                  "transformer.h.0.attn.c_proj.bias [2]", "transformer.h.0.ln_2.weight [2]",
                  "transformer.h.0.ln_2.bias [2]", "transformer.h.0.mlp.c_fc.weight [2, 8]",
                  "transformer.h.0.mlp.c_fc.bias [8]", "transformer.h.0.mlp.c_proj.weight [8, 2]",
                  "transformer.h.0.mlp.c_proj.bias [2]", "transformer.ln_f.weight [2]", "transformer.ln_f.bias [2]"));
}

TEST(GptParameters, OfLlamaArePackedWhereOneProductServes) {
  EXPECT_THAT(
      names(llama(11, 8, 1, 4, 2, 6)),
      ElementsAre("model.embed_tokens.weight [11, 8]", "model.layers.0.input_layernorm.weight [8]",
                  "model.layers.0.self_attn.qkv_proj.weight [16, 8]", "model.layers.0.self_attn.o_proj.weight [8, 8]",
                  "model.layers.0.post_attention_layernorm.weight [8]",
                  "model.layers.0.mlp.gate_up_proj.weight [12, 8]", "model.layers.0.mlp.down_proj.weight [8, 6]",
                  "model.norm.weight [8]", "lm_head.weight [11, 8]"));
}

TEST(GptParameters, ResidualProjectionsBeginSmaller) {
  for (const Parameter& p : gpt_parameters(gpt2(768, 12, 12))) {
    if (p.init.kind != Init::Kind::normal) continue;
    const bool residual = p.name.ends_with("c_proj.weight");
    EXPECT_DOUBLE_EQ(p.init.std, residual ? 0.02 / std::sqrt(24.0) : 0.02) << p.name;
  }
}

int count(const Graph& graph, Op op) {
  int result = 0;
  for (NodeId id = 0; id < graph.size(); ++id) result += graph.node(id).op == op;
  return result;
}

TEST(Gpt, DropsOutInTrainingOnly) {
  for (GptConfig config : {gpt2(8, 3, 2), llama(11, 8, 3, 2, 1, 6)}) {
    config.dropout = 0.1;
    for (const Mode mode : {Mode::training, Mode::evaluation}) {
      Graph graph;
      Builder builder(graph);
      Parameters parameters;
      const Value tokens = builder.input("tokens", {DType::i32, {2, 4}});
      const Value targets = builder.input("targets", {DType::i32, {2, 4}});
      const Value loss = gpt_loss(parameters, config, tokens, targets, mode);
      EXPECT_EQ(loss.shape(), Shape{});
      verify(graph);
      EXPECT_EQ(count(graph, Op::dropout), mode == Mode::training ? 1 + 2 * 3 : 0);
      for (NodeId id = 0; id < graph.size(); ++id) {
        if (graph.node(id).op != Op::attention) continue;
        EXPECT_EQ(graph.node(id).attributes_as<AttentionAttributes>().dropout, mode == Mode::training ? 0.1 : 0.0);
      }
    }
  }
}

TEST(Gpt, DecodesOverTheCachesThatItNames) {
  for (const GptConfig& config : {gpt2(8, 2, 2), llama(11, 8, 2, 4, 2, 6)}) {
    Graph graph;
    Builder builder(graph);
    Parameters parameters;
    const Value tokens = builder.input("tokens", {DType::i32, {3, 1}});
    const Value start = builder.input("start", {DType::i32, {1}});
    const Value logits = gpt_decode(parameters, config, tokens, start, 16);
    verify(graph);
    EXPECT_EQ(logits.shape(), (Shape{3, config.vocab_size}));
    EXPECT_EQ(graph.updates().size(), 4u);
    for (const CacheVariable& cache : gpt_caches(config, 3, 16)) {
      const NodeId leaf = graph.find_leaf(cache.name);
      ASSERT_GE(leaf, 0) << cache.name;
      EXPECT_EQ(graph.type({leaf, 0}), cache.type);
    }
  }
}

TEST(Gpt, RefusesMoreTokensThanPositions) {
  GptConfig config = gpt2(8, 1, 2);
  config.context = 4;
  Graph graph;
  Builder builder(graph);
  Parameters parameters;
  const Value tokens = builder.input("tokens", {DType::i32, {2, 5}});
  try {
    gpt_logits(parameters, config, tokens);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "gpt: 5 tokens in a row, but the model has 4 positions");
  }
}

}  // namespace
}  // namespace sesame
