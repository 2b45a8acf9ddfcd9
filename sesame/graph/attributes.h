#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "sesame/graph/shape.h"

namespace sesame {

enum class Op : uint8_t;  // graph.h

/// The typed attributes of ops, one small struct per kind. Each lists its fields once, in `fields`; equality, hash and
/// print follow from that list, so two different nodes can never be taken for the same by an oversight.
template <typename Struct, typename Member>
struct Field {
  const char* name;
  Member Struct::*member;
};

struct NoAttributes {
  static constexpr auto fields = std::make_tuple();
  bool operator==(const NoAttributes&) const = default;
};

/// Leaves: `name` is how the caller binds the data.
struct LeafAttributes {
  std::string name;
  Type type;
  static constexpr auto fields =
      std::make_tuple(Field{"name", &LeafAttributes::name}, Field{"type", &LeafAttributes::type});
  bool operator==(const LeafAttributes&) const = default;
};

/// A tensor of one repeated value.
struct ConstantAttributes {
  double value = 0;
  Type type;
  static constexpr auto fields =
      std::make_tuple(Field{"value", &ConstantAttributes::value}, Field{"type", &ConstantAttributes::type});
  bool operator==(const ConstantAttributes&) const = default;
};

/// reshape and broadcast_to: the shape to reach. iota and one_hot: the shape of the result.
struct ShapeAttributes {
  Shape shape;
  static constexpr auto fields = std::make_tuple(Field{"shape", &ShapeAttributes::shape});
  bool operator==(const ShapeAttributes&) const = default;
};

struct CastAttributes {
  DType dtype = DType::f32;
  static constexpr auto fields = std::make_tuple(Field{"dtype", &CastAttributes::dtype});
  bool operator==(const CastAttributes&) const = default;
};

/// permute: order[i] is the input axis that becomes axis i. Reductions: the axes that are summed, ascending; they stay
/// with size 1.
struct AxesAttributes {
  std::vector<int64_t> axes;
  static constexpr auto fields = std::make_tuple(Field{"axes", &AxesAttributes::axes});
  bool operator==(const AxesAttributes&) const = default;
};

/// slice: [begin, begin + size) along axis. pad: zeros before (begin) and after, up to `size` along axis.
struct SliceAttributes {
  int64_t axis = 0;
  int64_t begin = 0;
  int64_t size = 0;
  static constexpr auto fields =
      std::make_tuple(Field{"axis", &SliceAttributes::axis}, Field{"begin", &SliceAttributes::begin},
                      Field{"size", &SliceAttributes::size});
  bool operator==(const SliceAttributes&) const = default;
};

/// y = op(a) op(b) (+ bias over the last axis) (+ accumulator). Optional inputs follow a and b in this order.
struct MatmulAttributes {
  bool transpose_a = false;
  bool transpose_b = false;
  bool bias = false;
  bool accumulate = false;
  static constexpr auto fields = std::make_tuple(
      Field{"transpose_a", &MatmulAttributes::transpose_a}, Field{"transpose_b", &MatmulAttributes::transpose_b},
      Field{"bias", &MatmulAttributes::bias}, Field{"accumulate", &MatmulAttributes::accumulate});
  bool operator==(const MatmulAttributes&) const = default;
};

struct NormAttributes {
  double epsilon = 1e-5;
  static constexpr auto fields = std::make_tuple(Field{"epsilon", &NormAttributes::epsilon});
  bool operator==(const NormAttributes&) const = default;
};

/// `key` names the op's own stream of random numbers; the mask is a function of (seed, key, step, element).
struct DropoutAttributes {
  double rate = 0;
  int64_t key = 0;
  static constexpr auto fields =
      std::make_tuple(Field{"rate", &DropoutAttributes::rate}, Field{"key", &DropoutAttributes::key});
  bool operator==(const DropoutAttributes&) const = default;
};

/// embedding_grad: rows of the table; with `accumulate` a third input is added to.
struct EmbeddingGradAttributes {
  int64_t rows = 0;
  bool accumulate = false;
  static constexpr auto fields = std::make_tuple(Field{"rows", &EmbeddingGradAttributes::rows},
                                                 Field{"accumulate", &EmbeddingGradAttributes::accumulate});
  bool operator==(const EmbeddingGradAttributes&) const = default;
};

/// Rotary position embedding on the first `heads` heads of a packed row (queries and keys; values are left alone).
/// Pairs are (j, j + head_dim / 2), as in Hugging Face's layout. `inverse` rotates back: it is the gradient.
/// `scaling` 1 leaves positions as they are; linear scaling divides them by it.
struct RopeAttributes {
  int64_t heads = 0;
  int64_t head_dim = 0;
  double theta = 10000;
  double scaling = 1;
  bool inverse = false;
  static constexpr auto fields =
      std::make_tuple(Field{"heads", &RopeAttributes::heads}, Field{"head_dim", &RopeAttributes::head_dim},
                      Field{"theta", &RopeAttributes::theta}, Field{"scaling", &RopeAttributes::scaling},
                      Field{"inverse", &RopeAttributes::inverse});
  bool operator==(const RopeAttributes&) const = default;
};

/// Attention over packed rows [query heads | key heads | value heads]; query head h reads key/value head h / (heads /
/// kv_heads). `dropout` acts on the probabilities, keyed by `key`.
struct AttentionAttributes {
  int64_t heads = 1;
  int64_t kv_heads = 1;
  bool causal = true;
  double scale = 1;
  double dropout = 0;
  int64_t key = 0;
  static constexpr auto fields =
      std::make_tuple(Field{"heads", &AttentionAttributes::heads}, Field{"kv_heads", &AttentionAttributes::kv_heads},
                      Field{"causal", &AttentionAttributes::causal}, Field{"scale", &AttentionAttributes::scale},
                      Field{"dropout", &AttentionAttributes::dropout}, Field{"key", &AttentionAttributes::key});
  bool operator==(const AttentionAttributes&) const = default;
};

/// Cross-entropy joined with the output projection. Targets below 0 are ignored. `scale` multiplies the gradients of
/// the one-pass form (1 / accumulation steps); `accumulate`: the weight gradient is added to a further input.
struct LinearCrossEntropyAttributes {
  double scale = 1;
  bool accumulate = false;
  static constexpr auto fields = std::make_tuple(Field{"scale", &LinearCrossEntropyAttributes::scale},
                                                 Field{"accumulate", &LinearCrossEntropyAttributes::accumulate});
  bool operator==(const LinearCrossEntropyAttributes&) const = default;
};

/// The first `decayed` elements of the flat buffers are subject to weight decay, the rest are not.
struct AdamWAttributes {
  double beta1 = 0.9;
  double beta2 = 0.95;
  double epsilon = 1e-8;
  double weight_decay = 0.1;
  double max_grad_norm = 0;  // 0: no clipping
  int64_t decayed = 0;
  static constexpr auto fields = std::make_tuple(
      Field{"beta1", &AdamWAttributes::beta1}, Field{"beta2", &AdamWAttributes::beta2},
      Field{"epsilon", &AdamWAttributes::epsilon}, Field{"weight_decay", &AdamWAttributes::weight_decay},
      Field{"max_grad_norm", &AdamWAttributes::max_grad_norm}, Field{"decayed", &AdamWAttributes::decayed});
  bool operator==(const AdamWAttributes&) const = default;
};

/// One step of a fused node. Operands are values of the node: below its number of inputs n they are inputs, n + k is
/// the result of instruction k; unused ones are -1. `value` is what a constant is or a dropout's rate, `key` its
/// stream.
struct FusedInstruction {
  Op op{};
  std::array<int32_t, 3> operands{-1, -1, -1};
  double value = 0;
  int64_t key = 0;
  bool operator==(const FusedInstruction&) const = default;
};

/// What of a fused node is seen outside: an instruction's value, or what one of the reductions makes of it.
struct FusedOutput {
  enum class Reduction : uint8_t { none, sum, max };
  int32_t value = -1;
  Reduction reduction = Reduction::none;
  bool operator==(const FusedOutput&) const = default;
};

/// An element-wise computation over `shape`, to which all inputs broadcast. `axes`: what the outputs with a reduction
/// reduce, the first few or the last few axes; they stay with size 1.
struct FusedAttributes {
  Shape shape;
  std::vector<FusedInstruction> instructions;
  std::vector<FusedOutput> results;
  std::vector<int64_t> axes;
  static constexpr auto fields =
      std::make_tuple(Field{"shape", &FusedAttributes::shape}, Field{"instructions", &FusedAttributes::instructions},
                      Field{"results", &FusedAttributes::results}, Field{"axes", &FusedAttributes::axes});
  bool operator==(const FusedAttributes&) const = default;
};

using Attributes =
    std::variant<NoAttributes, LeafAttributes, ConstantAttributes, ShapeAttributes, CastAttributes, AxesAttributes,
                 SliceAttributes, MatmulAttributes, NormAttributes, DropoutAttributes, EmbeddingGradAttributes,
                 RopeAttributes, AttentionAttributes, LinearCrossEntropyAttributes, AdamWAttributes, FusedAttributes>;

/// "axis=1, begin=0, size=4"; empty for NoAttributes.
std::string to_string(const Attributes& attributes);

/// A hash over every field; equal attributes hash equal.
uint64_t hash_of(const Attributes& attributes);

}  // namespace sesame
