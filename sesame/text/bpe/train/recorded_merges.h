#pragma once

#include <string>
#include <vector>

#include "sesame/text/bpe/train/merge_trainer.h"
#include "sesame/text/tokenizer_spec.h"

namespace sesame {

/// Merges without those of a pair that was merged twice: Hugging Face's trainer keeps the later rank, the others the
/// earlier one.
std::vector<model::Merge> recorded_merges(std::vector<model::Merge> merges, const MergeRules& rules);

/// Merges of tokens by the first ids that tokens of these texts have, each pair once.
std::vector<model::Merge> merges_of_first_ids(std::vector<model::Merge> merges, const std::vector<std::string>& tokens);

}  // namespace sesame
