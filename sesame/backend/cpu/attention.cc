#include <algorithm>

#include "sesame/backend/cpu/attention_scratch.h"
#include "sesame/backend/cpu/kernels.h"
#include "sesame/base/philox.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sesame/backend/cpu/attention.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "sesame/backend/cpu/attention_forward-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {
namespace {

void attention(const KernelCall& call) {
  const auto& attributes = call.attributes_as<AttentionAttributes>();
  const float* qkv = call.in<float>(0);  // [batch, time, width]
  float* out = call.out<float>(0);       // [batch, time, heads * head_dim]
  float* log_sums = call.out<float>(1);  // [batch, heads, time]
  const int64_t batch = call.in_shape(0)[0], time = call.in_shape(0)[1], width = call.in_shape(0)[2];
  const int64_t heads = attributes.heads, kv_heads = attributes.kv_heads, group = heads / kv_heads;
  const int64_t head_dim = width / (heads + 2 * kv_heads);
  const DropoutRule rule(call.step->seed, attributes.key, call.step->step, attributes.dropout);

  const int64_t query_blocks = (time + kQueryBlock - 1) / kQueryBlock;
  const int64_t parts = std::clamp<int64_t>(16 / (batch * kv_heads), 1, query_blocks);
  const int64_t units = batch * kv_heads * parts;
  const size_t scratch_bytes = AttentionScratch::bytes(time, head_dim);

  call.threads->run(units, [&](int64_t block, int thread) HWY_ATTR {
    const int64_t unit = units - 1 - block;  // the last rows of a causal head cost most: first
    const int64_t part = unit % parts, kv_head = unit / parts % kv_heads, b = unit / parts / kv_heads;
    const int64_t begin = query_blocks * part / parts * kQueryBlock;
    const int64_t end = std::min(query_blocks * (part + 1) / parts * kQueryBlock, time);

    ScratchCursor cursor(call.workspace + static_cast<size_t>(thread) * scratch_bytes);
    const AttentionScratch scratch(cursor, time, head_dim);
    const float* rows = qkv + b * time * width;
    pack_keys_and_values(rows + (heads + kv_head) * head_dim, rows + (heads + kv_heads + kv_head) * head_dim, width,
                         attributes.causal ? end : time, time, head_dim, scratch);
    for (int64_t h = kv_head * group; h < (kv_head + 1) * group; ++h) {
      QueryHead head;
      head.queries = rows + h * head_dim;
      head.query_stride = width;
      head.out = out + b * time * heads * head_dim + h * head_dim;
      head.out_stride = heads * head_dim;
      head.log_sums = log_sums + (b * heads + h) * time;
      head.head_dim = head_dim;
      head.key_count = time;
      head.position = 0;
      head.causal = attributes.causal;
      head.scale = static_cast<float>(attributes.scale);
      head.dropout = attributes.dropout > 0 ? &rule : nullptr;
      head.first_element = static_cast<uint64_t>((b * heads + h) * time) * static_cast<uint64_t>(time);
      for (int64_t first = begin; first < end; first += kQueryBlock) {
        attend_block(head, first, std::min(kQueryBlock, end - first), scratch);
      }
    }
  });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sesame {
namespace {

HWY_EXPORT(attention);

size_t attention_workspace(const Node& node, std::span<const Type> inputs, int threads) {
  const auto& attributes = node.attributes_as<AttentionAttributes>();
  const int64_t head_dim = inputs[0].shape[2] / (attributes.heads + 2 * attributes.kv_heads);
  return AttentionScratch::bytes(inputs[0].shape[1], head_dim) * static_cast<size_t>(threads);
}

}  // namespace

const Kernel cpu_attention = {[](const KernelCall& call) {
                                HWY_DYNAMIC_DISPATCH(attention)
                                (call);
                              },
                              attention_workspace};

}  // namespace sesame
#endif  // HWY_ONCE
