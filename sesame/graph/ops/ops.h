#pragma once

#include <source_location>
#include <vector>

#include "sesame/graph/builder.h"

/// The ops that models are made of: free functions on values, each appending one node (or, where marked "composed", a
/// few). All shape errors are thrown here, with op, shapes, scope and source line. "Floating" means float32 or float64;
/// all floating inputs of one op have one dtype.

namespace sesame {

using Where = std::source_location;

// Elementwise, with NumPy broadcasting. Arithmetic takes floating or int32 operands of one dtype.
Value add(Value a, Value b, Where where = Where::current());
Value sub(Value a, Value b, Where where = Where::current());
Value mul(Value a, Value b, Where where = Where::current());
Value div(Value a, Value b, Where where = Where::current());
/// a < b, as bool.
Value less(Value a, Value b, Where where = Where::current());
/// condition ? a : b; condition is bool; all three broadcast.
Value select(Value condition, Value a, Value b, Where where = Where::current());

inline Value operator+(Value a, Value b) { return add(a, b); }
inline Value operator-(Value a, Value b) { return sub(a, b); }
inline Value operator*(Value a, Value b) { return mul(a, b); }
inline Value operator/(Value a, Value b) { return div(a, b); }

/// x * factor and x + term, with a constant of x's dtype.
Value scale(Value x, double factor, Where where = Where::current());
Value offset(Value x, double term, Where where = Where::current());

// Elementwise, floating.
Value neg(Value x, Where where = Where::current());
Value exp(Value x, Where where = Where::current());
Value log(Value x, Where where = Where::current());
Value sqrt(Value x, Where where = Where::current());
Value tanh(Value x, Where where = Where::current());
Value sigmoid(Value x, Where where = Where::current());
Value erf(Value x, Where where = Where::current());

/// 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) (Hendrycks and Gimpel 2016, the form of GPT-2's "gelu_new").
/// Composed.
Value gelu(Value x, Where where = Where::current());
/// x Phi(x) = 0.5 x (1 + erf(x / sqrt(2))): the exact form, BERT's. Composed.
Value gelu_erf(Value x, Where where = Where::current());
/// x sigmoid(x). Composed.
Value silu(Value x, Where where = Where::current());

Value cast(Value x, DType dtype, Where where = Where::current());

/// Zeroes each element with probability rate and divides the rest by 1 - rate. The mask is a function of (seed, the
/// op's key, step, element index), so it is never stored: the gradient draws it again. rate in [0, 1); 0 returns x
/// itself.
Value dropout(Value x, double rate, Where where = Where::current());

/// An element-wise computation given as a list of instructions, with reductions at its end; see FusedAttributes. Inputs
/// broadcast to attributes.shape; they are floating, bool, or int32 that is cast. What the fusion pass makes.
std::vector<Value> fused(Builder& builder, FusedAttributes attributes, std::span<const Value> inputs,
                         Where where = Where::current());

// Layout.
Value reshape(Value x, Shape shape, Where where = Where::current());
/// Axis order[i] of x becomes axis i.
Value permute(Value x, std::vector<int64_t> order, Where where = Where::current());
Value broadcast_to(Value x, Shape shape, Where where = Where::current());
/// x[..., begin : begin + size, ...] along axis (negative counts from the end).
Value slice(Value x, int64_t axis, int64_t begin, int64_t size, Where where = Where::current());
/// Zeros of size `size` along axis, with x written at begin.
Value pad(Value x, int64_t axis, int64_t begin, int64_t size, Where where = Where::current());
/// int32 of the given shape, each element its index along the last axis.
Value iota(Builder& builder, Shape shape, Where where = Where::current());

// Reductions keep the reduced axes with size 1; empty axes: all of them.
Value reduce_sum(Value x, std::vector<int64_t> axes = {}, Where where = Where::current());
Value reduce_max(Value x, std::vector<int64_t> axes = {}, Where where = Where::current());
/// Mean over the axes, kept with size 1. Composed.
Value reduce_mean(Value x, std::vector<int64_t> axes = {}, Where where = Where::current());
/// exp(x - max) / sum over the last axis. Composed.
Value softmax(Value x, Where where = Where::current());

/// op(a) op(b) over the last two axes; leading axes must be equal, or b may have none: then a's rows are one long
/// matrix (not with transpose_a). transpose swaps the last two axes of that operand. a [..., M, K], b [..., K, N] ->
/// [..., M, N].
struct MatmulOptions {
  bool transpose_a = false;
  bool transpose_b = false;
  Value bias = {};         // [N], added to every row
  Value accumulator = {};  // the result's shape, added
};
Value matmul(Value a, Value b, MatmulOptions options, Where where = Where::current());
inline Value matmul(Value a, Value b, Where where = Where::current()) { return matmul(a, b, MatmulOptions{}, where); }

/// Rows of table [V, C] by ids (int32, any shape): [..., C]. An id outside [0, V) is an error when the step runs.
Value embedding(Value table, Value ids, Where where = Where::current());
/// The gradient of embedding with respect to the table: zeros [rows, C] (or the accumulator) plus each row of grad
/// [..., C] added at its id, in order: deterministic.
Value embedding_grad(Value grad, Value ids, int64_t rows, Value accumulator = {}, Where where = Where::current());
/// 1 where the last axis' index equals ids [...]: floating [..., classes]. An id out of range gives a row of zeros.
Value one_hot(Value ids, int64_t classes, DType dtype, Where where = Where::current());

/// (x - mean) / sqrt(var + epsilon) * gain + bias over the last axis (Ba et al. 2016). gain [C], bias [C].
Value layer_norm(Value x, Value gain, Value bias, double epsilon, Where where = Where::current());
/// x / sqrt(mean(x^2) + epsilon) * gain over the last axis (Zhang and Sennrich 2019). gain [C].
Value rms_norm(Value x, Value gain, double epsilon, Where where = Where::current());

/// gelu(x + bias): x [..., C], bias [C].
Value bias_gelu(Value x, Value bias, Where where = Where::current());
/// silu(gate) * up (Shazeer 2020, SwiGLU), x = [..., 2I] with gate first: [..., I].
Value swiglu(Value x, Where where = Where::current());

/// Rotates pairs (j, j + D/2) of the first `heads` heads of x [batch, time, W >= heads * head_dim] by the angle
/// position * theta^(-2j/D) (Su et al. 2021); position of row t is start + t, start int32 [1].
struct RopeOptions {
  int64_t heads = 0;
  int64_t head_dim = 0;
  double theta = 10000;
  double scaling = 1;
};
Value rope(Value x, Value start, RopeOptions options, Where where = Where::current());

/// Multi-head self-attention (Vaswani et al. 2017, §3.2) on packed rows qkv [batch, time, (heads + 2 kv_heads)
/// head_dim] = [queries | keys | values], each head's columns together. Returns [batch, time, heads * head_dim]. Tiled:
/// only the log-sum-exp of each row is kept for the backward pass (Dao et al. 2022). scale 0 means 1 / sqrt(head_dim).
struct AttentionOptions {
  int64_t heads = 1;
  int64_t kv_heads = 1;
  bool causal = true;
  double scale = 0;
  double dropout = 0;
};
Value attention(Value qkv, AttentionOptions options, Where where = Where::current());

/// Causal attention of new rows qkv [batch, time, ...] at positions start .. start + time - 1 over caches
/// [batch, capacity, kv_heads * head_dim], into which the new keys and values are written first. start: int32 [1],
/// start + time <= capacity is the caller's duty (an error when the step runs). No gradient. `out` [batch, time, heads
/// * head_dim]; the caches come back as values for Builder::update.
struct CachedAttention {
  Value out;
  Value keys;
  Value values;
};
CachedAttention cached_attention(Value qkv, Value keys, Value values, Value start, AttentionOptions options,
                                 Where where = Where::current());

/// Mean over the targets >= 0 of -log softmax(x w^T)[target]: x [N, C], w [V, C], targets int32 [N]. A scalar []. The
/// logits are made in row blocks and never stored whole. No target >= 0 gives 0.
Value linear_cross_entropy(Value x, Value w, Value targets, Where where = Where::current());

/// Sum of squares of all elements, as float64 []: the squared global norm.
Value sum_squares(Value x, Where where = Where::current());

/// One AdamW step (Loshchilov and Hutter 2019, algorithm 2, with bias correction) over flat buffers [P]: parameters,
/// gradients, first and second moments. `hyper` floating [3] = {learning rate, 1 - beta1^t, 1 - beta2^t}.
/// grad_norm_squared float64 [] or absent; with attributes.max_grad_norm > 0 gradients are multiplied by min(1, max /
/// (norm + 1e-6)).
struct AdamWStep {
  Value parameters;
  Value first_moment;
  Value second_moment;
};
AdamWStep adamw(Value parameters, Value gradients, Value first_moment, Value second_moment, Value hyper,
                Value grad_norm_squared, AdamWAttributes attributes, Where where = Where::current());

}  // namespace sesame
