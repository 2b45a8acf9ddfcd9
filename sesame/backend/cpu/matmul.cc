#include "sesame/backend/cpu/gemm.h"
#include "sesame/backend/cpu/gemm_kernels.h"

namespace sesame {
namespace {

/// The product of a matmul node without its pointers.
Gemm shape_of(const MatmulAttributes& attributes, const Shape& a, const Shape& b) {
  Gemm product;
  product.transpose_a = attributes.transpose_a;
  product.transpose_b = attributes.transpose_b;
  product.m = a[attributes.transpose_a ? -1 : -2];
  product.k = a[attributes.transpose_a ? -2 : -1];
  product.n = b[attributes.transpose_b ? -2 : -1];
  const int64_t batch = a.elements() / (product.m * product.k);
  if (b.rank() == 2 && !attributes.transpose_a) {
    product.m *= batch;  // the rows of all batches are one long matrix
  } else {
    product.batch = batch;
  }
  product.lda = a[-1];
  product.ldb = b[-1];
  product.ldc = product.n;
  product.ldd = product.n;
  product.batch_stride_a = product.m * product.k;
  product.batch_stride_b = b.rank() == 2 ? 0 : product.k * product.n;
  product.batch_stride_c = product.m * product.n;
  product.batch_stride_d = product.batch_stride_c;
  return product;
}

void run_matmul(const KernelCall& call) {
  const auto& attributes = call.attributes_as<MatmulAttributes>();
  Gemm product = shape_of(attributes, call.in_shape(0), call.in_shape(1));
  product.a = call.in<float>(0);
  product.b = call.in<float>(1);
  product.c = call.out<float>(0);
  if (attributes.bias) product.bias = call.in<float>(2);
  if (attributes.accumulate) product.d = call.in<float>(call.inputs.size() - 1);
  gemm(product, call.workspace, *call.threads);
}

size_t matmul_workspace(const Node& node, std::span<const Type> inputs, int threads) {
  return gemm_workspace_bytes(shape_of(node.attributes_as<MatmulAttributes>(), inputs[0].shape, inputs[1].shape),
                              threads);
}

}  // namespace

const Kernel cpu_matmul = {run_matmul, matmul_workspace};

}  // namespace sesame
