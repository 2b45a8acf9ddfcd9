// The kernels that are not matrix products, at the sizes of training steps: bytes or operations per second, beside what
// the machine gives in the same run. Bytes count each input and output once. Usage: kernel_bench [--rounds N]
// [--threads N] [--only SUBSTRING] [--avx2] [--cpu-time]

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "bench/fma_probe.h"
#include "hwy/targets.h"
#include "sesame/backend/kernel.h"
#include "sesame/base/machine.h"
#include "sesame/graph/op_def.h"
#include "sesame/graph/ops/ops.h"

namespace sesame::bench {
namespace {

struct Options {
  int rounds = 7;
  int threads = 0;
  std::string only;
};

struct Case {
  std::string label;
  std::function<void(Builder&)> build;  // its last node is timed
  bool counts_flops = false;
  double flops = 0;
};

/// Memory that the kernels read and write: 64-byte aligned, touched beforehand.
class Memory {
 public:
  std::byte* take(size_t bytes) {
    blocks_.emplace_back(static_cast<std::byte*>(::operator new[](std::max<size_t>(bytes, 64), std::align_val_t{64})));
    std::fill_n(blocks_.back().get(), bytes, std::byte{0});
    return blocks_.back().get();
  }

 private:
  struct Delete {
    void operator()(std::byte* bytes) const { ::operator delete[](bytes, std::align_val_t{64}); }
  };
  std::vector<std::unique_ptr<std::byte[], Delete>> blocks_;
};

void fill(const Tensor& tensor) {
  uint32_t state = 1;
  for (int64_t i = 0; i < tensor.elements(); ++i) {
    state = state * 1664525u + 1013904223u;
    if (tensor.type.dtype == DType::f32) {
      tensor.as<float>()[i] = static_cast<float>(state >> 8) * 0x1p-23f - 0.999f;
    } else if (tensor.type.dtype == DType::i32) {
      tensor.as<int32_t>()[i] = tensor.elements() == 1 ? 0 : static_cast<int32_t>((state >> 8) % 64);
    } else if (tensor.type.dtype == DType::f64) {
      tensor.as<double>()[i] = 1;
    }
  }
}

Case attention_case(int64_t batch, int64_t time, int64_t heads, int64_t kv_heads, int64_t head_dim, bool causal,
                    bool backward, double dropout = 0) {
  const AttentionAttributes attributes{heads,   kv_heads, causal, 1 / std::sqrt(static_cast<double>(head_dim)),
                                       dropout, 1};
  Case result;
  result.label = fmt::format("B{} T{} H{}/{} D{}{}{}", batch, time, heads, kv_heads, head_dim, causal ? " causal" : "",
                             dropout > 0 ? " dropout" : "");
  result.build = [=](Builder& b) {
    const Value qkv = b.input("qkv", {DType::f32, {batch, time, (heads + 2 * kv_heads) * head_dim}});
    const Shape rows = {batch, time, heads * head_dim};
    const auto here = std::source_location::current();
    if (!backward) {
      b.append(Op::attention, attributes, std::vector<Value>{qkv}, here);
    } else {
      b.append(
          Op::attention_grad, attributes,
          std::vector<Value>{qkv, b.input("out", {DType::f32, rows}),
                             b.input("lse", {DType::f32, {batch, heads, time}}), b.input("dout", {DType::f32, rows})},
          here);
    }
  };
  result.counts_flops = true;
  const double pairs =
      static_cast<double>(batch * heads * time) * static_cast<double>(causal ? (time + 1) / 2.0 : time);
  result.flops = (backward ? 5 : 2) * 2 * pairs * static_cast<double>(head_dim);
  return result;
}

std::vector<Case> all_cases() {
  const auto f32 = [](Builder& b, const char* name, const Shape& shape) { return b.input(name, {DType::f32, shape}); };
  const Shape wide = {4096, 1536}, rows = {4096, 384};
  const int64_t flat = 10'000'000;
  std::vector<Case> cases = {
      {"same shape", [=](Builder& b) { add(f32(b, "a", wide), f32(b, "b", wide)); }},
      {"row vector", [=](Builder& b) { add(f32(b, "a", wide), f32(b, "b", {1536})); }},
      {"column",
       [=](Builder& b) {
         mul(f32(b, "a", wide), f32(b, "b", {4096, 1}));
       }},
      {"", [=](Builder& b) { exp(f32(b, "x", wide)); }},
      {"", [=](Builder& b) { tanh(f32(b, "x", wide)); }},
      {"", [=](Builder& b) { dropout(f32(b, "x", wide), 0.1); }},
      {"heads first",
       [=](Builder& b) {
         permute(f32(b, "x", {16, 256, 6, 64}), {0, 2, 1, 3});
       }},
      {"transpose",
       [=](Builder& b) {
         permute(f32(b, "x", wide), {1, 0});
       }},
      {"last axis", [=](Builder& b) { slice(f32(b, "x", wide), 1, 512, 512); }},
      {"rows", [=](Builder& b) { reduce_sum(f32(b, "x", wide), {0}); }},
      {"last axis", [=](Builder& b) { reduce_sum(f32(b, "x", wide), {1}); }},
      {"all", [=](Builder& b) { reduce_sum(f32(b, "x", wide)); }},
      {"", [=](Builder& b) { layer_norm(f32(b, "x", rows), f32(b, "g", {384}), f32(b, "b", {384}), 1e-5); }},
      {"",
       [=](Builder& b) {
         b.append(Op::layer_norm_grad, NormAttributes{},
                  std::vector<Value>{f32(b, "x", rows), f32(b, "g", {384}), f32(b, "m", {4096}), f32(b, "r", {4096}),
                                     f32(b, "dy", rows)},
                  std::source_location::current());
       }},
      {"", [=](Builder& b) { rms_norm(f32(b, "x", rows), f32(b, "g", {384}), 1e-5); }},
      {"", [=](Builder& b) { bias_gelu(f32(b, "x", wide), f32(b, "b", {1536})); }},
      {"",
       [=](Builder& b) {
         b.append(Op::bias_gelu_grad, NoAttributes{},
                  std::vector<Value>{f32(b, "x", wide), f32(b, "b", {1536}), f32(b, "dy", wide)},
                  std::source_location::current());
       }},
      {"", [=](Builder& b) { swiglu(f32(b, "x", wide)); }},
      {"",
       [=](Builder& b) {
         b.append(Op::swiglu_grad, NoAttributes{}, std::vector<Value>{f32(b, "x", {4096, 3072}), f32(b, "dy", wide)},
                  std::source_location::current());
       }},
      {"",
       [=](Builder& b) {
         embedding(f32(b, "table", {50257, 384}), b.input("ids", {DType::i32, {4096}}));
       }},
      {"",
       [=](Builder& b) {
         embedding_grad(f32(b, "grad", rows), b.input("ids", {DType::i32, {4096}}), 8192);
       }},
      {"",
       [=](Builder& b) {
         rope(f32(b, "x", {16, 256, 1152}), b.input("start", {DType::i32, {1}}), {.heads = 12, .head_dim = 64});
       }},
      {"", [=](Builder& b) { sum_squares(f32(b, "x", {flat})); }},
      {"in place",
       [=](Builder& b) {
         adamw(f32(b, "p", {flat}), f32(b, "g", {flat}), f32(b, "m", {flat}), f32(b, "v", {flat}), f32(b, "h", {3}),
               b.input("n", {DType::f64, Shape{}}), {.decayed = flat / 2});
       }},
      {"T1 S2048 in place",
       [=](Builder& b) {
         const Shape cache = {8, 2048, 768};
         cached_attention(f32(b, "qkv", {8, 1, 2304}), f32(b, "k", cache), f32(b, "v", cache),
                          b.input("start", {DType::i32, {1}}), {.heads = 12, .kv_heads = 12});
       }},
  };
  for (const bool backward : {false, true}) {
    cases.push_back(attention_case(16, 256, 6, 6, 64, true, backward));
    cases.push_back(attention_case(12, 64, 4, 4, 32, true, backward));
    cases.push_back(attention_case(16, 128, 12, 12, 64, false, backward));
    cases.push_back(attention_case(1, 2048, 12, 12, 64, true, backward));
    cases.push_back(attention_case(4, 512, 8, 2, 128, true, backward));
    cases.push_back(attention_case(16, 256, 6, 6, 64, true, backward, 0.1));
  }
  return cases;
}

/// The last node of a case with its buffers; outputs lie where inputs lie if the label says so.
class Prepared {
 public:
  Prepared(const Case& bench_case, ThreadPool& pool) : pool_(pool) {
    Builder builder(graph_);
    bench_case.build(builder);
    const Node& node = graph_.node(graph_.size() - 1);
    kernel_ = cpu_backend().find(node.op, kernel_dtype(graph_, node));
    const std::vector<Type> types = graph_.input_types(node);
    for (const Type& type : types) {
      inputs_.push_back({memory_.take(static_cast<size_t>(type.bytes())), type});
      fill(inputs_.back());
      bytes_ += static_cast<double>(type.bytes());
    }
    const bool in_place = bench_case.label.ends_with("in place");
    for (size_t o = 0; o < node.outputs.size(); ++o) {
      const Type& type = node.outputs[o];
      const uint32_t mask = op_def(node.op).in_place[o];
      void* data = in_place && mask != 0 ? inputs_[static_cast<size_t>(std::countr_zero(mask))].data
                                         : memory_.take(static_cast<size_t>(type.bytes()));
      outputs_.push_back({data, type});
      const bool cache = node.op == Op::cached_attention && o > 0;
      if (!cache) bytes_ += static_cast<double>(type.bytes());
    }
    if (node.op == Op::embedding) bytes_ = 2 * static_cast<double>(node.outputs[0].bytes());
    if (node.op == Op::cached_attention) *inputs_[3].as<int32_t>() = static_cast<int32_t>(types[1].shape[1] - 1);
    if (node.op == Op::rope) *inputs_[1].as<int32_t>() = 0;
    const size_t scratch = kernel_->workspace == nullptr ? 0 : kernel_->workspace(node, types, pool.threads());
    call_ = {&node, inputs_, outputs_, memory_.take(scratch), &state_, &pool_};
    name = fmt::format("{} {}", name_of(node.op), bench_case.label);
  }

  void run() { kernel_->run(call_); }
  [[nodiscard]] double bytes() const { return bytes_; }

  std::string name;

 private:
  ThreadPool& pool_;
  Graph graph_;
  Memory memory_;
  const Kernel* kernel_ = nullptr;
  std::vector<Tensor> inputs_, outputs_;
  StepState state_{1, 2};
  KernelCall call_;
  double bytes_ = 0;
};

double best_seconds(Prepared& prepared, int rounds, int threads) {
  prepared.run();
  double best = 1e30;
  for (int round = 0; round < rounds; ++round) {
    const double begin = bench_clock(threads);
    prepared.run();
    best = std::min(best, bench_clock(threads) - begin);
  }
  return best;
}

int run(const Options& options) {
  ThreadPool pool(options.threads);
  const double peak = fma_peak_gflops(pool, 0.2), bandwidth = probe_read_bandwidth(pool);
  fmt::print("{} threads, {}: {:.0f} GFLOP/s, reads {:.1f} GB/s\n", pool.threads(), vector_instructions(), peak,
             bandwidth);
  for (const Case& bench_case : all_cases()) {
    Prepared prepared(bench_case, pool);
    if (prepared.name.find(options.only) == std::string::npos) continue;
    const double seconds = best_seconds(prepared, options.rounds, pool.threads());
    if (bench_case.counts_flops) {
      const double rate = bench_case.flops / seconds * 1e-9;
      fmt::print("{:<46} {:9.3f} ms {:8.1f} GFLOP/s {:5.0f} % of peak\n", prepared.name, seconds * 1e3, rate,
                 100 * rate / peak);
    } else {
      const double rate = prepared.bytes() / seconds * 1e-9;
      fmt::print("{:<46} {:9.3f} ms {:8.1f} GB/s    {:5.0f} % of reading\n", prepared.name, seconds * 1e3, rate,
                 100 * rate / bandwidth);
    }
    std::fflush(stdout);
  }
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
      options.rounds = std::atoi(argv[++i]);
    } else if (flag == "--threads" && i + 1 < argc) {
      options.threads = std::atoi(argv[++i]);
    } else if (flag == "--only" && i + 1 < argc) {
      options.only = argv[++i];
    } else {
      fmt::print(stderr, "kernel_bench: unknown flag {}\n", flag);
      return 2;
    }
  }
  return sesame::bench::run(options);
}
