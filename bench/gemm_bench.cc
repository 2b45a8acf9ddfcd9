// Matrix products of the training shapes: share of the FMA peak that is probed beside each measurement, ours and
// oneDNN's. Usage: gemm_bench [--rounds N] [--only SUBSTRING] [--avx2] [--no-peer] [--cpu-time]

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "bench/bench_clock.h"
#include "hwy/targets.h"
#include "sesame/backend/cpu/gemm.h"
#include "sesame/base/error.h"
#include "sesame/base/thread_pool.h"

#ifdef SESAME_BENCH_ONEDNN
#include <omp.h>
#include <oneapi/dnnl/dnnl.h>
#endif

namespace sesame::bench {
namespace {

struct Case {
  std::string name;
  int64_t m, n, k;
  bool transpose_a = false;
  bool transpose_b = false;
};

/// y = x w with w [in, out]; its two gradients; and y = x w^T with w [out, in].
void add_linear(std::vector<Case>& cases, int64_t tokens, int64_t in, int64_t out) {
  cases.push_back({"y = x w", tokens, out, in, false, false});
  cases.push_back({"y = x w^T", tokens, out, in, false, true});
  cases.push_back({"dx = dy w^T", tokens, in, out, false, true});
  cases.push_back({"dw = x^T dy", in, out, tokens, true, false});
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const auto& [in, out] : {std::pair{384, 1152}, {384, 384}, {384, 1536}, {1536, 384}}) {
    add_linear(cases, 4096, in, out);
  }
  for (const auto& [in, out] : {std::pair{768, 2304}, {768, 768}, {768, 3072}, {3072, 768}}) {
    add_linear(cases, 256, in, out);
    add_linear(cases, 1024, in, out);
  }
  for (const auto& [in, out] : {std::pair{128, 384}, {128, 128}, {128, 512}, {512, 128}}) {
    add_linear(cases, 768, in, out);
  }
  for (const auto& [in, out] : {std::pair{768, 3072}, {3072, 768}, {768, 768}}) add_linear(cases, 2048, in, out);
  cases.push_back({"logits", 128, 50304, 384, false, true});
  cases.push_back({"dx of logits", 128, 384, 50304, false, false});
  cases.push_back({"dw of logits", 50304, 384, 128, true, false});
  cases.push_back({"logits", 128, 50257, 768, false, true});
  cases.push_back({"dx of logits", 128, 768, 50257, false, false});
  cases.push_back({"dw of logits", 50257, 768, 128, true, false});
  cases.push_back({"small y = x w^T", 64, 512, 512, false, true});
  cases.push_back({"small dx = dy w", 64, 512, 512, false, false});
  cases.push_back({"small y = x w^T", 32, 2048, 512, false, true});
  cases.push_back({"tile q k^T", 64, 64, 64, false, true});
  cases.push_back({"tile p v", 64, 64, 64, false, false});
  cases.push_back({"tile p^T do", 64, 64, 64, true, false});
  cases.push_back({"tile q k^T", 128, 128, 64, false, true});
  cases.push_back({"decode y = x w", 1, 2304, 768, false, false});
  cases.push_back({"decode y = x w^T", 1, 2304, 768, false, true});
  cases.push_back({"decode logits", 1, 50257, 768, false, true});
  return cases;
}

/// The quickest of a few short series of calls, about `least` seconds each.
template <typename F>
double seconds_per_call(F&& call, int threads, double least) {
  const auto time = [&](int64_t calls) {
    const double start = bench_clock(threads);
    for (int64_t i = 0; i < calls; ++i) call();
    return (bench_clock(threads) - start) / static_cast<double>(calls);
  };
  call();
  const double guess = std::max(time(1), 1e-9);
  const int64_t calls = std::max<int64_t>(1, static_cast<int64_t>(least / guess));
  double best = time(calls);
  for (int series = 0; series < 2; ++series) best = std::min(best, time(calls));
  return best;
}

struct FreeMemory {
  void operator()(void* memory) const { std::free(memory); }
};

template <typename T>
using Memory = std::unique_ptr<T, FreeMemory>;

/// On huge pages where the system grants them, as the arena of a compiled program is: ours and the peer's alike.
template <typename T>
Memory<T> allocate(size_t count) {
  constexpr size_t kHugePage = size_t{2} << 20;
  const size_t bytes = (count * sizeof(T) / kHugePage + 1) * kHugePage;
  void* memory = std::aligned_alloc(kHugePage, bytes);
  if (memory == nullptr) fail(fmt::format("no memory for {} bytes", bytes));
  madvise(memory, bytes, MADV_HUGEPAGE);
  return Memory<T>(static_cast<T*>(memory));
}

Memory<float> random_floats(int64_t count) {
  Memory<float> values = allocate<float>(static_cast<size_t>(count));
  std::minstd_rand random(7);
  std::uniform_real_distribution<float> uniform(-1, 1);
  for (int64_t i = 0; i < count; ++i) values.get()[i] = uniform(random);
  return values;
}

/// Share of the probed peak of ours and of oneDNN. Other programs may run on this machine, so each is the best of all
/// rounds, and so is the peak.
struct Shares {
  double ours = 0;
  double peer = 0;
};

Shares measure(const Case& shape, int threads, int rounds, [[maybe_unused]] bool with_peer) {
  ThreadPool pool(threads);
  const Memory<float> a = random_floats(shape.m * shape.k);
  const Memory<float> b = random_floats(shape.k * shape.n);
  const Memory<float> c = random_floats(shape.m * shape.n);
  Gemm product;
  product.m = shape.m;
  product.n = shape.n;
  product.k = shape.k;
  product.transpose_a = shape.transpose_a;
  product.transpose_b = shape.transpose_b;
  product.a = a.get();
  product.lda = shape.transpose_a ? shape.m : shape.k;
  product.b = b.get();
  product.ldb = shape.transpose_b ? shape.k : shape.n;
  product.c = c.get();
  product.ldc = shape.n;
  const Memory<std::byte> workspace = allocate<std::byte>(gemm_workspace_bytes(product, threads));
  const double gflop =
      2e-9 * static_cast<double>(shape.m) * static_cast<double>(shape.n) * static_cast<double>(shape.k);
  double peak = 0;
  Shares best;
  for (int round = 0; round < rounds; ++round) {
    // A peer's idle threads spin for a while.
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
    peak = std::max(peak, bench_peak_gflops(pool, 0.003));
    best.ours =
        std::max(best.ours, gflop / seconds_per_call([&] { gemm(product, workspace.get(), pool); }, threads, 0.004));
    peak = std::max(peak, bench_peak_gflops(pool, 0.003));
#ifdef SESAME_BENCH_ONEDNN
    if (!with_peer) continue;
    omp_set_num_threads(threads);
    const auto call_peer = [&] {
      dnnl_sgemm(shape.transpose_a ? 'T' : 'N', shape.transpose_b ? 'T' : 'N', shape.m, shape.n, shape.k, 1, product.a,
                 product.lda, product.b, product.ldb, 0, product.c, product.ldc);
    };
    best.peer = std::max(best.peer, gflop / seconds_per_call(call_peer, threads, 0.004));
#endif
  }
  return {best.ours / peak, best.peer / peak};
}

int run(int argc, char** argv) {
  int rounds = 12;
  std::string_view only;
  bool with_peer = true;
  int64_t disabled = 0;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--rounds" && i + 1 < argc) {
      rounds = std::max(1, std::atoi(argv[++i]));
    } else if (argument == "--only" && i + 1 < argc) {
      only = argv[++i];
    } else if (argument == "--avx2") {
      disabled = HWY_AVX3 | HWY_AVX3_DL;
    } else if (argument == "--cpu-time") {
      count_processor_time();
    } else if (argument == "--no-peer") {
      with_peer = false;
    } else {
      fmt::print(stderr, "usage: gemm_bench [--rounds N] [--only SUBSTRING] [--avx2] [--no-peer] [--cpu-time]\n");
      return 2;
    }
  }
  hwy::DisableTargets(disabled);
#ifdef SESAME_BENCH_ONEDNN
  if (disabled != 0) dnnl_set_max_cpu_isa(dnnl_cpu_isa_avx2);
#endif
  {
    ThreadPool one(1);
    ThreadPool two(2);
    fmt::print("FMA peak: {:.0f} GFLOP/s on 1 thread, {:.0f} on 2\n", bench_peak_gflops(one, 0.2),
               bench_peak_gflops(two, 0.2));
  }
  fmt::print("{:<18} {:>6} {:>6} {:>6} | {:>7} {:>7} | {:>7} {:>7}   % of the FMA peak probed beside it\n", "product",
             "M", "N", "K", "ours 1T", "ours 2T", "dnnl 1T", "dnnl 2T");
  for (const Case& shape : all_cases()) {
    const std::string line = fmt::format("{:<18} {:>6} {:>6} {:>6}", shape.name, shape.m, shape.n, shape.k);
    if (line.find(only) == std::string::npos) continue;
    const Shares one = measure(shape, 1, rounds, with_peer);
    const Shares two = measure(shape, 2, rounds, with_peer);
    fmt::print("{} | {:>7.1f} {:>7.1f} | {:>7.1f} {:>7.1f}\n", line, 100 * one.ours, 100 * two.ours, 100 * one.peer,
               100 * two.peer);
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace sesame::bench

int main(int argc, char** argv) { return sesame::bench::run(argc, argv); }
