#include "sesame/nn/layers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sesame/base/error.h"

namespace sesame {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Layers : public testing::Test {
 protected:
  std::vector<std::string> listed() const {
    std::vector<std::string> result;
    for (const Parameter& p : parameters.list()) result.push_back(p.name + " " + p.shape.to_string());
    return result;
  }

  Graph graph;
  Builder builder{graph};
  Parameters parameters;
  Value x = builder.input("x", {DType::f32, {2, 3, 4}});
};

TEST_F(Layers, LinearInOutKeepsItsWeightAsGpt2Does) {
  const Value y = linear_in_out(parameters, "c_attn", x, {.outputs = 12});
  EXPECT_EQ(y.shape(), (Shape{2, 3, 12}));
  EXPECT_THAT(listed(), ElementsAre("c_attn.weight [4, 12]", "c_attn.bias [12]"));
}

TEST_F(Layers, LinearOutInKeepsItsWeightAsTorchDoes) {
  const Value y = linear_out_in(parameters, "q_proj", x, {.outputs = 6, .bias = false});
  EXPECT_EQ(y.shape(), (Shape{2, 3, 6}));
  EXPECT_THAT(listed(), ElementsAre("q_proj.weight [6, 4]"));
}

TEST_F(Layers, LinearGeluHasItsBiasInTheActivation) {
  const Value y = linear_gelu(parameters, "c_fc", x, {.outputs = 16});
  EXPECT_EQ(y.shape(), (Shape{2, 3, 16}));
  EXPECT_EQ(graph.node(y.ref().node).op, Op::bias_gelu);
  EXPECT_THAT(listed(), ElementsAre("c_fc.weight [4, 16]", "c_fc.bias [16]"));
}

TEST_F(Layers, NormsStartAsTheIdentityOnNormalisedRows) {
  EXPECT_EQ(layer_norm_layer(parameters, "ln", x, 1e-5).shape(), x.shape());
  EXPECT_EQ(rms_norm_layer(parameters, "norm", x, 1e-6).shape(), x.shape());
  EXPECT_THAT(listed(), ElementsAre("ln.weight [4]", "ln.bias [4]", "norm.weight [4]"));
  EXPECT_EQ(parameters.list()[0].init.kind, Init::Kind::ones);
  EXPECT_EQ(parameters.list()[1].init.kind, Init::Kind::zeros);
}

TEST_F(Layers, AShapeErrorNamesTheScopeOfTheLayer) {
  const Builder::Scope scope(builder, "h.3");
  const Value ids = builder.input("ids", {DType::f32, {2, 3}});
  try {
    embedding_layer(parameters, "wte", ids, {7, 4}, 0.02);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("h.3.wte"));
  }
}

}  // namespace
}  // namespace sesame
