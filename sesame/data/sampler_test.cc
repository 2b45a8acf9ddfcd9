#include "sesame/data/sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <set>

#include "sesame/base/error.h"

namespace sesame {
namespace {

using ::testing::HasSubstr;

/// Token i has id i, so a sequence shows where it was cut.
TokenStream counting_stream(size_t size) {
  std::vector<int32_t> ids(size);
  std::iota(ids.begin(), ids.end(), 0);
  return TokenStream::from_ids(std::move(ids));
}

SequenceSampler sampler_of(size_t tokens, Sampling sampling, int64_t context, uint64_t seed = 1) {
  return SequenceSampler(counting_stream(tokens), {sampling, context, seed});
}

constexpr Sampling kAll[] = {Sampling::shuffled, Sampling::random, Sampling::sequential};

TEST(Sampler, TargetsAreInputsShiftedByOne) {
  for (const Sampling sampling : kAll) {
    const SequenceSampler sampler = sampler_of(1000, sampling, 7);
    Batch batch = make_sequence_batch(5, 7);
    sampler.fill(40, batch);
    EXPECT_EQ(batch.at("inputs").shape, (std::vector<int64_t>{5, 7}));
    for (size_t row = 0; row < 5; ++row) {
      const auto begin = static_cast<int32_t>(sampler.offset(40 + row));
      for (int32_t t = 0; t < 7; ++t) {
        EXPECT_EQ(batch.at("inputs").values[row * 7 + static_cast<size_t>(t)], begin + t);
        EXPECT_EQ(batch.at("targets").values[row * 7 + static_cast<size_t>(t)], begin + t + 1);
      }
    }
  }
}

// The position is all there is: any cut of the run into batches, at any place, gives the same sequences.
TEST(Sampler, ResumesAtAnyPosition) {
  for (const Sampling sampling : kAll) {
    const SequenceSampler unbroken = sampler_of(500, sampling, 8, 42);
    std::vector<int32_t> inputs(300 * 8), targets(300 * 8);
    unbroken.fill(0, inputs, targets);
    for (const size_t position : {1, 59, 60, 61, 123, 250}) {
      const SequenceSampler resumed = sampler_of(500, sampling, 8, 42);
      std::vector<int32_t> resumed_inputs(3 * 8), resumed_targets(3 * 8);
      resumed.fill(position, resumed_inputs, resumed_targets);
      EXPECT_TRUE(std::ranges::equal(resumed_inputs, std::span(inputs).subspan(position * 8, 24)));
      EXPECT_TRUE(std::ranges::equal(resumed_targets, std::span(targets).subspan(position * 8, 24)));
    }
  }
}

TEST(Sampler, ShuffledEpochsVisitEachWindowOnce) {
  const SequenceSampler sampler = sampler_of(1003, Sampling::shuffled, 10);
  const uint64_t windows = sampler.sequences_per_epoch();
  EXPECT_EQ(windows, 99u);
  std::set<uint64_t> jitters;
  std::vector<uint64_t> first_order;
  for (uint64_t epoch = 0; epoch < 200; ++epoch) {
    std::set<uint64_t> starts;
    for (uint64_t i = 0; i < windows; ++i) starts.insert(sampler.offset(epoch * windows + i));
    ASSERT_EQ(starts.size(), windows);
    EXPECT_LE(*starts.rbegin() + 11, 1003u);
    EXPECT_EQ(*starts.rbegin() - *starts.begin(), (windows - 1) * 10) << "windows lie side by side";
    jitters.insert(*starts.begin());
  }
  EXPECT_EQ(jitters.size(), 10u) << "every offset in the first window occurs";
  uint64_t same = 0;
  for (uint64_t i = 0; i < windows; ++i) {
    const auto window = [&](uint64_t epoch) { return sampler.offset(epoch * windows + i) / 10; };
    same += window(0) == window(1);
  }
  EXPECT_LT(same, 10u) << "epochs have different orders";
}

TEST(Sampler, TakesEveryLengthThatFits) {
  for (const Sampling sampling : kAll) {
    for (size_t tokens = 9; tokens < 60; ++tokens) {
      const SequenceSampler sampler = sampler_of(tokens, sampling, 8);
      std::set<uint64_t> offsets;
      for (uint64_t i = 0; i < 400; ++i) {
        ASSERT_LE(sampler.offset(i) + 9, tokens);
        offsets.insert(sampler.offset(i));
      }
      if (sampling == Sampling::sequential) {
        EXPECT_EQ(offsets.size(), (tokens - 1) / 8);
      } else if (sampling == Sampling::random) {
        EXPECT_EQ(offsets.size(), tokens - 8) << "all offsets, the last included";
      }
    }
  }
}

TEST(Sampler, RandomOffsetsAreUniform) {
  const SequenceSampler sampler = sampler_of(108, Sampling::random, 8);
  constexpr int kDraws = 100'000;
  std::vector<int> counts(100);
  for (uint64_t i = 0; i < kDraws; ++i) ++counts[sampler.offset(i)];
  double chi_square = 0;
  for (const int count : counts) chi_square += std::pow(count - kDraws / 100.0, 2) / (kDraws / 100.0);
  EXPECT_LT(chi_square, 99 + 8 * std::sqrt(2.0 * 99));
}

TEST(Sampler, SequentialStartsOver) {
  const SequenceSampler sampler = sampler_of(30, Sampling::sequential, 8);
  EXPECT_EQ(sampler.sequences_per_epoch(), 3u);
  EXPECT_EQ(sampler.offset(2), 16u);
  EXPECT_EQ(sampler.offset(3), 0u);
}

TEST(Sampler, SeedsDiffer) {
  for (const Sampling sampling : {Sampling::shuffled, Sampling::random}) {
    const SequenceSampler one = sampler_of(10'000, sampling, 8, 1);
    const SequenceSampler two = sampler_of(10'000, sampling, 8, 2);
    int same = 0;
    for (uint64_t i = 0; i < 100; ++i) same += one.offset(i) == two.offset(i);
    EXPECT_LT(same, 5);
  }
}

TEST(Sampler, SaysWhatATooShortCorpusNeeds) {
  try {
    sampler_of(64, Sampling::random, 64);
    FAIL() << "took a corpus shorter than a sequence";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("64 tokens, but one sequence of context 64 needs 65"));
    EXPECT_THAT(error.what(), HasSubstr("train.context"));
  }
  EXPECT_THROW(sampler_of(64, Sampling::random, 0), Error);
  EXPECT_THROW(sampler_of(64, Sampling::random, -3), Error);
}

TEST(Sampler, RefusesBatchesOfOtherShapes) {
  const SequenceSampler sampler = sampler_of(64, Sampling::random, 8);
  std::vector<int32_t> inputs(16), targets(16);
  EXPECT_THROW(sampler.fill(0, inputs, std::span(targets).first(8)), Error);
  EXPECT_THROW(sampler.fill(0, std::span(inputs).first(12), std::span(targets).first(12)), Error);
  EXPECT_THROW(make_sequence_batch(0, 8), Error);
  Batch batch = make_sequence_batch(2, 8);
  EXPECT_THROW((void)batch.at("labels"), Error);
  EXPECT_THROW(parse_sampling("shuffle", "data.sampling"), Error);
  EXPECT_EQ(parse_sampling("random", "data.sampling"), Sampling::random);
}

}  // namespace
}  // namespace sesame
