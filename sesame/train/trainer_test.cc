#include "sesame/train/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <limits>

#include "sesame/base/atomic_directory.h"
#include "sesame/base/error.h"
#include "sesame/base/fault_injection.h"
#include "sesame/base/file.h"
#include "sesame/train/checkpoint.h"
#include "sesame/train/model_directory.h"
#include "sesame/train/model_recipe.h"
#include "sesame/train/run_directory.h"

namespace sesame {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class TrainerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = fs::temp_directory_path() / ("sesame_trainer_" + std::to_string(getpid()) + "_" +
                                              ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(directory_);
    fs::create_directories(directory_);
    std::string text;
    for (int i = 0; i < 300; ++i) text += "the cat " + std::to_string(i % 7) + " sat on the mat; the dog did not.\n";
    write_file_atomically(directory_ / "text.txt", text);
  }
  void TearDown() override { fs::remove_all(directory_); }

  TrainRequest request(const std::string& out, const std::vector<std::string>& settings = {}) const {
    std::vector<std::string> all{"data.train=" + (directory_ / "text.txt").string(),
                                 "tokenizer.type=character",
                                 "model.n_layer=1",
                                 "model.n_head=2",
                                 "model.n_embd=16",
                                 "model.dropout=0.1",
                                 "optim.schedule=constant",
                                 "optim.lr=0.01",
                                 "optim.warmup_steps=2",
                                 "train.steps=20",
                                 "train.batch_size=4",
                                 "train.context=16",
                                 "train.eval_every=5",
                                 "train.eval_batches=4",
                                 "train.checkpoint_every=10",
                                 "train.threads=1"};
    all.insert(all.end(), settings.begin(), settings.end());
    TrainRequest r;
    r.recipe = parse_recipe("", "test", all);
    r.out = directory_ / out;
    return r;
  }

  std::string weights(const std::string& out, const char* which = "last") const {
    return read_file(directory_ / out / which / "model.safetensors");
  }

  std::string message_of(const TrainRequest& r) const {
    try {
      train(r);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  fs::path directory_;
};

TEST_F(TrainerTest, LearnsAndLeavesCompleteModels) {
  const TrainResult result = train(request("run", {"train.steps=60"}));
  EXPECT_EQ(result.end, TrainResult::End::finished);
  EXPECT_EQ(result.step, 60);
  EXPECT_LT(result.validation_loss, 2.5);  // ln(vocabulary) is about 3.4
  EXPECT_LE(result.best_validation_loss, result.validation_loss);
  for (const char* which : {"last", "best"})
    for (const char* file :
         {"config.json", "generation_config.json", "tokenizer.json", "model.safetensors", "recipe.toml"})
      EXPECT_TRUE(fs::exists(directory_ / "run" / which / file)) << which << "/" << file;
  EXPECT_TRUE(fs::exists(directory_ / "run/last/state.safetensors"));
  EXPECT_FALSE(fs::exists(directory_ / "run/best/state.safetensors"));
  EXPECT_NO_THROW(verify_manifest(directory_ / "run/last"));
  EXPECT_EQ(find_model(directory_ / "run"), directory_ / "run/best");
  EXPECT_EQ(load_model(directory_ / "run/last").config.width, 16);
  EXPECT_EQ(load_recipe(directory_ / "run/recipe.toml"), request("run", {"train.steps=60"}).recipe);
}

TEST_F(TrainerTest, ResumedRunHasTheBitsOfAnUnbrokenOne) {
  train(request("whole"));
  train(request("parts", {"train.steps=7"}));
  TrainRequest rest = request("parts");
  rest.resume = true;
  EXPECT_EQ(train(rest).step, 20);
  EXPECT_EQ(weights("parts"), weights("whole"));
  EXPECT_EQ(weights("parts", "best"), weights("whole", "best"));
}

TEST_F(TrainerTest, AccumulatedStepsResumeToo) {
  const std::vector<std::string> accumulate{"train.accumulation=3", "train.sampling=random"};
  train(request("whole", accumulate));
  train(request("parts", {"train.accumulation=3", "train.sampling=random", "train.steps=9"}));
  TrainRequest rest = request("parts", accumulate);
  rest.resume = true;
  train(rest);
  EXPECT_EQ(weights("parts"), weights("whole"));
}

TEST_F(TrainerTest, ThreadsDoNotChangeTheResult) {
  train(request("one"));
  train(request("two", {"train.threads=2"}));
  EXPECT_EQ(weights("one"), weights("two"));
}

TEST_F(TrainerTest, MemoryMayChangeFromPartToPartAndMovesNoBit) {
  setenv("SESAME_CACHE_DIR", (directory_ / "cache").c_str(), 1);
  const std::vector<std::string> wide{"model.n_embd=64", "model.n_layer=3", "train.batch_size=64", "train.context=32",
                                      "train.steps=4"};
  const auto with = [&](std::vector<std::string> settings) {
    settings.insert(settings.begin(), wide.begin(), wide.end());
    return settings;
  };
  train(request("whole", with({"train.memory=keep"})));
  train(request("parts", with({"train.steps=2"})));
  TrainRequest rest = request("parts", with({"train.memory=1"}));
  rest.resume = true;
  const std::string refusal = message_of(rest);
  EXPECT_THAT(refusal, HasSubstr("is less than the step can do with: "));
  const size_t at = refusal.find("do with: ") + 9;
  rest = request("parts", with({"train.memory=" + refusal.substr(at, refusal.find(' ', at) - at)}));
  rest.resume = true;
  EXPECT_EQ(train(rest).step, 4);
  EXPECT_EQ(weights("parts"), weights("whole"));
}

TEST_F(TrainerTest, TheSplitThatWasChosenIsKept) {
  setenv("SESAME_CACHE_DIR", (directory_ / "cache").c_str(), 1);
  const std::vector<std::string> automatic{"train.split=auto", "train.accumulation=2"};
  train(request("run", {"train.split=auto", "train.accumulation=2", "train.steps=3"}));
  Recipe recorded = load_recipe(directory_ / "run/recipe.toml");
  EXPECT_EQ(recorded.train.split, "given");
  EXPECT_EQ(recorded.train.batch_size * recorded.train.accumulation, 8);
  EXPECT_EQ(load_recipe(directory_ / "run/last/recipe.toml"), recorded);
  // Another choice than would be made now: going on must not choose again.
  recorded.train.batch_size = recorded.train.batch_size == 2 ? 4 : 2;
  recorded.train.accumulation = 8 / recorded.train.batch_size;
  TrainRequest part = request("other");
  part.recipe = recorded;
  train(part);
  TrainRequest rest = request("other", automatic);
  rest.resume = true;
  EXPECT_EQ(train(rest).step, 20);
  EXPECT_EQ(load_recipe(directory_ / "other/recipe.toml").train.batch_size, recorded.train.batch_size);
  TrainRequest larger = request("other", {"train.split=auto", "train.accumulation=3"});
  larger.resume = true;
  EXPECT_THAT(message_of(larger), HasSubstr("train.accumulation"));
}

TEST_F(TrainerTest, MetricsOfStepsThatAreDoneAgainAreDropped) {
  train(request("run", {"train.steps=7"}));
  TrainRequest rest = request("run");
  rest.resume = true;
  train(rest);
  train(request("whole"));
  const auto evaluations = [&](const char* run) {
    std::vector<std::string> found;
    std::istringstream lines(read_file(directory_ / run / "metrics.jsonl"));
    for (std::string line; std::getline(lines, line);)
      if (const size_t at = line.find("\"val_loss\"");
          at != std::string::npos && line.find("\"eval\"") != std::string::npos)
        found.push_back(line.substr(0, line.find("\"tokens\"")) + line.substr(at, line.find(',', at) - at));
    return found;
  };
  // The first part evaluated at its own end, step 7, as well.
  std::vector<std::string> parts = evaluations("run");
  std::erase_if(parts, [](const std::string& line) { return line.find("\"step\":7,") != std::string::npos; });
  EXPECT_EQ(parts, evaluations("whole"));
  EXPECT_EQ(parts.size(), 5u);  // 0, 5, 10, 15, 20
}

TEST_F(TrainerTest, RefusesADirectoryThatHoldsARun) {
  train(request("run", {"train.steps=3"}));
  const std::string before = weights("run");
  EXPECT_THAT(message_of(request("run")), HasSubstr("holds a run already; add --resume"));
  EXPECT_EQ(weights("run"), before);
  write_file_atomically(directory_ / "run/notes.txt", "mine");
  TrainRequest again = request("run", {"train.steps=4"});
  again.overwrite = true;
  train(again);
  EXPECT_NE(weights("run"), before);
  EXPECT_EQ(read_file(directory_ / "run/notes.txt"), "mine");
}

TEST_F(TrainerTest, RefusesADirectoryOfSomethingElse) {
  fs::create_directories(directory_ / "home");
  write_file_atomically(directory_ / "home/thesis.tex", "do not touch");
  for (const bool overwrite : {false, true}) {
    TrainRequest r = request("home");
    r.overwrite = overwrite;
    EXPECT_THAT(message_of(r), HasSubstr("holds other files and no run"));
  }
  EXPECT_EQ(read_file(directory_ / "home/thesis.tex"), "do not touch");
  EXPECT_THAT(message_of(request("text.txt")), HasSubstr("is a file"));
}

TEST_F(TrainerTest, ResumingNeedsTheSameRecipeAndText) {
  train(request("run", {"train.steps=3"}));
  TrainRequest other = request("run", {"optim.lr=0.02", "model.n_embd=32"});
  other.resume = true;
  EXPECT_THAT(message_of(other), HasSubstr("in model.n_embd, optim.lr"));
  write_file_atomically(directory_ / "text.txt", read_file(directory_ / "text.txt") + "the cat.\n");
  TrainRequest longer = request("run");
  longer.resume = true;
  EXPECT_THAT(message_of(longer), HasSubstr("the text has changed since the run began"));
}

TEST_F(TrainerTest, ResumingNothingBeginsAnew) {
  train(request("whole"));
  TrainRequest fresh = request("fresh");
  fresh.resume = true;
  train(fresh);
  EXPECT_EQ(weights("fresh"), weights("whole"));
}

TEST_F(TrainerTest, BadText) {
  write_file_atomically(directory_ / "empty.txt", "");
  write_file_atomically(directory_ / "binary.txt", std::string_view("\0\1\2\3\0\0\0", 7));
  write_file_atomically(directory_ / "short.txt", "one line");
  const auto message = [&](const std::string& file) {
    return message_of(request("run_" + file, {"data.train=" + (directory_ / file).string()}));
  };
  EXPECT_THAT(message("empty.txt"), HasSubstr("empty.txt"));
  EXPECT_THAT(message("binary.txt"), HasSubstr("binary.txt"));
  EXPECT_THAT(message("short.txt"), HasSubstr("train.context = 16"));
  EXPECT_THAT(message("missing.txt"), HasSubstr("missing.txt"));
  EXPECT_THAT(message_of(request("none", {"data.train=[]"})), HasSubstr("data.train names no text"));
}

/// A trained run whose checkpoint a test may replace.
struct Checkpoint {
  Checkpoint(const TrainRequest& request, const fs::path& run)
      : tokenizer(Tokenizer::load(run / "tokenizer.json")),
        config(model_config(request.recipe, tokenizer.vocabulary_size())),
        pool(1),
        step(gpt_loss_function(config), step_options(request.recipe), pool),
        state(load_checkpoint(run / "last", config, step)) {}

  void save(const fs::path& directory, FileSystem& files = FileSystem::posix()) {
    save_checkpoint(directory, {config, tokenizer, "recipe"}, step, &state, files);
  }

  Tokenizer tokenizer;
  GptConfig config;
  ThreadPool pool;
  TrainingStep step;
  TrainingState state;
};

TEST_F(TrainerTest, NotANumberStopsBeforeTheUpdate) {
  train(request("run", {"train.steps=3"}));
  Checkpoint checkpoint(request("run"), directory_ / "run");
  checkpoint.step.flat_parameters()[0] = std::numeric_limits<float>::quiet_NaN();
  checkpoint.save(directory_ / "run/last");
  const std::string before = weights("run");
  TrainRequest r = request("run");
  r.resume = true;
  EXPECT_THAT(message_of(r), HasSubstr("step 4: the loss is nan"));
  EXPECT_EQ(weights("run"), before);
}

TEST_F(TrainerTest, AFullDiskLeavesTheCheckpointIntact) {
  train(request("run", {"train.steps=3"}));
  Checkpoint checkpoint(request("run"), directory_ / "run");
  const fs::path last = directory_ / "run/last";
  checkpoint.save(last);
  const std::string before = weights("run");
  FaultyFileSystem counting;
  checkpoint.save(last, counting);
  ASSERT_GT(counting.operations(), 5);

  checkpoint.step.flat_parameters()[0] += 1;
  int refused = 0;
  for (int64_t at = 0; at < counting.operations(); ++at) {
    FaultyFileSystem full(FaultyFileSystem::Fault::full_disk, at);
    try {
      checkpoint.save(last, full);
    } catch (const Error& error) {
      ++refused;
      EXPECT_THAT(error.what(), HasSubstr("could not save"));
      EXPECT_THAT(error.what(), HasSubstr("No space left on device"));
    }
    const fs::path usable = committed_directory(last);
    EXPECT_NO_THROW(verify_manifest(usable));
    EXPECT_NO_THROW(load_model(usable));
    if (refused > at) {
      EXPECT_EQ(weights("run"), before) << "operation " << at;
    }
  }
  EXPECT_GT(refused, 0);
}

TEST_F(TrainerTest, DamagedCheckpointIsRefused) {
  train(request("run", {"train.steps=3"}));
  std::string bytes = weights("run");
  bytes[bytes.size() - 5] = static_cast<char>(bytes[bytes.size() - 5] ^ 1);
  write_file_atomically(directory_ / "run/last/model.safetensors", bytes);
  TrainRequest r = request("run");
  r.resume = true;
  EXPECT_THAT(message_of(r), HasSubstr("model.safetensors"));
}

}  // namespace
}  // namespace sesame
