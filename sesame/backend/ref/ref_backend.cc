#include "sesame/backend/ref/ref_table.h"

namespace sesame {
namespace {

class RefBackend final : public Backend {
 public:
  RefBackend() {
    ref::add_leaf_kernels(table_);
    ref::add_elementwise_kernels(table_);
    ref::add_fused_kernels(table_);
    ref::add_layout_kernels(table_);
    ref::add_reduce_kernels(table_);
    ref::add_matmul_kernels(table_);
    ref::add_embedding_kernels(table_);
    ref::add_norm_kernels(table_);
    ref::add_activation_kernels(table_);
    ref::add_rope_kernels(table_);
    ref::add_attention_kernels(table_);
    ref::add_cached_attention_kernels(table_);
    ref::add_cross_entropy_kernels(table_);
    ref::add_optimizer_kernels(table_);
  }

  [[nodiscard]] const char* name() const override { return "ref"; }
  [[nodiscard]] const Kernel* find(Op op, DType dtype) const override { return table_.find(op, dtype); }

 private:
  ref::RefTable table_;
};

}  // namespace

const Backend& ref_backend() {
  static const RefBackend backend;
  return backend;
}

}  // namespace sesame
