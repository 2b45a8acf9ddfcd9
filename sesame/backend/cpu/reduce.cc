#include <algorithm>
#include <cstdint>
#include <span>

#include "sesame/backend/cpu/blocks.h"
#include "sesame/backend/cpu/kernels.h"
#include "sesame/backend/cpu/reduce_plan.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sesame/backend/cpu/reduce.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "sesame/backend/cpu/element_formulas-inl.h"
#include "sesame/simd/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {
namespace {

/// to[j] = the reduction of from[j] and row[j] over rows [begin, end) of the plan, j in [0, width).
template <typename Reducer>
HWY_INLINE void reduce_rows(const ReducePlan& plan, const float* in, int64_t begin, int64_t end, float* to) {
  constexpr int64_t kChunk = 1024;
  const Reducer reduce;
  for (int64_t column = 0; column < plan.width; column += kChunk) {
    const int64_t n = HWY_MIN(kChunk, plan.width - column);
    float* sums = to + column;
    const float* from = in + column;
    std::fill_n(sums, n, Reducer::kIdentity);
    int64_t row = begin;
    for (; row + 4 <= end; row += 4) {
      map(
          n, sums,
          [reduce](FloatVec sum, FloatVec a, FloatVec b, FloatVec c, FloatVec d)
              HWY_ATTR { return reduce(sum, reduce(reduce(a, b), reduce(c, d))); },
          static_cast<const float*>(sums), from + plan.summed_offset(row), from + plan.summed_offset(row + 1),
          from + plan.summed_offset(row + 2), from + plan.summed_offset(row + 3));
    }
    for (; row < end; ++row) {
      map(n, sums, reduce, static_cast<const float*>(sums), from + plan.summed_offset(row));
    }
  }
}

/// Pieces [begin, end) of the summed rows of one output.
template <typename Reducer>
HWY_INLINE float reduce_pieces(const ReducePlan& plan, const float* in, int64_t begin, int64_t end) {
  float result = Reducer::kIdentity;
  for (int64_t piece = begin; piece < end; ++piece) {
    const int64_t at = piece % plan.pieces_per_row() * ReducePlan::kPiece;
    const float* row = in + plan.summed_offset(piece / plan.pieces_per_row());
    result = Reducer::of_two(result, reduce_run<Reducer>(row + at, HWY_MIN(ReducePlan::kPiece, plan.width - at)));
  }
  return result;
}

template <typename Reducer>
HWY_INLINE void reduce(const KernelCall& call) {
  const ReducePlan plan(call.in_shape(0), call.attributes_as<AxesAttributes>().axes);
  const float* in = call.in<float>(0);
  float* out = call.out<float>(0);
  float* partial = plan.parts == 1 ? out : reinterpret_cast<float*>(call.workspace);  // [parts, kept, out_width]
  const int64_t outputs = plan.kept_count * plan.out_width();

  const int64_t units = plan.kept_count * plan.parts;
  const int64_t unit_elements = std::max<int64_t>(1, plan.summed_count * plan.width / plan.parts);
  run_blocks(*call.threads, units, rows_per_block(unit_elements), [&](int64_t first, int64_t last) HWY_ATTR {
    for (int64_t unit = first; unit < last; ++unit) {
      const int64_t part = unit / plan.kept_count, kept = unit % plan.kept_count;
      const int64_t pieces = plan.summed_pieces();
      const int64_t begin = pieces * part / plan.parts, end = pieces * (part + 1) / plan.parts;
      const float* from = in + plan.kept_offset(kept);
      float* to = partial + part * outputs + kept * plan.out_width();
      if (plan.width_is_kept) {
        reduce_rows<Reducer>(plan, from, begin, end, to);
      } else {
        *to = reduce_pieces<Reducer>(plan, from, begin, end);
      }
    }
  });
  if (plan.parts == 1) return;
  run_blocks(*call.threads, outputs, kElementsPerBlock, [&](int64_t begin, int64_t end) HWY_ATTR {
    std::copy(partial + begin, partial + end, out + begin);
    for (int64_t part = 1; part < plan.parts; ++part) {
      map(end - begin, out + begin, Reducer(), static_cast<const float*>(out + begin),
          static_cast<const float*>(partial + part * outputs + begin));
    }
  });
}

void reduce_sum(const KernelCall& call) { reduce<Sum>(call); }
void reduce_max(const KernelCall& call) { reduce<Max>(call); }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sesame {
namespace {

HWY_EXPORT(reduce_sum);
HWY_EXPORT(reduce_max);

size_t reduce_workspace(const Node& node, std::span<const Type> inputs, int) {
  return ReducePlan(inputs[0].shape, node.attributes_as<AxesAttributes>().axes).workspace_bytes();
}

}  // namespace

const Kernel cpu_reduce_sum = {[](const KernelCall& call) {
                                 HWY_DYNAMIC_DISPATCH(reduce_sum)
                                 (call);
                               },
                               reduce_workspace};
const Kernel cpu_reduce_max = {[](const KernelCall& call) {
                                 HWY_DYNAMIC_DISPATCH(reduce_max)
                                 (call);
                               },
                               reduce_workspace};

}  // namespace sesame
#endif  // HWY_ONCE
