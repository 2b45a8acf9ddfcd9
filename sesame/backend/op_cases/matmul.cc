#include <fmt/format.h>

#include "sesame/backend/op_cases/families.h"
#include "sesame/graph/ops/ops.h"

namespace sesame::op_cases_of {
namespace {

struct Product {
  int64_t rows;
  int64_t inner;
  int64_t columns;
  std::vector<int64_t> batch = {};
  bool folded = false;  // b has no batch axes
  bool bias = false;
  bool accumulate = false;
};

Shape with_batch(std::vector<int64_t> batch, int64_t rows, int64_t columns) {
  batch.push_back(rows);
  batch.push_back(columns);
  return Shape(batch);
}

void add(std::vector<OpCase>& cases, const Product& p, bool transpose_a, bool transpose_b) {
  const Shape a = with_batch(p.batch, transpose_a ? p.inner : p.rows, transpose_a ? p.rows : p.inner);
  const Shape b = with_batch(p.folded ? std::vector<int64_t>{} : p.batch, transpose_b ? p.columns : p.inner,
                             transpose_b ? p.inner : p.columns);
  cases.push_back({.op = Op::matmul,
                   .label = fmt::format("{}{} x {}{}{}{}", a.to_string(), transpose_a ? " transposed" : "",
                                        b.to_string(), transpose_b ? " transposed" : "", p.bias ? " + bias" : "",
                                        p.accumulate ? " + accumulator" : ""),
                   .build = [=](CaseBuilder& c) {
                     const Value x = c.real(a);
                     const Value y = c.real(b);
                     MatmulOptions options{.transpose_a = transpose_a, .transpose_b = transpose_b};
                     if (p.bias) options.bias = c.real({p.columns});
                     if (p.accumulate) options.accumulator = c.real(with_batch(p.batch, p.rows, p.columns));
                     return std::vector{sesame::matmul(x, y, options)};
                   }});
}

}  // namespace

void matmul(std::vector<OpCase>& cases) {
  const Product products[] = {
      {.rows = 1, .inner = 1, .columns = 1},
      {.rows = 3, .inner = 5, .columns = 7},
      {.rows = 1, .inner = 65, .columns = 33, .bias = true},
      {.rows = 129, .inner = 67, .columns = 95, .bias = true, .accumulate = true},
      {.rows = 70, .inner = 1, .columns = 9, .accumulate = true},
      {.rows = 17, .inner = 300, .columns = 1},
      {.rows = 150, .inner = 550, .columns = 310, .bias = true},
      {.rows = 4, .inner = 6, .columns = 5, .batch = {2, 3}},
      {.rows = 33, .inner = 17, .columns = 35, .batch = {5}, .accumulate = true},
  };
  for (const Product& product : products) {
    for (const bool transpose_a : {false, true}) {
      for (const bool transpose_b : {false, true}) add(cases, product, transpose_a, transpose_b);
    }
  }
  for (const bool transpose_b : {false, true}) {
    add(cases, {.rows = 3, .inner = 4, .columns = 5, .batch = {2}, .folded = true, .bias = true}, false, transpose_b);
    add(cases, {.rows = 9, .inner = 7, .columns = 6, .batch = {2, 3}, .folded = true, .accumulate = true}, false,
        transpose_b);
  }
}

}  // namespace sesame::op_cases_of
