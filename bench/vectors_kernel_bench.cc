// The steps of word vectors, one thread: GFLOP/s and the share of the peak of multiply-adds that is probed in between,
// each the best of some rounds.
// Rows come from small tables that the caches hold, or from large ones by Zipf's law as in training.
// Usage: vectors_kernel_bench [--rounds N] [--only SUBSTRING] [--megabytes N] [--avx2] [--cpu-time]

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "bench/bench_clock.h"
#include "hwy/targets.h"
#include "sesame/analyze/table.h"
#include "sesame/base/machine.h"
#include "sesame/word_vectors/train/block_step.h"
#include "sesame/word_vectors/train/random_block.h"
#include "sesame/word_vectors/train/tables.h"

namespace sesame::bench {
namespace {

struct Options {
  int rounds = 50;
  std::string only;
  int64_t megabytes = 64;  // of each table
};

struct Case {
  std::string name;
  Architecture architecture;
  int64_t dim;
  RandomBlockShape shape;
};

enum class Rows { in_cache, in_memory, in_memory_announced };

std::string_view name_of(Rows rows) {
  if (rows == Rows::in_cache) return "cache";
  return rows == Rows::in_memory ? "memory" : "memory, announced";
}

std::vector<Case> cases() {
  std::vector<Case> all;
  const auto skipgram = [&](int64_t dim, int64_t centres, int64_t negatives) {
    all.push_back({fmt::format("skip-gram, block {}, {} negatives", centres, negatives),
                   Architecture::skipgram,
                   dim,
                   {.centres = centres, .window = 5, .negatives = negatives}});
  };
  for (const int64_t centres : {8, 16, 32}) skipgram(100, centres, 16);
  for (const int64_t centres : {8, 16, 32}) skipgram(100, centres, 32);
  skipgram(300, 16, 16);
  skipgram(300, 32, 32);
  all.push_back({"skip-gram, pairs alone", Architecture::skipgram, 100, {.window = 5, .negatives = 0}});
  all.push_back({"skip-gram, negatives alone", Architecture::skipgram, 100, {.window = 5, .targets_per_centre = 0}});
  const RandomBlockShape tree{.window = 5, .negatives = 0, .targets_per_centre = 12};
  all.push_back({"skip-gram, path of 12", Architecture::skipgram, 100, tree});
  all.push_back({"CBOW, block 16, 32 negatives",
                 Architecture::cbow,
                 200,
                 {.window = 8, .negatives = 32, .weights_by_centre = true}});
  all.push_back({"CBOW, block 32, 32 negatives",
                 Architecture::cbow,
                 200,
                 {.centres = 32, .window = 8, .negatives = 32, .weights_by_centre = true}});
  all.push_back({"CBOW, path of 12", Architecture::cbow, 200, tree});
  return all;
}

/// A stretch of training: blocks over two tables.
class Workload {
 public:
  Workload(const Case& of, Rows rows, const Options& options)
      : case_(of), tables_(make_tables(of.dim, rows, options)), workspace_(of.dim) {
    // A trainer's block has just been written: in the cache, few blocks keep their descriptions there too.
    const int blocks = rows == Rows::in_cache ? 12 : 400;
    std::mt19937_64 random(1);
    const auto all = static_cast<double>(tables_.input.rows);
    const RandomBlock::DrawRow draw = [&](std::mt19937_64& source) {
      const double uniform = std::uniform_real_distribution<double>(0, 1)(source);
      return static_cast<int32_t>(rows == Rows::in_cache ? uniform * all : std::exp(uniform * std::log(all)) - 1);
    };
    for (int b = 0; b < blocks; ++b) {
      drawn_.emplace_back(of.shape, random, draw, draw);
      std::ranges::fill(drawn_.back().weights, 0.3F);
    }
    for (const RandomBlock& block : drawn_) {
      blocks_.emplace_back(block, tables_.input.row(0), tables_.output.row(0), tables_.input.stride);
      blocks_.back().block().weights = drawn_.front().weights.data();
    }
    for (size_t b = 0; b + 1 < blocks_.size() && rows == Rows::in_memory_announced; ++b) {
      const Block& next = blocks_[b + 1].block();
      std::vector<float*>& upcoming = upcoming_.emplace_back(next.inputs.begin(), next.inputs.end());
      upcoming.insert(upcoming.end(), next.negatives.begin(), next.negatives.end());
      for (const BlockTarget& target : next.targets) upcoming.push_back(target.row);
      blocks_[b].block().upcoming = upcoming;
    }
  }

  [[nodiscard]] double flops() const {
    double sum = 0;
    for (const auto& block : blocks_) sum += step_flops(block.block(), case_.dim, case_.architecture);
    return sum * static_cast<double>(kSteps) / static_cast<double>(blocks_.size());
  }

  static constexpr size_t kSteps = 400;

  void run() {
    constexpr float kRate = 1e-4F;
    for (size_t step = 0; step < kSteps; ++step) {
      const auto& block = blocks_[step % blocks_.size()];
      if (case_.architecture == Architecture::skipgram) {
        step_skipgram(block.block(), case_.dim, kRate, workspace_);
      } else {
        step_cbow(block.block(), case_.dim, kRate, CbowGradient::mean, workspace_);
      }
    }
  }

 private:
  static VectorTables make_tables(int64_t dim, Rows rows, const Options& options) {
    const int64_t row_bytes = row_stride(dim) * int64_t{sizeof(float)};
    const int64_t count = rows == Rows::in_cache ? 64 : (options.megabytes << 20) / row_bytes;
    VectorOptions vector_options{.dim = dim};
    return initial_tables(vector_options, count);
  }

  const Case& case_;
  VectorTables tables_;
  BlockWorkspace workspace_;
  std::vector<RandomBlock> drawn_;
  std::vector<PlacedBlock<float>> blocks_;
  std::vector<std::vector<float*>> upcoming_;
};

int run(const Options& options) {
  ThreadPool pool(1);
  TextTable table({"step", "dim", "rows in", "us/block", "GFLOP/s", "peak now", "share"});
  for (const Case& each : cases()) {
    for (const Rows rows : {Rows::in_cache, Rows::in_memory, Rows::in_memory_announced}) {
      if (fmt::format("{}, dim {}, {}", each.name, each.dim, name_of(rows)).find(options.only) == std::string::npos) {
        continue;
      }
      Workload workload(each, rows, options);
      workload.run();
      std::vector<double> seconds, peaks;
      for (int round = 0; round < options.rounds; ++round) {
        peaks.push_back(bench_peak_gflops(pool, 0.004));
        const double begin = bench_clock(1);
        workload.run();
        seconds.push_back(bench_clock(1) - begin);
      }
      const double best = *std::ranges::min_element(seconds), peak = *std::ranges::max_element(peaks);
      const double gflops = 1e-9 * workload.flops() / best;
      table.add({each.name, fmt::format("{}", each.dim), std::string(name_of(rows)),
                 fmt::format("{:.2f}", 1e6 * best / Workload::kSteps), fmt::format("{:.1f}", gflops),
                 fmt::format("{:.0f}", peak), fmt::format("{:.0f} %", 100 * gflops / peak)});
    }
  }
  fmt::print("{}", table.to_string());
  return 0;
}

}  // namespace
}  // namespace sesame::bench

int main(int argc, char** argv) {
  sesame::bench::Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    if (flag == "--avx2") {
      hwy::DisableTargets(HWY_AVX3 | HWY_AVX3_DL);
    } else if (flag == "--cpu-time") {
      sesame::bench::count_processor_time();
    } else if (flag == "--rounds" && i + 1 < argc) {
      options.rounds = std::max(1, std::atoi(argv[++i]));
    } else if (flag == "--only" && i + 1 < argc) {
      options.only = argv[++i];
    } else if (flag == "--megabytes" && i + 1 < argc) {
      options.megabytes = std::max(1, std::atoi(argv[++i]));
    } else {
      fmt::print(stderr, "vectors_kernel_bench: unknown flag {}\n", flag);
      return 2;
    }
  }
  return sesame::bench::run(options);
}
