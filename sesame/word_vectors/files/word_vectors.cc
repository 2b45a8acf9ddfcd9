#include "sesame/word_vectors/files/word_vectors.h"

#include "sesame/word_vectors/train/block_step.h"

namespace sesame {

std::optional<std::vector<float>> WordVectors::vector_of(std::string_view word) const {
  if (const int32_t id = vocabulary.find(word); id >= 0) return std::vector<float>(row(id).begin(), row(id).end());
  if (!subwords) return std::nullopt;
  std::vector<int32_t> ids;
  append_subwords(word, *subwords, ids);
  if (ids.empty()) return std::nullopt;
  std::vector<const float*> rows;
  for (const int32_t id : ids) rows.push_back(buckets.row(id));
  std::vector<float> mean(static_cast<size_t>(row_stride(dim())));
  sum_rows(rows, dim(), 1.0F / static_cast<float>(rows.size()), mean.data());
  mean.resize(static_cast<size_t>(dim()));
  return mean;
}

}  // namespace sesame
