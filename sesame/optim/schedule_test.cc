#include "sesame/optim/schedule.h"

#include <gtest/gtest.h>

#include "sesame/base/error.h"

namespace sesame {
namespace {

TEST(LearningRate, RisesLinearlyToThePeak) {
  const Schedule schedule{Schedule::Kind::constant, 1.0, 0.0, 4, 100};
  EXPECT_DOUBLE_EQ(learning_rate(schedule, 0), 0.2);
  EXPECT_DOUBLE_EQ(learning_rate(schedule, 3), 0.8);
  EXPECT_DOUBLE_EQ(learning_rate(schedule, 4), 1.0);
  EXPECT_DOUBLE_EQ(learning_rate(schedule, 1000), 1.0);
}

TEST(LearningRate, CosineFallsFromPeakToMinimum) {
  const Schedule schedule{Schedule::Kind::cosine, 1.0, 0.1, 10, 110};
  EXPECT_DOUBLE_EQ(learning_rate(schedule, 10), 1.0);
  EXPECT_DOUBLE_EQ(learning_rate(schedule, 60), 0.55);
  EXPECT_NEAR(learning_rate(schedule, 35), 0.1 + 0.45 * (1 + 0.70710678118654752), 1e-12);
  EXPECT_DOUBLE_EQ(learning_rate(schedule, 110), 0.1);
  EXPECT_DOUBLE_EQ(learning_rate(schedule, 500), 0.1);
}

TEST(LearningRate, LinearFallsEvenly) {
  const Schedule schedule{Schedule::Kind::linear, 2.0, 1.0, 0, 10};
  EXPECT_DOUBLE_EQ(learning_rate(schedule, 0), 2.0);
  EXPECT_DOUBLE_EQ(learning_rate(schedule, 5), 1.5);
  EXPECT_DOUBLE_EQ(learning_rate(schedule, 10), 1.0);
}

TEST(LearningRate, AWarmupAsLongAsTheRunIsFine) {
  const Schedule schedule{Schedule::Kind::cosine, 1.0, 0.0, 10, 10};
  EXPECT_DOUBLE_EQ(learning_rate(schedule, 9), 10.0 / 11.0);
  EXPECT_DOUBLE_EQ(learning_rate(schedule, 10), 1.0);
}

TEST(ParseSchedule, KnowsThreeAndNamesTheKeyOtherwise) {
  EXPECT_EQ(parse_schedule("cosine", "optim.schedule"), Schedule::Kind::cosine);
  EXPECT_EQ(parse_schedule("linear", "optim.schedule"), Schedule::Kind::linear);
  EXPECT_EQ(parse_schedule("constant", "optim.schedule"), Schedule::Kind::constant);
  try {
    parse_schedule("cos", "optim.schedule");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "optim.schedule = \"cos\": expected \"constant\", \"linear\" or \"cosine\"");
    EXPECT_EQ(error.status(), ExitStatus::usage);
  }
}

}  // namespace
}  // namespace sesame
