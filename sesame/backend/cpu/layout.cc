#include <algorithm>
#include <array>
#include <cstdint>

#include "sesame/backend/cpu/blocks.h"
#include "sesame/backend/cpu/broadcast_plan.h"
#include "sesame/backend/cpu/kernels.h"

// Elements of four bytes are moved as they are, whatever their dtype. There is nothing to compute, so that the
// compiler's own copies and fills do.

namespace sesame {
namespace {

using Element = uint32_t;

void constant(const KernelCall& call) {
  const auto value = static_cast<float>(call.attributes_as<ConstantAttributes>().value);
  float* out = call.out<float>(0);
  run_blocks(*call.threads, call.outputs[0].elements(), kElementsPerBlock,
             [&](int64_t begin, int64_t end) { std::fill(out + begin, out + end, value); });
}

void broadcast_to(const KernelCall& call) {
  const BroadcastPlan<1> plan(call.out_shape(0), {call.in_shape(0)});
  const Element* in = call.in<Element>(0);
  Element* out = call.out<Element>(0);
  run_blocks(*call.threads, call.outputs[0].elements(), kElementsPerBlock, [&](int64_t begin, int64_t end) {
    plan.for_each_run(begin, end, [&](int64_t at, const std::array<int64_t, 1>& offsets, int64_t n) {
      if (plan.repeats(0)) {
        std::fill_n(out + at, n, in[offsets[0]]);
      } else {
        std::copy_n(in + offsets[0], n, out + at);
      }
    });
  });
}

/// A permutation as (size, stride in the input) per output axis, without axes of size 1 and with neighbours merged that
/// stay neighbours.
struct PermutePlan {
  int rank = 0;
  std::array<int64_t, Shape::kMaxRank> sizes{};
  std::array<int64_t, Shape::kMaxRank> strides{};

  PermutePlan(const Shape& in, const std::vector<int64_t>& order) {
    std::array<int64_t, Shape::kMaxRank> in_strides{};
    int64_t stride = 1;
    for (int axis = in.rank() - 1; axis >= 0; --axis) {
      in_strides[static_cast<size_t>(axis)] = stride;
      stride *= in[axis];
    }
    for (const int64_t axis : order) {
      const int64_t size = in[static_cast<int>(axis)], step = in_strides[static_cast<size_t>(axis)];
      if (size == 1) continue;
      const auto last = static_cast<size_t>(rank - 1);
      if (rank > 0 && strides[last] == step * size) {
        sizes[last] *= size;
        strides[last] = step;
      } else {
        sizes[static_cast<size_t>(rank)] = size;
        strides[static_cast<size_t>(rank++)] = step;
      }
    }
    if (rank == 0) {
      sizes[0] = strides[0] = 1;
      rank = 1;
    }
  }

  [[nodiscard]] int64_t size(int axis) const { return sizes[static_cast<size_t>(axis)]; }
  [[nodiscard]] int64_t stride(int axis) const { return strides[static_cast<size_t>(axis)]; }
};

/// Output axes `across` (its input stride is 1) and the last are turned over in squares, so that reading and writing
/// both use whole cache lines; all other axes are walked.
void permute_tiled(const PermutePlan& plan, int across, const Element* in, Element* out, ThreadPool& threads) {
  constexpr int64_t kSide = 16;
  const int last = plan.rank - 1;
  const int64_t columns = plan.size(last), rows = plan.size(across);
  const int64_t row_tiles = (rows + kSide - 1) / kSide;
  int64_t row_step = 1;  // between rows of the output
  for (int axis = across + 1; axis <= last; ++axis) row_step *= plan.size(axis);
  int64_t outer = 1;
  for (int axis = 0; axis < last; ++axis) outer *= axis == across ? 1 : plan.size(axis);

  const int64_t tiles_per_block = std::max<int64_t>(1, kElementsPerBlock / (kSide * columns));
  run_blocks(threads, outer * row_tiles, tiles_per_block, [&](int64_t begin, int64_t end) {
    for (int64_t tile = begin; tile < end; ++tile) {
      const int64_t row = tile % row_tiles * kSide, row_end = std::min(row + kSide, rows);
      int64_t rest = tile / row_tiles, from = 0, to = 0, out_step = columns;
      for (int axis = last - 1; axis >= 0; --axis) {
        if (axis != across) {
          from += rest % plan.size(axis) * plan.stride(axis);
          to += rest % plan.size(axis) * out_step;
          rest /= plan.size(axis);
        }
        out_step *= plan.size(axis);
      }
      for (int64_t column = 0; column < columns; column += kSide) {
        const int64_t column_end = std::min(column + kSide, columns);
        for (int64_t r = row; r < row_end; ++r) {
          for (int64_t c = column; c < column_end; ++c) {
            out[to + r * row_step + c] = in[from + r + c * plan.stride(last)];
          }
        }
      }
    }
  });
}

/// The last axis stays the last: runs are copied.
void permute_runs(const PermutePlan& plan, const Element* in, Element* out, ThreadPool& threads) {
  const int last = plan.rank - 1;
  const int64_t length = plan.size(last);
  int64_t runs = 1;
  for (int axis = 0; axis < last; ++axis) runs *= plan.size(axis);
  if (runs == 1) {
    run_blocks(threads, length, kElementsPerBlock,
               [&](int64_t begin, int64_t end) { std::copy(in + begin, in + end, out + begin); });
    return;
  }
  run_blocks(threads, runs, rows_per_block(length), [&](int64_t begin, int64_t end) {
    for (int64_t run = begin; run < end; ++run) {
      int64_t rest = run, from = 0;
      for (int axis = last - 1; axis >= 0; --axis) {
        from += rest % plan.size(axis) * plan.stride(axis);
        rest /= plan.size(axis);
      }
      std::copy_n(in + from, length, out + run * length);
    }
  });
}

void permute(const KernelCall& call) {
  const PermutePlan plan(call.in_shape(0), call.attributes_as<AxesAttributes>().axes);
  const Element* in = call.in<Element>(0);
  Element* out = call.out<Element>(0);
  for (int axis = 0; axis < plan.rank - 1; ++axis) {
    if (plan.stride(axis) == 1) return permute_tiled(plan, axis, in, out, *call.threads);
  }
  permute_runs(plan, in, out, *call.threads);
}

/// Axis `axis` of a shape with all before and all behind it taken together.
struct AxisView {
  int64_t outer = 1;
  int64_t size = 1;
  int64_t inner = 1;

  AxisView(const Shape& shape, int64_t axis) {
    for (int i = 0; i < shape.rank(); ++i) (i < axis ? outer : i == axis ? size : inner) *= shape[i];
  }
};

void slice(const KernelCall& call) {
  const auto& attributes = call.attributes_as<SliceAttributes>();
  const AxisView view(call.in_shape(0), attributes.axis);
  const int64_t length = attributes.size * view.inner;
  const Element* in = call.in<Element>(0) + attributes.begin * view.inner;
  Element* out = call.out<Element>(0);
  run_blocks(*call.threads, view.outer, rows_per_block(length), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      std::copy_n(in + row * view.size * view.inner, length, out + row * length);
    }
  });
}

void pad(const KernelCall& call) {
  const auto& attributes = call.attributes_as<SliceAttributes>();
  const AxisView view(call.in_shape(0), attributes.axis);
  const int64_t width = attributes.size * view.inner, length = view.size * view.inner;
  const int64_t before = attributes.begin * view.inner;
  const Element* in = call.in<Element>(0);
  Element* out = call.out<Element>(0);
  run_blocks(*call.threads, view.outer, rows_per_block(width), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      Element* to = out + row * width;
      std::fill_n(to, before, Element{0});
      std::copy_n(in + row * length, length, to + before);
      std::fill(to + before + length, to + width, Element{0});
    }
  });
}

}  // namespace

const Kernel cpu_constant = {constant};
const Kernel cpu_broadcast_to = {broadcast_to};
const Kernel cpu_permute = {permute};
const Kernel cpu_slice = {slice};
const Kernel cpu_pad = {pad};

}  // namespace sesame
