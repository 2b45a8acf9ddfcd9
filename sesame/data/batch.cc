#include "sesame/data/batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sesame/base/error.h"

namespace sesame {

const NamedArray& Batch::at(std::string_view name) const {
  const auto found = std::ranges::find(arrays, name, &NamedArray::name);
  if (found != arrays.end()) return *found;
  std::string names;
  for (const NamedArray& array : arrays) names += fmt::format("{}'{}'", names.empty() ? "" : ", ", array.name);
  fail(fmt::format("the batch has no array '{}', only {}", name, names.empty() ? "none at all" : names));
}

NamedArray& Batch::at(std::string_view name) { return const_cast<NamedArray&>(std::as_const(*this).at(name)); }

Batch make_sequence_batch(int64_t batch, int64_t time) {
  if (batch < 1 || time < 1)
    fail_usage(fmt::format("a batch of {} sequences of {} tokens, expected 1 or more", batch, time));
  const std::vector<int32_t> zeros(static_cast<size_t>(batch) * static_cast<size_t>(time));
  return {{{"inputs", {batch, time}, zeros}, {"targets", {batch, time}, zeros}}};
}

}  // namespace sesame
