#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "sesame/backend/cpu/blocks.h"
#include "sesame/backend/cpu/broadcast_plan.h"
#include "sesame/backend/cpu/fused_plan.h"
#include "sesame/backend/cpu/kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sesame/backend/cpu/fused.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "sesame/backend/cpu/element_formulas-inl.h"
#include "sesame/backend/cpu/fused_tile-inl.h"
#include "sesame/simd/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {
namespace {

using Reduction = FusedOutput::Reduction;

/// Where the reductions of a node go.
struct Reductions {
  explicit Reductions(const KernelCall& call, const FusedPlan& plan) {
    const auto& attributes = call.attributes_as<FusedAttributes>();
    float* next = reinterpret_cast<float*>(call.workspace);
    for (size_t o = 0; o < attributes.results.size(); ++o) {
      if (attributes.results[o].reduction == Reduction::none) continue;
      to[o] = plan.partials() > 0 ? next : call.out<float>(o);
      next += plan.partials();
    }
  }
  std::array<float*, kMaxFusedResults> to{};  // [rows * parts] or [parts, row_length]; null for others
};

/// The partial results of what the rows are added up to, for one part of the rows.
template <typename Reducer>
HWY_INLINE void join_into_row(const FusedPlan& plan, int64_t at, int64_t n, const float* values, float* row) {
  for (int64_t i = 0; i < n;) {
    const int64_t column = (at + i) % plan.row_length;
    const int64_t count = HWY_MIN(plan.row_length - column, n - i);
    map(count, row + column, Reducer(), static_cast<const float*>(row + column), values + i);
    i += count;
  }
}

/// One part of the rows: elements from `begin` on, their reductions over rows into row `part` of the partial results.
HWY_INLINE void run_part(const KernelCall& call, const FusedPlan& plan, const Reductions& reductions, int64_t part) {
  const auto& results = call.attributes_as<FusedAttributes>().results;
  const RowParts parts(plan.rows(), plan.row_length);
  FusedTile tile(call, plan);
  const auto row_of = [&](size_t o) { return reductions.to[o] + part * plan.row_length; };
  for (size_t o = 0; o < results.size(); ++o) {
    if (results[o].reduction == Reduction::none) continue;
    std::fill_n(row_of(o), plan.row_length, results[o].reduction == Reduction::sum ? Sum::kIdentity : Max::kIdentity);
  }
  const int64_t end = parts.begin(part + 1) * plan.row_length;
  for (int64_t at = parts.begin(part) * plan.row_length; at < end; at += plan.tile) {
    const int64_t n = HWY_MIN(plan.tile, end - at);
    tile.run(at, n);
    for (size_t o = 0; o < results.size(); ++o) {
      if (results[o].reduction == Reduction::sum) join_into_row<Sum>(plan, at, n, tile.result(o), row_of(o));
      if (results[o].reduction == Reduction::max) join_into_row<Max>(plan, at, n, tile.result(o), row_of(o));
    }
    tile.store(at, n);
  }
}

HWY_INLINE float reduced(Reduction reduction, const float* values, int64_t n) {
  return reduction == Reduction::sum ? reduce_run<Sum>(values, n) : reduce_run<Max>(values, n);
}

HWY_INLINE float joined(Reduction reduction, float a, float b) {
  return reduction == Reduction::sum ? Sum::of_two(a, b) : Max::of_two(a, b);
}

/// Rows [first, last), each reduced to one number: as many whole rows as fit a tile at a time.
HWY_INLINE void run_short_rows(const KernelCall& call, const FusedPlan& plan, const Reductions& reductions,
                               int64_t first, int64_t last) {
  const auto& results = call.attributes_as<FusedAttributes>().results;
  FusedTile tile(call, plan);
  const int64_t step = plan.tile / plan.row_length;
  for (int64_t row = first; row < last; row += step) {
    const int64_t count = HWY_MIN(step, last - row);
    const int64_t at = row * plan.row_length, n = count * plan.row_length;
    tile.run(at, n);
    for (size_t o = 0; o < results.size(); ++o) {
      if (results[o].reduction == Reduction::none) continue;
      for (int64_t i = 0; i < count; ++i) {
        reductions.to[o][row + i] =
            reduced(results[o].reduction, tile.result(o) + i * plan.row_length, plan.row_length);
      }
    }
    tile.store(at, n);
  }
}

/// Piece `unit` of the plan's rows * parts, longer than a tile.
HWY_INLINE void run_long_row(const KernelCall& call, const FusedPlan& plan, const Reductions& reductions,
                             int64_t unit) {
  const auto& results = call.attributes_as<FusedAttributes>().results;
  FusedTile tile(call, plan);
  const int64_t row = unit / plan.parts, part = unit % plan.parts;
  const int64_t begin = row * plan.row_length + plan.row_length * part / plan.parts;
  const int64_t end = row * plan.row_length + plan.row_length * (part + 1) / plan.parts;
  std::array<float, kMaxFusedResults> sums{};
  for (int64_t at = begin; at < end; at += plan.tile) {
    const int64_t n = HWY_MIN(plan.tile, end - at);
    tile.run(at, n);
    for (size_t o = 0; o < results.size(); ++o) {
      if (results[o].reduction == Reduction::none) continue;
      const float piece = reduced(results[o].reduction, tile.result(o), n);
      sums[o] = at == begin ? piece : joined(results[o].reduction, sums[o], piece);
    }
    tile.store(at, n);
  }
  for (size_t o = 0; o < results.size(); ++o) {
    if (results[o].reduction != Reduction::none) reductions.to[o][unit] = sums[o];
  }
}

/// out[j] = the parts' partial results, joined in order.
template <typename Reducer>
HWY_INLINE void join_parts(ThreadPool& threads, const FusedPlan& plan, const float* partial, float* out) {
  if (plan.along_rows) {
    for (int64_t row = 0; row < plan.rows(); ++row) {
      out[row] = partial[row * plan.parts];
      for (int64_t part = 1; part < plan.parts; ++part) {
        out[row] = Reducer::of_two(out[row], partial[row * plan.parts + part]);
      }
    }
    return;
  }
  run_blocks(threads, plan.row_length, 1024, [&](int64_t begin, int64_t end) HWY_ATTR {
    std::copy(partial + begin, partial + end, out + begin);
    for (int64_t part = 1; part < plan.parts; ++part) {
      map(end - begin, out + begin, Reducer(), static_cast<const float*>(out + begin),
          partial + part * plan.row_length + begin);
    }
  });
}

void fused(const KernelCall& call) {
  const auto& attributes = call.attributes_as<FusedAttributes>();
  const FusedPlan plan(attributes, call.inputs.size());
  const Reductions reductions(call, plan);
  if (attributes.axes.empty()) {
    run_blocks(*call.threads, plan.elements, kElementsPerBlock, [&](int64_t begin, int64_t end) HWY_ATTR {
      FusedTile tile(call, plan);
      for (int64_t at = begin; at < end; at += plan.tile) {
        const int64_t n = HWY_MIN(plan.tile, end - at);
        tile.run(at, n);
        tile.store(at, n);
      }
    });
  } else if (!plan.along_rows) {
    call.threads->run(plan.parts, [&](int64_t part, int) HWY_ATTR { run_part(call, plan, reductions, part); });
  } else if (plan.row_length <= plan.tile) {
    run_blocks(*call.threads, plan.rows(), rows_per_block(plan.row_length),
               [&](int64_t first, int64_t last) HWY_ATTR { run_short_rows(call, plan, reductions, first, last); });
  } else {
    run_blocks(*call.threads, plan.rows() * plan.parts, rows_per_block(plan.row_length / plan.parts),
               [&](int64_t first, int64_t last) HWY_ATTR {
                 for (int64_t unit = first; unit < last; ++unit) run_long_row(call, plan, reductions, unit);
               });
  }
  if (plan.partials() == 0) return;
  for (size_t o = 0; o < attributes.results.size(); ++o) {
    const Reduction reduction = attributes.results[o].reduction;
    if (reduction == Reduction::sum) join_parts<Sum>(*call.threads, plan, reductions.to[o], call.out<float>(o));
    if (reduction == Reduction::max) join_parts<Max>(*call.threads, plan, reductions.to[o], call.out<float>(o));
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sesame {
namespace {

HWY_EXPORT(fused);

size_t fused_workspace(const Node& node, std::span<const Type> inputs, int) {
  const auto& attributes = node.attributes_as<FusedAttributes>();
  if (attributes.axes.empty()) return 0;
  size_t reductions = 0;
  for (const FusedOutput& result : attributes.results)
    reductions += result.reduction == FusedOutput::Reduction::none ? 0 : 1;
  return reductions * static_cast<size_t>(FusedPlan(attributes, inputs.size()).partials()) * sizeof(float);
}

}  // namespace

const Kernel cpu_fused = {[](const KernelCall& call) { HWY_DYNAMIC_DISPATCH(fused)(call); }, fused_workspace};

}  // namespace sesame
#endif  // HWY_ONCE
