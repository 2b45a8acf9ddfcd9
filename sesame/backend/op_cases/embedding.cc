#include <fmt/format.h>

#include "sesame/backend/op_cases/families.h"
#include "sesame/graph/ops/ops.h"

namespace sesame::op_cases_of {
namespace {

struct Lookup {
  int64_t rows;
  int64_t columns;
  Shape ids;
};

Shape with_columns(const Shape& ids, int64_t columns) {
  std::vector<int64_t> dims(ids.dims().begin(), ids.dims().end());
  dims.push_back(columns);
  return Shape(dims);
}

}  // namespace

void embedding(std::vector<OpCase>& cases) {
  for (const Lookup& l : {Lookup{1, 1, {1}}, Lookup{5, 3, Shape{}}, Lookup{4, 7, {2, 9}}, Lookup{67, 33, {3, 50}},
                          Lookup{9, 130, {700}}}) {
    const std::string label = fmt::format("{} of [{}, {}]", l.ids.to_string(), l.rows, l.columns);
    cases.push_back(
        {.op = Op::embedding,
         .label = label,
         .build =
             [=](CaseBuilder& c) {
               return std::vector{sesame::embedding(c.real({l.rows, l.columns}), c.whole(l.ids, 0, l.rows))};
             },
         .tolerance = 0});
    for (const bool accumulate : {false, true}) {
      cases.push_back({.op = Op::embedding_grad,
                       .label = label + (accumulate ? " + accumulator" : ""),
                       .build =
                           [=](CaseBuilder& c) {
                             const Value grad = c.real(with_columns(l.ids, l.columns));
                             const Value ids = c.whole(l.ids, 0, l.rows);
                             const Value accumulator = accumulate ? c.real({l.rows, l.columns}) : Value{};
                             return std::vector{embedding_grad(grad, ids, l.rows, accumulator)};
                           },
                       .differentiable = false});
    }
    // Some ids lie outside: their rows are zero.
    cases.push_back(
        {.op = Op::one_hot,
         .label = label,
         .build =
             [=](CaseBuilder& c) { return std::vector{one_hot(c.whole(l.ids, -1, l.rows + 1), l.rows, c.dtype())}; },
         .differentiable = false,
         .tolerance = 0});
  }
}

}  // namespace sesame::op_cases_of
