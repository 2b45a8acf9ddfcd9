#include "sesame/train/step.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <new>

#include "sesame/base/philox.h"
#include "sesame/train/forecast.h"
#include "sesame/train/model_recipe.h"

namespace {
std::atomic<int64_t> allocations{0};
}  // namespace

void* operator new(size_t bytes) {
  ++allocations;
  if (void* memory = std::malloc(bytes)) return memory;
  throw std::bad_alloc();
}
void* operator new(size_t bytes, std::align_val_t alignment) {
  ++allocations;
  const auto unit = static_cast<size_t>(alignment);
  if (void* memory = std::aligned_alloc(unit, (bytes + unit - 1) / unit * unit)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }

namespace sesame {
namespace {

GptConfig small_config(Family family = Family::gpt2) {
  GptConfig config;
  config.family = family;
  config.vocab_size = 37;
  config.context = 16;
  config.width = 32;
  config.layers = 2;
  config.heads = 4;
  config.dropout = 0.1;
  return resolved(config, "test");
}

StepOptions small_options(int64_t batch = 4, int64_t accumulation = 1) {
  StepOptions options;
  options.batch = batch;
  options.context = 16;
  options.accumulation = accumulation;
  options.seed = 7;
  return options;
}

/// A step with initial weights, and random data that depends on the position alone.
class Rig {
 public:
  Rig(const GptConfig& config, const StepOptions& options, int threads = 1)
      : options_(options),
        vocabulary_(config.vocab_size),
        pool_(threads),
        step(gpt_loss_function(config), options, pool_) {
    for (const Parameter& p : step.layout().order) {
      const Tensor t = step.variables().get(p.name);
      initialise(p, options.seed, {t.as<float>(), static_cast<size_t>(t.elements())});
    }
  }

  double micro_batch(int64_t index, uint64_t counter) {
    const TrainingStep::Feed feed = step.feed(index);
    const Philox random(3, 0);
    for (size_t i = 0; i < feed.tokens.size(); ++i) {
      const uint64_t at = sequences_ * static_cast<uint64_t>(options_.context) + i;
      feed.tokens[i] = static_cast<int32_t>(random.word(at, 0) % static_cast<uint64_t>(vocabulary_));
      feed.targets[i] = (feed.tokens[i] * 5 + 1) % static_cast<int32_t>(vocabulary_);
    }
    sequences_ += static_cast<uint64_t>(options_.batch);
    return step.run(index, counter);
  }

  double whole_step() {
    double loss = 0;
    for (int64_t i = 0; i < options_.accumulation; ++i) loss += micro_batch(i, counter_++);
    norm = step.gradient_norm();
    step.update(3e-3, ++steps_);
    return loss / static_cast<double>(options_.accumulation);
  }

 private:
  StepOptions options_;
  int64_t vocabulary_;
  ThreadPool pool_;
  uint64_t sequences_ = 0;
  uint64_t counter_ = 0;
  int64_t steps_ = 0;

 public:
  TrainingStep step;
  double norm = 0;
};

bool same_bits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

TEST(TrainingStep, FirstLossIsTheLogarithmOfTheVocabularyAndFalls) {
  for (const Family family : {Family::gpt2, Family::llama}) {
    Rig rig(small_config(family), small_options());
    const double first = rig.whole_step();
    EXPECT_NEAR(first, std::log(37.0), 0.1);
    double last = 0;
    for (int i = 0; i < 150; ++i) last = rig.whole_step();
    EXPECT_LT(last, first / 2);
  }
}

TEST(TrainingStep, AllocatesNothing) {
  Rig rig(small_config(), small_options(4, 2), 2);
  rig.whole_step();
  const int64_t before = allocations;
  ASSERT_GT(before, 0);
  for (int i = 0; i < 5; ++i) rig.whole_step();
  const TrainingStep::Feed feed = rig.step.evaluation_feed();  // the arena is shared: another program's bytes until now
  std::ranges::fill(feed.tokens, 1);
  std::ranges::fill(feed.targets, 2);
  rig.step.run_evaluation();
  EXPECT_EQ(allocations - before, 0);
}

TEST(TrainingStep, OneAndTwoThreadsGiveTheSameBits) {
  Rig one(small_config(), small_options(), 1);
  Rig two(small_config(), small_options(), 2);
  for (int i = 0; i < 50; ++i) ASSERT_EQ(one.whole_step(), two.whole_step()) << "step " << i;
  EXPECT_TRUE(same_bits(one.step.flat_parameters(), two.step.flat_parameters()));
  EXPECT_TRUE(same_bits(one.step.flat_second_moment(), two.step.flat_second_moment()));
}

TEST(TrainingStep, AccumulationEqualsOneLargeBatch) {
  GptConfig config = small_config();
  config.dropout = 0;
  Rig whole(config, small_options(8, 1));
  Rig parts(config, small_options(2, 4));
  EXPECT_NEAR(whole.whole_step(), parts.whole_step(), 1e-5);
  EXPECT_NEAR(whole.norm, parts.norm, 1e-5);
  for (size_t i = 0; i < whole.step.flat_first_moment().size(); ++i)
    ASSERT_NEAR(whole.step.flat_first_moment()[i], parts.step.flat_first_moment()[i], 1e-6) << i;
}

TEST(TrainingStep, DropoutDependsOnTheCounterAndIsOffInEvaluation) {
  GptConfig config = small_config();
  config.dropout = 0.5;
  Rig a(config, small_options());
  Rig b(config, small_options());
  EXPECT_EQ(a.micro_batch(0, 5), b.micro_batch(0, 5));
  EXPECT_NE(a.micro_batch(0, 6), b.micro_batch(0, 7));
  const TrainingStep::Feed feed = a.step.evaluation_feed();
  std::fill(feed.tokens.begin(), feed.tokens.end(), 1);
  std::fill(feed.targets.begin(), feed.targets.end(), 2);
  EXPECT_NEAR(a.step.run_evaluation(), std::log(37.0), 0.2);
}

TEST(TrainingStep, UpdateDecaysMatricesOnly) {
  StepOptions options = small_options();
  options.weight_decay = 0.5;
  Rig rig(small_config(), options);
  const FlatLayout& layout = rig.step.layout();
  const std::span<float> parameters = rig.step.flat_parameters();
  std::fill(parameters.begin(), parameters.end(), 1.0f);
  rig.step.gradient_norm();  // gradients are zero: only the decay acts
  rig.step.update(0.1, 1);
  for (size_t i = 0; i < layout.order.size(); ++i)
    EXPECT_FLOAT_EQ(parameters[static_cast<size_t>(layout.offsets[i])],
                    layout.order[i].shape.rank() >= 2 ? 0.95f : 1.0f)
        << layout.order[i].name;
}

TEST(TrainingStep, ClippingScalesTheWholeGradient) {
  StepOptions options = small_options();
  options.clip = 1e-3;
  Rig clipped(small_config(), options);
  clipped.whole_step();
  double squares = 0;
  for (const float m : clipped.step.flat_first_moment()) squares += static_cast<double>(m) * m;
  EXPECT_GT(clipped.norm, 0.1);
  EXPECT_NEAR(std::sqrt(squares), 1e-3 * 0.1, 1e-6);  // the moment is (1 - beta1) of the gradient
}

TEST(Forecast, PlansTheBytesThatTheStepTakes) {
  for (const int64_t accumulation : {1, 3}) {
    const GptConfig config = small_config();
    const StepOptions options = small_options(4, accumulation);
    ThreadPool pool(2);
    const Forecast f = forecast(gpt_loss_function(config), options, pool.threads());
    TrainingStep step(gpt_loss_function(config), options, pool);
    EXPECT_EQ(f.arena_bytes, step.arena_bytes());
    EXPECT_EQ(f.total_bytes(), step.arena_bytes() + step.variable_bytes());
    EXPECT_EQ(f.tokens_per_step, 4 * 16 * accumulation);
  }
}

TEST(Forecast, CountsTheModelsFlops) {
  const GptConfig config = small_config();
  const StepOptions options = small_options();
  const Forecast f = forecast(gpt_loss_function(config), options, 1);
  const double width = 32;
  const double matmul_parameters = 2 * 12 * width * width + 37 * width;
  const double attention = 2 * 2 * 16 * width;  // two products, half of the square, over two layers
  EXPECT_EQ(f.matmul_parameters, static_cast<int64_t>(matmul_parameters));
  EXPECT_DOUBLE_EQ(f.flops_per_token(), 6 * matmul_parameters + 3 * attention);
  EXPECT_EQ(f.parameters, count_of(gpt_parameters(config)));
}

TEST(Forecast, RefusesWhatDoesNotFit) {
  Forecast f;
  f.arena_bytes = 1 << 30;
  EXPECT_NO_THROW(check_memory(f, 1 << 30));
  EXPECT_ANY_THROW(check_memory(f, (1 << 30) - 1));
}

}  // namespace
}  // namespace sesame
