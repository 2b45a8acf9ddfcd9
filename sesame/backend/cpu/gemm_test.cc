#include "sesame/backend/cpu/gemm.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "sesame/simd/each_instruction_set.h"

namespace sesame {
namespace {

/// A product over matrices whose rows are `gap` floats longer than what they hold; the gaps are NaN, so that whoever
/// reads them is found out.
class Problem {
 public:
  Problem(int64_t m, int64_t n, int64_t k, bool transpose_a, bool transpose_b, int64_t gap = 0, int64_t batch = 1) {
    product_.m = m;
    product_.n = n;
    product_.k = k;
    product_.transpose_a = transpose_a;
    product_.transpose_b = transpose_b;
    product_.batch = batch;
    product_.lda = (transpose_a ? m : k) + gap;
    product_.ldb = (transpose_b ? k : n) + gap;
    product_.ldc = n + gap;
    product_.ldd = n + gap;
    product_.batch_stride_a = (transpose_a ? k : m) * product_.lda;
    product_.batch_stride_b = (transpose_b ? n : k) * product_.ldb;
    product_.batch_stride_c = m * product_.ldc;
    product_.batch_stride_d = product_.batch_stride_c;
    a_ = values(batch * (transpose_a ? k : m), transpose_a ? m : k, gap);
    b_ = values(batch * (transpose_b ? n : k), transpose_b ? k : n, gap);
    d_ = values(batch * m, n, gap);
    bias_ = values(1, n, 0);
    product_.a = a_.data();
    product_.b = b_.data();
  }

  Problem(const Problem&) = delete;
  Problem& operator=(const Problem&) = delete;

  Problem& with_bias() {
    product_.bias = bias_.data();
    return *this;
  }
  Problem& with_d() {
    product_.d = d_.data();
    return *this;
  }
  Problem& with_alpha(float alpha) {
    product_.alpha = alpha;
    return *this;
  }
  /// All batches multiply by one B.
  Problem& with_shared_b() {
    product_.batch_stride_b = 0;
    return *this;
  }
  std::vector<float>& a() { return a_; }
  [[nodiscard]] const Gemm& product() const { return product_; }

  /// The result of gemm on that many threads, of gemm_serial with 0; in place: C starts as D. Gaps keep what they held.
  [[nodiscard]] std::vector<float> run(int threads, bool in_place = false) const {
    std::vector<float> c = in_place ? d_ : std::vector<float>(d_.size(), kUntouched);
    Gemm product = product_;
    product.c = c.data();
    if (in_place) product.d = c.data();
    const size_t bytes = gemm_workspace_bytes(product, std::max(threads, 1));
    std::vector<std::byte> memory(bytes + 64 + kGuard, std::byte{0x7f});
    std::byte* workspace = memory.data() + (64 - reinterpret_cast<uintptr_t>(memory.data()) % 64) % 64;
    if (threads == 0) {
      gemm_serial(product, workspace);
    } else {
      ThreadPool pool(threads);
      gemm(product, workspace, pool);
    }
    for (size_t i = 0; i < kGuard; ++i) EXPECT_EQ(workspace[bytes + i], std::byte{0x7f}) << "behind the workspace";
    return c;
  }

  /// By double loops.
  [[nodiscard]] std::vector<double> expected() const {
    const Gemm& g = product_;
    std::vector<double> c(d_.size(), kUntouched);
    for (int64_t batch = 0; batch < g.batch; ++batch) {
      const float* a = g.a + batch * g.batch_stride_a;
      const float* b = g.b + batch * g.batch_stride_b;
      for (int64_t i = 0; i < g.m; ++i) {
        for (int64_t j = 0; j < g.n; ++j) {
          double sum = 0;
          for (int64_t p = 0; p < g.k; ++p) {
            sum += double{g.transpose_a ? a[p * g.lda + i] : a[i * g.lda + p]} *
                   double{g.transpose_b ? b[j * g.ldb + p] : b[p * g.ldb + j]};
          }
          sum *= double{g.alpha};
          const int64_t at = batch * g.batch_stride_c + i * g.ldc + j;
          if (g.bias != nullptr) sum += double{g.bias[j]};
          if (g.d != nullptr) sum += double{g.d[at]};
          c[static_cast<size_t>(at)] = sum;
        }
      }
    }
    return c;
  }

  void expect_right(const std::vector<float>& c) const {
    const std::vector<double> wanted = expected();
    const double tolerance =
        1e-6 * std::max(1.0, std::abs(double{product_.alpha})) * (1 + std::sqrt(static_cast<double>(product_.k)));
    for (int64_t batch = 0; batch < product_.batch; ++batch) {
      for (int64_t i = 0; i < product_.m; ++i) {
        for (int64_t j = 0; j < product_.ldc; ++j) {
          const auto at = static_cast<size_t>(batch * product_.batch_stride_c + i * product_.ldc + j);
          if (j >= product_.n) {
            ASSERT_TRUE(std::isnan(c[at]) || c[at] == kUntouched) << "the gap behind row " << i << " was written";
          } else {
            ASSERT_NEAR(double{c[at]}, wanted[at], tolerance) << "batch " << batch << ", row " << i << ", column " << j;
          }
        }
      }
    }
  }

 private:
  static constexpr float kUntouched = -77;
  static constexpr size_t kGuard = 64;

  std::vector<float> values(int64_t rows, int64_t columns, int64_t gap) {
    std::vector<float> result(static_cast<size_t>(rows * (columns + gap)), std::numeric_limits<float>::quiet_NaN());
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < columns; ++j) result[static_cast<size_t>(i * (columns + gap) + j)] = uniform_(random_);
    }
    return result;
  }

  std::minstd_rand random_{17};
  std::uniform_real_distribution<float> uniform_{-1, 1};
  std::vector<float> a_, b_, d_, bias_;
  Gemm product_;
};

std::string describe(const Gemm& g, const char* instruction_set) {
  return fmt::format("{}: {} x {} x {}{}{}, batch {}", instruction_set, g.m, g.n, g.k, g.transpose_a ? ", a^T" : "",
                     g.transpose_b ? ", b^T" : "", g.batch);
}

void expect_right_everywhere(const Problem& problem) {
  for_each_instruction_set([&](const char* instruction_set) {
    SCOPED_TRACE(describe(problem.product(), instruction_set));
    const std::vector<float> one = problem.run(1);
    problem.expect_right(one);
    const std::vector<float> two = problem.run(2);
    EXPECT_EQ(0, std::memcmp(one.data(), two.data(), one.size() * sizeof(float))) << "two threads give other bits";
    const std::vector<float> serial = problem.run(0);
    EXPECT_EQ(0, std::memcmp(one.data(), serial.data(), one.size() * sizeof(float))) << "serial gives other bits";
  });
}

TEST(Gemm, EveryTransposeAtSizesAroundTheTile) {
  for (const int64_t m : {1, 2, 5, 6, 7, 13, 14, 15, 16, 29}) {
    for (const int64_t n : {1, 3, 8, 15, 16, 17, 32, 33, 129}) {
      for (const int64_t k : {1, 2, 4, 7, 65}) {
        for (const int transposes : {0, 1, 2, 3}) {
          expect_right_everywhere(Problem(m, n, k, (transposes & 1) != 0, (transposes & 2) != 0, 0));
          if (testing::Test::HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST(Gemm, SeveralBlocksInEveryDirection) {
  for (const int transposes : {0, 1, 2, 3}) {
    expect_right_everywhere(Problem(130, 800, 70, (transposes & 1) != 0, (transposes & 2) != 0, 3).with_bias());
    expect_right_everywhere(
        Problem(61, 97, 1001, (transposes & 1) != 0, (transposes & 2) != 0, 5).with_d().with_bias());
    expect_right_everywhere(Problem(40, 1210, 403, (transposes & 1) != 0, (transposes & 2) != 0, 2));
    expect_right_everywhere(Problem(1210, 40, 403, (transposes & 1) != 0, (transposes & 2) != 0, 2));
    expect_right_everywhere(Problem(1, 515, 391, (transposes & 1) != 0, (transposes & 2) != 0, 1).with_d().with_bias());
  }
}

TEST(Gemm, AlphaBiasAndAddendInAnyMix) {
  for (const int64_t m : {1, 20}) {
    expect_right_everywhere(Problem(m, 37, 50, false, true).with_alpha(0.125F));
    expect_right_everywhere(Problem(m, 37, 900, false, false).with_alpha(-2).with_bias());
    expect_right_everywhere(Problem(m, 37, 900, true, false, 2).with_alpha(0.5F).with_d());
    expect_right_everywhere(Problem(m, 64, 900, false, true, 2).with_alpha(3).with_d().with_bias());
  }
}

TEST(Gemm, AddsInPlaceWithTheSameBits) {
  for (const int64_t n : {32, 45}) {
    for (const int64_t m : {1, 33}) {
      Problem problem(m, n, 801, true, false, 4);
      problem.with_d().with_bias();
      const std::vector<float> apart = problem.run(2);
      const std::vector<float> in_place = problem.run(2, true);
      for (int64_t i = 0; i < m; ++i) {
        const float* row = apart.data() + i * problem.product().ldc;
        EXPECT_EQ(
            0, std::memcmp(row, in_place.data() + i * problem.product().ldc, static_cast<size_t>(n) * sizeof(float)));
      }
    }
  }
}

TEST(Gemm, Batches) {
  for (const int transposes : {0, 1, 2, 3}) {
    expect_right_everywhere(Problem(9, 40, 33, (transposes & 1) != 0, (transposes & 2) != 0, 0, 5).with_d());
    expect_right_everywhere(Problem(9, 40, 33, (transposes & 1) != 0, (transposes & 2) != 0, 0, 5).with_shared_b());
    expect_right_everywhere(Problem(70, 45, 130, (transposes & 1) != 0, (transposes & 2) != 0, 2, 3).with_shared_b());
  }
}

TEST(Gemm, ARowDoesNotDependOnTheOthers) {
  const Problem whole(100, 70, 500, false, true);
  const std::vector<float> c = whole.run(2);
  Gemm part = whole.product();
  part.m = 7;
  part.a += 31 * part.lda;
  std::vector<float> rows(static_cast<size_t>(part.m * part.ldc));
  part.c = rows.data();
  std::vector<std::byte> memory(gemm_workspace_bytes(part, 1) + 64);
  gemm_serial(part, memory.data() + (64 - reinterpret_cast<uintptr_t>(memory.data()) % 64) % 64);
  EXPECT_EQ(0, std::memcmp(rows.data(), c.data() + 31 * part.ldc, rows.size() * sizeof(float)));
}

TEST(Gemm, NanReachesItsRowAndNoOther) {
  for (const int64_t m : {1, 20}) {
    Problem problem(m, 50, 40, false, true);
    problem.a()[static_cast<size_t>((m - 1) * 40 + 39)] = std::numeric_limits<float>::quiet_NaN();
    const std::vector<float> c = problem.run(1);
    for (int64_t i = 0; i < m * 50; ++i) EXPECT_EQ(std::isnan(c[static_cast<size_t>(i)]), i / 50 == m - 1) << i;
  }
}

TEST(Gemm, WorkspaceStaysSmallForHugeShapes) {
  const Problem small(2, 2, 2, false, false);
  Gemm product = small.product();
  product.m = 1 << 20;
  product.n = 50304;
  product.k = 1 << 16;
  EXPECT_LE(gemm_workspace_bytes(product, 4), size_t{8} << 20);
  EXPECT_EQ(gemm_workspace_bytes(product, 4) % 64, 0U);
}

}  // namespace
}  // namespace sesame
