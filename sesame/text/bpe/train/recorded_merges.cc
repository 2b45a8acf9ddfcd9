#include "sesame/text/bpe/train/recorded_merges.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "sesame/text/bpe/pair_map.h"

namespace sesame {
namespace {

std::vector<model::Merge> without_repeated(const std::vector<model::Merge>& merges) {
  std::unordered_set<uint64_t> seen;
  std::vector<model::Merge> kept;
  kept.reserve(merges.size());
  for (const model::Merge& merge : merges) {
    if (seen.insert(pair_key(merge.left, merge.right)).second) kept.push_back(merge);
  }
  return kept;
}

}  // namespace

std::vector<model::Merge> recorded_merges(std::vector<model::Merge> merges, const MergeRules& rules) {
  if (!rules.counts_outlive_merges) return without_repeated(merges);
  std::reverse(merges.begin(), merges.end());
  merges = without_repeated(merges);
  std::reverse(merges.begin(), merges.end());
  return merges;
}

std::vector<model::Merge> merges_of_first_ids(std::vector<model::Merge> merges,
                                              const std::vector<std::string>& tokens) {
  std::unordered_map<std::string_view, int32_t> first;
  for (size_t id = 0; id < tokens.size(); ++id) first.try_emplace(tokens[id], static_cast<int32_t>(id));
  const auto first_of = [&](int32_t id) { return first.at(tokens[static_cast<size_t>(id)]); };
  for (model::Merge& merge : merges) merge = {first_of(merge.left), first_of(merge.right)};
  return without_repeated(merges);
}

}  // namespace sesame
