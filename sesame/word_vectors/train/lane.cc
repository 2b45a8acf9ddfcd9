#include "sesame/word_vectors/train/lane.h"

#include <limits>
#include <utility>

namespace sesame {

Lane::Lane(const VectorOptions& options, const BlockSamplers& samplers, const SubwordIndex* subwords, int64_t words,
           RowView input, RowView output)
    : options_(options),
      input_(std::move(input)),
      output_(std::move(output)),
      builder_(options, samplers),
      workspace_(options.dim) {
  if (subwords != nullptr) subwords_.emplace(options, *subwords, words, input_);
}

void Lane::begin(const IdChunk& chunk, int64_t epoch) {
  builder_.begin(chunk, epoch);
  chunk_words_ = chunk.words;
  done_ = listed_ = 0;
  if (epoch_ != epoch) blocks_ = 0;  // so that every epoch has a loss
  epoch_ = epoch;
  planned_ = builder_.next(prepared_[next_].plan);
  looked_up_ = false;
}

uint64_t Lane::words_done() const noexcept {
  if (done_ == builder_.kept()) return chunk_words_;
  const double share = static_cast<double>(done_) / static_cast<double>(builder_.kept());
  return static_cast<uint64_t>(static_cast<double>(chunk_words_) * share);
}

bool Lane::train(int64_t centres, float rate) {
  if (planned_ && !looked_up_) look_up(prepared_[next_]);
  for (int64_t trained = 0; planned_ && trained < centres;) {
    Prepared& current = prepared_[next_];
    next_ = 1 - next_;
    planned_ = builder_.next(prepared_[next_].plan);
    if (planned_) look_up(prepared_[next_]);
    if (subwords_) subwords_->compose(current.plan, current.inputs, current.input_counts);
    step(current, planned_ ? &prepared_[next_] : nullptr, rate);
    if (subwords_) {
      subwords_->give_back(current.plan, planned_ ? prepared_[next_].plan.first : std::numeric_limits<int64_t>::max());
    }
    const auto stepped = static_cast<int64_t>(current.plan.centres.size());
    trained += stepped;
    done_ += stepped;
  }
  if (!planned_) settle();
  return planned_;
}

void Lane::settle() {
  if (subwords_) subwords_->give_back_all();
  listed_ = 0;
  looked_up_ = false;
}

/// Finds the block's rows, and lists those that the last block has not had: the step before brings them into the cache.
void Lane::look_up(Prepared& prepared) {
  BlockPlan& plan = prepared.plan;
  prepared.fresh.clear();
  const auto output_row = [&](int32_t id) {
    float* const row = output_.row(id);
    prepared.fresh.push_back(row);
    return row;
  };
  for (size_t i = 0; i < plan.targets.size(); ++i) plan.targets[i].row = output_row(plan.target_rows[i]);
  prepared.negatives.clear();
  for (const int32_t id : plan.negatives) prepared.negatives.push_back(output_row(id));
  if (subwords_) {
    subwords_->list_fresh(plan, prepared.fresh);
  } else {
    prepared.inputs.clear();
    for (size_t i = 0; i < plan.inputs.size(); ++i) {
      float* const row = input_.row(plan.inputs[i]);
      if (plan.first + static_cast<int64_t>(i) >= listed_) prepared.fresh.push_back(row);
      prepared.inputs.push_back(row);
    }
    listed_ = plan.last();
  }
  looked_up_ = true;
}

Block Lane::block_of(const Prepared& prepared, const Prepared* following) const {
  const bool sums = subwords_ && options_.architecture == Architecture::cbow;
  Block block;
  block.inputs = prepared.inputs;
  block.centres = prepared.plan.centres;
  block.targets = prepared.plan.targets;
  block.negatives = prepared.negatives;
  block.weights = prepared.plan.weights.data();
  if (sums) block.input_counts = prepared.input_counts.data();
  if (following != nullptr) block.upcoming = following->fresh;
  return block;
}

void Lane::step(const Prepared& prepared, const Prepared* following, float rate) {
  const Block block = block_of(prepared, following);
  if (blocks_++ % kSampling == 0) sample(block);
  centres_ += static_cast<double>(block.centres.size());
  if (options_.architecture == Architecture::skipgram) {
    step_skipgram(block, options_.dim, rate, workspace_);
  } else {
    step_cbow(block, options_.dim, rate, options_.cbow_gradient, workspace_);
  }
}

void Lane::sample(const Block& block) {
  const BlockLoss loss = options_.architecture == Architecture::skipgram
                             ? loss_of_skipgram(block, options_.dim, workspace_)
                             : loss_of_cbow(block, options_.dim, workspace_);
  sums_.loss += loss.loss;
  sums_.weight += loss.weight;
  sampled_flops_ += step_flops(block, options_.dim, options_.architecture);
  sampled_centres_ += static_cast<double>(block.centres.size());
}

BlockSums Lane::take_sums() {
  sums_.flops = sampled_centres_ > 0 ? sampled_flops_ / sampled_centres_ * centres_ : 0;
  centres_ = 0;
  return std::exchange(sums_, BlockSums{});
}

}  // namespace sesame
