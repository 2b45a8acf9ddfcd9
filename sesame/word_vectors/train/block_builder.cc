#include "sesame/word_vectors/train/block_builder.h"

#include <algorithm>
#include <cmath>

namespace sesame {
namespace {

AliasTable noise_of(const VectorOptions& options, const Vocabulary& vocabulary) {
  std::vector<uint64_t> counts = vocabulary.counts();
  const int32_t end_of_sentence = vocabulary.find("</s>");
  if (end_of_sentence >= 0) counts[static_cast<size_t>(end_of_sentence)] = 0;
  return {counts, options.noise_exponent};
}

/// Looks at all of them: without a way out, the loop is a few vector instructions.
bool is_among(const std::vector<int32_t>& words, int32_t word) {
  int32_t found = 0;
  for (const int32_t other : words) found |= other == word ? 1 : 0;
  return found != 0;
}

}  // namespace

BlockSamplers::BlockSamplers(const VectorOptions& options, const Vocabulary& vocabulary)
    : subsampling(vocabulary.counts(), options.sample, options.subsampling) {
  if (options.loss == VectorLoss::negative_sampling) {
    noise = noise_of(options, vocabulary);
  } else {
    paths = HuffmanTree(vocabulary.counts());
  }
}

BlockBuilder::BlockBuilder(const VectorOptions& options, const BlockSamplers& samplers)
    : options_(options), samplers_(&samplers), noise_(samplers.noise) {
  if (options.loss == VectorLoss::hierarchical_softmax) options_.shared_negatives = 0;
}

void BlockBuilder::begin(const IdChunk& chunk, int64_t epoch) {
  random_ = ChunkRandom(options_.seed, epoch, chunk.index);
  words_.resize(chunk.ids.size());
  sentence_ends_.clear();
  size_t kept = 0, sentence = 0;
  const auto end_sentence = [&] {
    if (kept - sentence < 2) kept = sentence;
    if (kept > sentence) sentence_ends_.push_back(static_cast<int32_t>(kept));
    sentence = kept;
  };
  noise_.begin(random_);
  const bool all = options_.sample == 0;
  for (const int32_t id : chunk.ids) {
    if (id == IdChunk::kSentenceEnd) {
      end_sentence();
      continue;
    }
    words_[kept] = id;
    kept += all || samplers_->subsampling.keeps(id, random_.next32()) ? 1 : 0;
  }
  end_sentence();
  words_.resize(kept);
  next_centre_ = sentence_begin_ = 0;
  sentence_ = 0;
}

bool BlockBuilder::next(BlockPlan& plan) {
  if (next_centre_ == kept()) return false;
  lay_windows(plan);
  add_targets(plan);
  if (options_.shared_negatives > 0) {
    draw_shared_negatives(plan);
    options_.architecture == Architecture::skipgram ? weigh_skipgram(plan) : weigh_cbow(plan);
  }
  return true;
}

void BlockBuilder::lay_windows(BlockPlan& plan) {
  plan.centres.clear();
  const auto widest = static_cast<int32_t>(options_.window);
  const auto stop = static_cast<int32_t>(std::min(kept(), next_centre_ + options_.block));
  int32_t first = next_centre_, last = 0;
  for (; next_centre_ < stop; ++next_centre_) {
    if (next_centre_ == sentence_ends_[sentence_]) sentence_begin_ = sentence_ends_[sentence_++];
    const int32_t width = options_.fixed_window ? widest : draw_window(random_, widest);
    const ContextWindow window{.first = std::max(next_centre_ - width, sentence_begin_),
                               .last = std::min(next_centre_ + width + 1, sentence_ends_[sentence_]),
                               .self = next_centre_};
    first = std::min(first, window.first);
    last = std::max(last, window.last);
    plan.centres.push_back(window);
  }
  plan.first = first;
  plan.inputs = std::span(words_).subspan(static_cast<size_t>(first), static_cast<size_t>(last - first));
  plan.ahead = std::span(words_).subspan(static_cast<size_t>(last));
  plan.ahead = plan.ahead.first(std::min(plan.ahead.size(), static_cast<size_t>(options_.block)));
  for (ContextWindow& window : plan.centres) {
    window.first -= first;
    window.last -= first;
    window.self -= first;
  }
}

void BlockBuilder::add_targets(BlockPlan& plan) {
  plan.targets.clear();
  plan.target_rows.clear();
  const auto add = [&](int32_t row, size_t centre, float label) {
    plan.targets.push_back({.row = nullptr, .centre = static_cast<int32_t>(centre), .label = label});
    plan.target_rows.push_back(row);
  };
  const bool tree = options_.loss == VectorLoss::hierarchical_softmax;
  const int64_t own_negatives = tree || options_.shared_negatives > 0 ? 0 : options_.negative;
  for (size_t centre = 0; centre < plan.centres.size(); ++centre) {
    const int32_t word = word_of(plan, plan.centres[centre]);
    if (tree) {
      for (const HuffmanStep step : samplers_->paths.path(word)) {
        add(step.node(), centre, static_cast<float>(1 - step.code()));
      }
      continue;
    }
    add(word, centre, 1);
    for (int64_t i = 0; i < own_negatives; ++i) {
      const int32_t drawn = noise_.draw(random_);
      if (drawn != word) add(drawn, centre, 0);
    }
  }
}

void BlockBuilder::draw_shared_negatives(BlockPlan& plan) {
  plan.negatives.resize(static_cast<size_t>(options_.shared_negatives));
  for (int32_t& negative : plan.negatives) negative = noise_.draw(random_);
}

void BlockBuilder::weigh_skipgram(BlockPlan& plan) {
  const size_t inputs = plan.inputs.size(), negatives = plan.negatives.size();
  const float share = static_cast<float>(options_.negative) / static_cast<float>(negatives);
  uses_.assign(inputs + 1, 0);
  for (const ContextWindow& centre : plan.centres) {
    ++uses_[static_cast<size_t>(centre.first)];
    --uses_[static_cast<size_t>(centre.last)];
  }
  for (size_t i = 1; i < inputs; ++i) uses_[i] += uses_[i - 1];
  for (const ContextWindow& centre : plan.centres) --uses_[static_cast<size_t>(centre.self)];

  plan.weights.resize(inputs * negatives);
  for (size_t i = 0; i < inputs; ++i) {
    std::fill_n(plan.weights.data() + i * negatives, negatives, share * static_cast<float>(uses_[i]));
  }
  for (const ContextWindow& centre : plan.centres) {
    const int32_t word = word_of(plan, centre);
    if (!is_among(plan.negatives, word)) continue;
    for (size_t n = 0; n < negatives; ++n) {
      if (plan.negatives[n] != word) continue;
      for (int32_t i = centre.first; i < centre.last; ++i) {
        if (i == centre.self) continue;
        float& weight = plan.weights[static_cast<size_t>(i) * negatives + n];
        weight = share * (std::nearbyint(weight / share) - 1);  // exactly 0 when nothing is left
      }
    }
  }
}

void BlockBuilder::weigh_cbow(BlockPlan& plan) {
  const size_t negatives = plan.negatives.size();
  const float share = static_cast<float>(options_.negative) / static_cast<float>(negatives);
  plan.weights.resize(plan.centres.size() * negatives);
  for (size_t c = 0; c < plan.centres.size(); ++c) {
    const int32_t word = word_of(plan, plan.centres[c]);
    for (size_t n = 0; n < negatives; ++n) plan.weights[c * negatives + n] = plan.negatives[n] == word ? 0 : share;
  }
}

}  // namespace sesame
