// Chains of element-wise ops, op by op and as one fused node, beside the bandwidth of the same run. Both run where the
// memory planner puts them. Bytes count each operand and result of the fused node once. Usage: fused_bench [--rounds N]
// [--threads N] [--rows N] [--cpu-time]

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/bench_clock.h"
#include "sesame/backend/kernel.h"
#include "sesame/base/huge_buffer.h"
#include "sesame/base/machine.h"
#include "sesame/graph/op_def.h"
#include "sesame/graph/ops/ops.h"
#include "sesame/passes/fuse.h"
#include "sesame/passes/plan_memory.h"
#include "sesame/passes/simplify.h"

namespace sesame::bench {
namespace {

constexpr int64_t kChannels = 384;

struct Chain {
  std::string name;
  std::function<void(Builder&, int64_t rows)> build;
};

Value rows_of(Builder& b, const char* name, int64_t rows) { return b.input(name, {DType::f32, {rows, kChannels}}); }
Value channels(Builder& b, const char* name) { return b.input(name, {DType::f32, {kChannels}}); }

/// y <- y * x, y <- y + x, ...: nothing but memory traffic.
Value alternating(Value x, Value y, int ops) {
  for (int i = 0; i < ops; ++i) y = i % 2 == 0 ? y * x : y + x;
  return y;
}

std::vector<Chain> chains() {
  std::vector<Chain> all;
  for (const int ops : {2, 4, 8}) {
    all.push_back({fmt::format("{} sums and products", ops), [=](Builder& b, int64_t rows) {
                     const Value x = rows_of(b, "x", rows);
                     b.output("y", alternating(x, rows_of(b, "y", rows), ops));
                   }});
  }
  all.push_back({"x + dropout(h)", [](Builder& b, int64_t rows) {
                   b.output("y", rows_of(b, "x", rows) + dropout(rows_of(b, "h", rows), 0.2));
                 }});
  all.push_back({"gradient, its dropout, bias sum", [](Builder& b, int64_t rows) {
                   const Value sum = rows_of(b, "x", rows) + rows_of(b, "y", rows);
                   const Value dropped = dropout(sum, 0.2);
                   b.output("sum", sum);
                   b.output("dropped", dropped);
                   b.output("bias", reduce_sum(dropped, {0}));
                 }});
  all.push_back({"gelu(x + bias), exact", [](Builder& b, int64_t rows) {
                   b.output("y", gelu_erf(rows_of(b, "x", rows) + channels(b, "bias")));
                 }});
  all.push_back({"exp(x - largest) and its sum", [](Builder& b, int64_t rows) {
                   const Value e = exp(rows_of(b, "x", rows) - b.input("largest", {DType::f32, {rows, 1}}));
                   b.output("e", e);
                   b.output("sum", reduce_sum(e, {1}));
                 }});
  return all;
}

/// A graph's kernel calls at planned addresses.
class Calls {
 public:
  Calls(Graph graph, ThreadPool& pool) : graph_(std::move(graph)), pool_(pool) {
    const auto workspace = [&](const Graph& g, const Node& node) -> int64_t {
      const Kernel* kernel = find(g, node);
      if (kernel == nullptr || kernel->workspace == nullptr) return 0;
      return static_cast<int64_t>(kernel->workspace(node, g.input_types(node), pool_.threads()));
    };
    plan_ = plan_memory(graph_, workspace);
    arena_ = HugeBuffer(static_cast<size_t>(plan_.arena_bytes));
    for (size_t i = 0; i < plan_.schedule.size(); ++i) add(plan_.schedule[i], i);
    for (const Call& call : calls_) bytes_ += call.bytes;
  }

  void run() {
    for (const Call& call : calls_) {
      call.kernel->run({call.node, call.inputs, call.outputs, call.workspace, &state_, &pool_});
    }
  }
  [[nodiscard]] size_t size() const { return calls_.size(); }
  [[nodiscard]] double bytes() const { return bytes_; }

 private:
  struct Call {
    const Kernel* kernel;
    const Node* node;
    std::vector<Tensor> inputs, outputs;
    std::byte* workspace;
    double bytes;
  };

  static const Kernel* find(const Graph& graph, const Node& node) {
    if (node.op == Op::input || op_def(node.op).view) return nullptr;
    return cpu_backend().find(node.op, kernel_dtype(graph, node));
  }

  Tensor tensor(Ref ref) {
    const Placement& place = plan_.placements[static_cast<size_t>(ref.node)][static_cast<size_t>(ref.output)];
    return {arena_.data() + place.offset, graph_.type(ref)};
  }

  void add(NodeId id, size_t position) {
    const Node& node = graph_.node(id);
    const Kernel* kernel = find(graph_, node);
    if (kernel == nullptr) {
      if (node.op == Op::input) std::fill_n(tensor({id, 0}).as<float>(), tensor({id, 0}).elements(), 0.5f);
      return;
    }
    Call call{kernel, &node, {}, {}, arena_.data(), cost_of(graph_, node).bytes};
    if (plan_.workspace_offsets[position] >= 0) call.workspace += plan_.workspace_offsets[position];
    for (const Ref ref : node.inputs) call.inputs.push_back(tensor(ref));
    for (size_t o = 0; o < node.outputs.size(); ++o) call.outputs.push_back(tensor({id, static_cast<int32_t>(o)}));
    calls_.push_back(std::move(call));
  }

  Graph graph_;
  ThreadPool& pool_;
  MemoryPlan plan_;
  HugeBuffer arena_;
  std::vector<Call> calls_;
  StepState state_{1, 2};
  double bytes_ = 0;
};

double seconds_of(Calls& calls, int threads) {
  const double begin = bench_clock(threads);
  calls.run();
  return bench_clock(threads) - begin;
}

int run(int rounds, int threads, int64_t rows) {
  ThreadPool pool(threads);
  const double bandwidth = probe_read_bandwidth(pool);
  fmt::print("{} threads, [{}, {}], reads {:.1f} GB/s\n", pool.threads(), rows, kChannels, bandwidth);
  fmt::print("{:<34} {:>5} {:>9} {:>9} {:>6} {:>7} {:>11}\n", "chain", "calls", "unfused", "fused", "ratio", "GB/s",
             "of reading");
  for (const Chain& chain : chains()) {
    Graph graph;
    Builder builder(graph);
    chain.build(builder, rows);
    const Graph simple = simplify(graph);
    Calls plain(simple, pool), fused(fuse(simple), pool);
    double slow = 1e30, fast = 1e30;
    for (int round = 0; round <= rounds; ++round) {  // in turns, so that both meet the same neighbours
      slow = std::min(slow, seconds_of(plain, pool.threads()));
      fast = std::min(fast, seconds_of(fused, pool.threads()));
    }
    const double rate = fused.bytes() / fast * 1e-9;
    fmt::print("{:<34} {:>5} {:6.3f} ms {:6.3f} ms {:5.2f}x {:7.1f} {:9.0f} %\n", chain.name,
               fmt::format("{}:{}", plain.size(), fused.size()), slow * 1e3, fast * 1e3, slow / fast, rate,
               100 * rate / bandwidth);
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace sesame::bench

int main(int argc, char** argv) {
  int rounds = 15, threads = 0;
  int64_t rows = 16384;
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    if (flag == "--cpu-time") {
      sesame::bench::count_processor_time();
      continue;
    }
    const bool known = flag == "--rounds" || flag == "--threads" || flag == "--rows";
    if (!known || i + 1 == argc) {
      fmt::print(stderr, "fused_bench: flags are --rounds N, --threads N, --rows N, --cpu-time, not {}\n", flag);
      return 2;
    }
    const int value = std::atoi(argv[++i]);
    if (flag == "--rounds") rounds = value;
    if (flag == "--threads") threads = value;
    if (flag == "--rows") rows = std::max(1, value);
  }
  return sesame::bench::run(rounds, threads, rows);
}
