#include "sesame/train/state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <vector>

#include "sesame/base/error.h"
#include "sesame/base/file.h"

namespace sesame {
namespace {

using ::testing::HasSubstr;

class StateTest : public ::testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(path_); }

  std::string message_of_loading(size_t elements) const {
    std::vector<float> first(elements), second(elements);
    try {
      load_state(path_, first, second);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  std::filesystem::path path_ =
      std::filesystem::temp_directory_path() / ("sesame_state_" + std::to_string(getpid()) + ".safetensors");
  std::vector<float> first_{1, -2, 3};
  std::vector<float> second_{0.5f, 0, 1e-30f};
};

TEST_F(StateTest, ComesBackToTheBit) {
  TrainingState state;
  state.step = 7;
  state.micro_batches = (uint64_t{1} << 63) + 1;
  state.sequences = 99;
  state.train_tokens = 1000;
  state.validation_tokens = 10;
  state.evaluated_step = 5;
  state.validation_loss = 0.1;
  state.train_loss = 0.3;
  state.best_step = 4;
  state.best_loss = 0.05;
  state.loss_sum = 1.0 / 3;
  state.loss_count = 2;
  state.elapsed = 12.5;
  save_state(path_, state, first_, second_);
  std::vector<float> first(3), second(3);
  const TrainingState loaded = load_state(path_, first, second);
  EXPECT_EQ(first, first_);
  EXPECT_EQ(second, second_);
  EXPECT_EQ(loaded.step, 7);
  EXPECT_EQ(loaded.micro_batches, (uint64_t{1} << 63) + 1);
  EXPECT_EQ(loaded.sequences, 99u);
  EXPECT_EQ(loaded.train_tokens, 1000);
  EXPECT_EQ(loaded.validation_tokens, 10);
  EXPECT_EQ(loaded.evaluated_step, 5);
  EXPECT_EQ(loaded.validation_loss, 0.1);
  EXPECT_EQ(loaded.train_loss, 0.3);
  EXPECT_EQ(loaded.best_step, 4);
  EXPECT_EQ(loaded.best_loss, 0.05);
  EXPECT_EQ(loaded.loss_sum, 1.0 / 3);
  EXPECT_EQ(loaded.loss_count, 2);
  EXPECT_EQ(loaded.elapsed, 12.5);
}

TEST_F(StateTest, OfAnotherModelIsRefused) {
  save_state(path_, {}, first_, second_);
  EXPECT_THAT(message_of_loading(4), HasSubstr("adam.first_moment has 3 elements where the recipe's model has 4"));
}

TEST_F(StateTest, CutAnywhereIsRefused) {
  save_state(path_, {}, first_, second_);
  const std::string whole = read_file(path_);
  EXPECT_EQ(message_of_loading(3), "");
  for (size_t size = 0; size < whole.size(); ++size) {
    write_file_atomically(path_, whole.substr(0, size));
    ASSERT_NE(message_of_loading(3), "") << size << " bytes";
  }
}

}  // namespace
}  // namespace sesame
