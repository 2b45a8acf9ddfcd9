#include "sesame/train/evaluation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "sesame/base/error.h"
#include "sesame/train/model_recipe.h"

namespace sesame {
namespace {

StepOptions options() {
  StepOptions o;
  o.batch = 4;
  o.context = 8;
  return o;
}

/// Tokens 0, 1, 2, ... modulo 50: 10 windows of 8 and their targets.
TokenStream counting() {
  std::vector<int32_t> ids(81);
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int32_t>(i % 50);
  return TokenStream::from_ids(std::move(ids));
}

class EvaluationTest : public ::testing::Test {
 protected:
  EvaluationTest() : step_(gpt_loss_function(config()), options(), pool_) {
    for (const Parameter& p : step_.layout().order) {
      const Tensor t = step_.variables().get(p.name);
      initialise(p, 1, {t.as<float>(), static_cast<size_t>(t.elements())});
    }
  }

  static GptConfig config() {
    GptConfig c;
    c.vocab_size = 50;
    c.context = 8;
    c.width = 16;
    c.layers = 1;
    c.heads = 2;
    c.initializer_range = 0.5;  // so that windows differ in their loss
    return resolved(c, "test");
  }

  double run(int64_t batches) {
    return Evaluation(counting(), options(), batches).run(step_, [] { return true; });
  }

  /// The loss of one window, alone in its batch.
  double window_loss(uint64_t window) {
    const TrainingStep::Feed feed = step_.evaluation_feed();
    std::fill(feed.tokens.begin(), feed.tokens.end(), 0);
    std::fill(feed.targets.begin(), feed.targets.end(), -1);
    const SequenceSampler sampler(counting(), {.sampling = Sampling::sequential, .context = 8, .seed = 0});
    sampler.fill(window, feed.tokens.first(8), feed.targets.first(8));
    return step_.run_evaluation();
  }

  ThreadPool pool_{1};
  TrainingStep step_;
};

TEST_F(EvaluationTest, AllWindowsCountOnceEvenInABatchThatIsNotFull) {
  double sum = 0;
  for (uint64_t w = 0; w < 10; ++w) sum += window_loss(w);
  EXPECT_NEAR(run(0), sum / 10, 1e-5);
  EXPECT_EQ(run(0), run(1000));
}

TEST_F(EvaluationTest, AFewBatchesSpreadOverTheText) {
  const double expected = (window_loss(0) + window_loss(2) + window_loss(5) + window_loss(7)) / 4;
  EXPECT_NEAR(run(1), expected, 1e-5);
  EXPECT_EQ(Evaluation(counting(), options(), 1).tokens(), 32);
}

TEST_F(EvaluationTest, StopsWhenAsked) {
  EXPECT_TRUE(std::isnan(Evaluation(counting(), options(), 0).run(step_, [] { return false; })));
}

TEST_F(EvaluationTest, ShortTextIsRefused) {
  EXPECT_THROW(Evaluation(TokenStream::from_ids({1, 2, 3}), options(), 0), Error);
}

}  // namespace
}  // namespace sesame
