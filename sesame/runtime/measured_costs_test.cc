#include "sesame/runtime/measured_costs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>

#include "sesame/backend/op_cases.h"
#include "sesame/base/file.h"
#include "sesame/base/temporary_directory.h"
#include "sesame/graph/op_def.h"
#include "sesame/graph/ops/ops.h"
#include "sesame/runtime/compile.h"

namespace sesame {
namespace {

using ::testing::HasSubstr;

/// x [rows, 8] times a matrix, then dropout.
Graph small_graph(int64_t rows, int64_t key = 0) {
  Graph graph;
  Builder builder(graph);
  for (int64_t i = 0; i < key; ++i) builder.next_random_key();
  const Value x = builder.input("x", {DType::f32, {rows, 8}});
  const Value w = builder.input("w", {DType::f32, {8, 4}});
  builder.output("y", dropout(matmul(x, w), 0.5));
  return graph;
}

double sum(MeasuredCosts& costs, const Graph& graph) {
  double seconds = 0;
  for (NodeId id = 0; id < graph.size(); ++id) seconds += costs(graph, graph.node(id));
  return seconds;
}

TEST(MeasuredCosts, EveryOpCanBeTimed) {
  ThreadPool threads(2);
  for (const Backend* backend : {&ref_backend(), &cpu_backend()}) {
    KernelTimer timer(*backend, threads);
    for (const OpCase& op_case : op_cases()) {
      const BuiltCase built(op_case, DType::f32);
      for (NodeId id = 0; id < built.graph.size(); ++id) {
        const Node& node = built.graph.node(id);
        if (runs_no_kernel(node)) continue;
        const auto seconds = timer.seconds(built.graph, node);
        const bool has_kernel = backend->find(node.op, kernel_dtype(built.graph, node)) != nullptr;
        EXPECT_EQ(seconds.has_value(), has_kernel) << op_case.name();
        if (seconds) {
          EXPECT_GT(*seconds, 0) << op_case.name();
        }
      }
    }
  }
}

TEST(MeasuredCosts, LeavesAndViewsCostNothing) {
  Graph graph;
  Builder builder(graph);
  builder.output("y", reshape(builder.input("x", {DType::f32, {4, 2}}), {8}));
  ThreadPool threads(1);
  MeasuredCosts costs({.threads = &threads});
  EXPECT_EQ(sum(costs, graph), 0);
  EXPECT_EQ(roofline_seconds(graph, graph.node(0), {.peak_gflops = 1, .read_gbytes_s = 1}), 0);
}

TEST(MeasuredCosts, RooflineIsTheLongerOfArithmeticAndTraffic) {
  Graph graph;
  Builder builder(graph);
  const Value x = builder.input("x", {DType::f32, {64, 64}});
  const Value y = matmul(x, x);
  builder.output("y", y);
  const Node& node = graph.node(y.ref().node);
  const double flops = 2.0 * 64 * 64 * 64;
  EXPECT_DOUBLE_EQ(roofline_seconds(graph, node, {.peak_gflops = 1, .read_gbytes_s = 1e6}), flops * 1e-9);
  const double bytes = cost_of(graph, node).bytes;
  EXPECT_DOUBLE_EQ(roofline_seconds(graph, node, {.peak_gflops = 1e6, .read_gbytes_s = 1}), bytes * 1e-9);
}

TEST(MeasuredCosts, RandomKeysDoNotMatterAndShapesDo) {
  ThreadPool threads(1);
  MeasuredCosts costs({.threads = &threads});
  const Graph graph = small_graph(16);
  EXPECT_EQ(costs.timed_seconds(graph), 0);
  EXPECT_GT(sum(costs, graph), 0);
  EXPECT_EQ(costs.timed_seconds(graph), sum(costs, graph));
  EXPECT_GT(costs.timed_seconds(small_graph(16, 12)), 0);
  EXPECT_EQ(costs.timed_seconds(small_graph(17)), 0);
}

TEST(MeasuredCosts, EstimatesFollowTheNearestTimedNode) {
  const TemporaryDirectory directory;
  const std::filesystem::path file = directory.path() / "costs.json";
  ThreadPool threads(1);
  TimedCalls calls;
  calls["matmul {}, small"] = {.seconds = 1, .flops = 1024, .bytes = 0};
  calls["matmul {}, large"] = {.seconds = 1e6, .flops = 1e8, .bytes = 0};
  calls["add {}"] = {.seconds = 7e6, .flops = 2048, .bytes = 0};
  ASSERT_TRUE(save_costs(file, calls));
  MeasuredCosts costs({.threads = &threads, .file = file, .limit_seconds = 0});
  Graph graph;
  Builder builder(graph);
  // So many operations for its bytes that no machine is bound by memory.
  const Value x = builder.input("x", {DType::f32, {2048, 2048}});
  const Value y = matmul(x, x);
  builder.output("y", y);
  EXPECT_NEAR(costs(graph, graph.node(y.ref().node)), 1e6 * 2.0 * 2048 * 2048 * 2048 / 1e8, 1);
}

TEST(MeasuredCosts, AreKeptInTheFile) {
  const TemporaryDirectory directory;
  const std::filesystem::path file = directory.path() / "new" / "costs.json";
  const Graph graph = small_graph(16);
  ThreadPool threads(1);
  MeasuredCosts first({.threads = &threads, .file = file});
  const double seconds = sum(first, graph);
  first.finish();
  MeasuredCosts second({.threads = &threads, .file = file, .limit_seconds = 0});
  EXPECT_GT(second.timed_seconds(graph), 0);
  EXPECT_EQ(sum(second, graph), seconds);
  ThreadPool two(2);
  EXPECT_EQ(MeasuredCosts({.threads = &two, .file = file}).timed_seconds(graph), 0);
}

TEST(MeasuredCosts, ADirectoryThatCannotBeWrittenIsNoError) {
  const TemporaryDirectory directory;
  write_file_atomically(directory.path() / "file", "not a directory");
  ThreadPool threads(1);
  MeasuredCosts costs({.threads = &threads, .file = directory.path() / "file" / "costs.json"});
  EXPECT_GT(sum(costs, small_graph(16)), 0);
  EXPECT_NO_THROW(costs.finish());
}

class CostFile : public ::testing::Test {
 protected:
  std::filesystem::path file() const { return directory_.path() / "costs.json"; }

  /// What load_costs() says of this content.
  std::string refusal_of(const std::string& content) const {
    std::ofstream(file(), std::ios::binary) << content;
    std::string refusal;
    EXPECT_TRUE(load_costs(file(), &refusal).empty());
    return refusal;
  }

  std::string good() const {
    EXPECT_TRUE(save_costs(file(), {{"matmul {} \"a\"", {1.5e-7, 3, 4}}, {"add", {2, 0, 1}}}));
    return read_file(file());
  }

  std::string replaced(const std::string& what, const std::string& by) const {
    std::string text = good();
    const size_t at = text.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    return text.replace(at, what.size(), by);
  }

  TemporaryDirectory directory_;
};

TEST_F(CostFile, ReadsBackWhatWasWritten) {
  good();
  std::string refusal;
  const TimedCalls expected{{"matmul {} \"a\"", {1.5e-7, 3, 4}}, {"add", {2, 0, 1}}};
  EXPECT_EQ(load_costs(file(), &refusal), expected);
  EXPECT_EQ(refusal, "");
  EXPECT_TRUE(load_costs(directory_.path() / "none", &refusal).empty());
  EXPECT_EQ(refusal, "");
}

TEST_F(CostFile, DamageIsRefused) {
  const std::string text = good();
  for (size_t size = 0; size + 2 < text.size(); ++size)  // the last two characters are "}\n"
    EXPECT_THAT(refusal_of(text.substr(0, size)), HasSubstr("is damaged")) << size;
  for (const char* content : {"[]", "{}", "7", "\xff\xfe", "{\"format\": 1}"})
    EXPECT_THAT(refusal_of(content), HasSubstr("is damaged")) << content;
  EXPECT_THAT(refusal_of(std::string(200000, '[')), HasSubstr("is damaged"));
  EXPECT_THAT(refusal_of(replaced("1.5e-07", "-1.5")), HasSubstr("is damaged"));
  EXPECT_THAT(refusal_of(replaced("1.5e-07", "\"fast\"")), HasSubstr("is damaged"));
  EXPECT_THAT(refusal_of(replaced("1.5e-07", "1, 1.5e-07")), HasSubstr("is damaged"));
}

TEST_F(CostFile, OtherMachinesAndProgramsAreRefused) {
  EXPECT_THAT(refusal_of(replaced("\"format\": 1", "\"format\": 2")), HasSubstr("of another format (2, here 1)"));
  EXPECT_THAT(refusal_of(replaced("\"processor\": \"", "\"processor\": \"X")), HasSubstr("of another processor"));
  EXPECT_THAT(refusal_of(replaced("\"program\": \"", "\"program\": \"X")), HasSubstr("of another program"));
  EXPECT_THAT(refusal_of(replaced("\"instructions\": \"", "\"instructions\": \"X")), HasSubstr("another instructions"));
}

TEST_F(CostFile, DefaultPlace) {
  const auto with = [](const char* own, const char* cache, const char* home) {
    setenv("SESAME_CACHE_DIR", own, 1);
    setenv("XDG_CACHE_HOME", cache, 1);
    setenv("HOME", home, 1);
    return default_cost_file();
  };
  EXPECT_EQ(with("/own", "/cache", "/home/a"), "/own/costs.json");
  EXPECT_EQ(with("", "/cache", "/home/a"), "/cache/sesame/costs.json");
  EXPECT_EQ(with("", "", "/home/a"), "/home/a/.cache/sesame/costs.json");
  EXPECT_EQ(with("", "", ""), "");
}

}  // namespace
}  // namespace sesame
