#include "sesame/optim/adamw.h"

#include <gtest/gtest.h>

#include <vector>

namespace sesame {
namespace {

TEST(FlatLayout, PutsWhatDecaysFirstAndAlignsEachTensor) {
  const std::vector<Parameter> parameters = {{"bias", {3}, Init::zeros(), false},
                                             {"a", {3, 7}, Init::normal(1), true},
                                             {"gain", {16}, Init::ones(), false},
                                             {"b", {2, 8}, Init::normal(1), true}};
  const FlatLayout layout = flat_layout(parameters);
  ASSERT_EQ(layout.order.size(), 4u);
  EXPECT_EQ(layout.order[0].name, "a");
  EXPECT_EQ(layout.order[1].name, "b");
  EXPECT_EQ(layout.order[2].name, "bias");
  EXPECT_EQ(layout.order[3].name, "gain");
  EXPECT_EQ(layout.offsets, (std::vector<int64_t>{0, 32, 48, 64}));
  EXPECT_EQ(layout.decayed, 48);
  EXPECT_EQ(layout.elements, 80);
}

TEST(FlatLayout, WithoutAnyThatDecaysNothingIsDecayed) {
  const std::vector<Parameter> parameters = {{"bias", {3}, Init::zeros(), false}};
  EXPECT_EQ(flat_layout(parameters).decayed, 0);
  EXPECT_EQ(flat_layout(parameters).elements, 16);
}

TEST(AdamWGraph, UpdatesParametersAndMomentsButNotTheGradients) {
  AdamWAttributes attributes;
  attributes.max_grad_norm = 1;
  attributes.decayed = 48;
  const Graph graph = adamw_graph(80, attributes);
  verify(graph);
  ASSERT_EQ(graph.updates().size(), 3u);
  for (const Graph::Update& update : graph.updates()) EXPECT_NE(update.variable, graph.find_leaf("gradients"));
  EXPECT_EQ(graph.type({graph.find_leaf("grad_norm_squared"), 0}), (Type{DType::f64, Shape{}}));
  EXPECT_EQ(graph.type({graph.find_leaf("hyper"), 0}), (Type{DType::f32, {3}}));
}

TEST(AdamWHyper, HoldsTheBiasCorrections) {
  AdamWAttributes attributes;
  attributes.beta1 = 0.9;
  attributes.beta2 = 0.95;
  const auto first = adamw_hyper(3e-4, 1, attributes);
  EXPECT_FLOAT_EQ(first[0], 3e-4f);
  EXPECT_FLOAT_EQ(first[1], 0.1f);
  EXPECT_FLOAT_EQ(first[2], 0.05f);
  EXPECT_FLOAT_EQ(adamw_hyper(3e-4, 2, attributes)[1], 0.19f);
}

}  // namespace
}  // namespace sesame
