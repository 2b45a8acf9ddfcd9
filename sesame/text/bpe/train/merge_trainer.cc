#include "sesame/text/bpe/train/merge_trainer.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "sesame/text/bpe/train/count_pairs.h"

namespace sesame {
namespace {

constexpr size_t merges_between_reports = 256;
constexpr size_t positions_for_threads = 1 << 14;  // fewer are not worth waking them

}  // namespace

MergeTrainer::MergeTrainer(SymbolText& text, TokenList& tokens, const MergeRules& rules, ThreadPool& threads)
    : text_(text),
      tokens_(tokens),
      rules_(rules),
      threads_(threads),
      order_(rules.tie, tokens),
      least_tracked_(rules.min_frequency),
      queue_(order_, rules.min_frequency) {
  const auto ids = static_cast<size_t>(std::max(rules.vocabulary_size, tokens.size()));
  for (int part = 0; part < threads.threads(); ++part) passes_.emplace_back(ids);
  if (rules.min_frequency > 0) {
    const auto merges = static_cast<uint64_t>(std::max(rules.vocabulary_size - tokens.size(), 1));
    least_tracked_ = std::max(rules.min_frequency, static_cast<int64_t>(text.occurrences() / merges / 200));
  }
  queue_.set_least(least_tracked_);
  track_pairs(least_tracked_, [&](uint64_t pair) { return !rules.allowed || rules.allowed(merged_text(pair)); });
}

std::vector<model::Merge> MergeTrainer::run() {
  std::vector<model::Merge> merges;
  int64_t count = 0;
  while (tokens_.size() < rules_.vocabulary_size) {
    const std::optional<QueuedPair> top = queue_.pop(pairs_, [&](PairEntry& entry) { return where(entry); });
    if (!top || top->count < least_tracked_) {
      if (least_tracked_ <= rules_.min_frequency) break;
      if (top) queue_.push(*top);
      track_rarer_pairs();
      continue;
    }
    PairEntry& entry = *pairs_.find(top->pair);
    if (!is_current(*top, entry)) continue;
    std::string text = merged_text(top->pair);
    const bool known = tokens_.find(text) >= 0;
    if (known && rules_.equal_token == EqualToken::refused) {
      entry.done = true;
      continue;
    }
    const int32_t left = pair_left(top->pair);
    const int32_t right = pair_right(top->pair);
    const uint32_t symbols = tokens_.symbols(left) + tokens_.symbols(right);
    const int32_t merged = rules_.equal_token == EqualToken::another ? tokens_.add_anew(std::move(text), symbols)
                                                                     : tokens_.add(std::move(text), symbols);
    if (known && rules_.equal_token == EqualToken::one) track_pairs_of(merged);
    merges.push_back({left, right});
    merge(*top, merged);
    count = top->count;
    if (rules_.progress && merges.size() % merges_between_reports == 0) rules_.progress(count, memory_bytes());
  }
  if (rules_.progress) rules_.progress(count, memory_bytes());
  return merges;
}

void MergeTrainer::track_pairs(int64_t least, FunctionRef<bool(uint64_t pair)> accepts) {
  count_pairs(text_, static_cast<uint32_t>(tokens_.size()), {least, rules_.disjoint_runs, accepts}, threads_, pairs_,
              positions_);
}

void MergeTrainer::track_rarer_pairs() {
  least_tracked_ = std::max(rules_.min_frequency, least_tracked_ / 16);
  queue_.set_least(least_tracked_);
  track_pairs(least_tracked_, [&](uint64_t pair) {
    const bool first_symbols = tokens_.symbols(pair_left(pair)) == 1 && tokens_.symbols(pair_right(pair)) == 1;
    return first_symbols ? !rules_.allowed || rules_.allowed(merged_text(pair)) : allowed(pair);
  });
}

/// Counts do rise for pairs of a token that comes about in a second way: all of them must be known before.
void MergeTrainer::track_pairs_of(int32_t token) {
  if (least_tracked_ <= 1) return;
  const auto of_token = [&](uint64_t pair) { return pair_left(pair) == token || pair_right(pair) == token; };
  track_pairs(1, [&](uint64_t pair) { return of_token(pair) && allowed(pair); });
}

std::string MergeTrainer::merged_text(uint64_t pair) const {
  const std::string& right = tokens_.text(pair_right(pair));
  const bool joined = !rules_.joint.empty() && right.starts_with(rules_.joint);
  return tokens_.text(pair_left(pair)) + (joined ? right.substr(rules_.joint.size()) : right);
}

bool MergeTrainer::allowed(uint64_t pair) const {
  if (uint64_t{tokens_.symbols(pair_left(pair))} + tokens_.symbols(pair_right(pair)) > rules_.max_symbols) return false;
  return !rules_.allowed || rules_.allowed(merged_text(pair));
}

/// Where a pair stands first, for the rule that asks; places at the front where it does not stand any more go.
uint32_t MergeTrainer::where(PairEntry& entry) {
  if (rules_.tie != BpeTie::first_position) return 0;
  const int32_t left = pair_left(entry.pair());
  const int32_t right = pair_right(entry.pair());
  while (entry.size > 0 && !stands_at(text_, *entry.positions, left, right)) {
    ++entry.positions;
    --entry.size;
  }
  return entry.size > 0 ? *entry.positions : UINT32_MAX;
}

/// Whether what was queued is still so; else the pair is queued as it is now, or not at all.
bool MergeTrainer::is_current(const QueuedPair& top, PairEntry& entry) {
  const bool additional = rules_.tie != BpeTie::first_position && top.where != 0;
  if (additional ? additional_[top.where - 1].done : entry.done) return false;
  const uint32_t now = additional ? top.where : where(entry);
  if (entry.count == top.count && now == top.where) return true;
  queue_.push({entry.count, top.pair, now});
  return false;
}

std::span<const uint32_t> MergeTrainer::take_positions(const QueuedPair& top, PairEntry& entry) {
  const bool additional = rules_.tie != BpeTie::first_position && top.where != 0;
  const auto of_pair = [&](const Additional& list) { return list.pair == top.pair && !list.done; };
  const bool others = std::any_of(additional_.begin(), additional_.end(), of_pair);
  std::span<const uint32_t> positions;
  if (additional) {
    additional_[top.where - 1].done = true;
    joined_ = std::move(additional_[top.where - 1].positions);
    positions = joined_;
  } else {
    positions = entry.places();
    entry.positions = nullptr;
    entry.size = 0;
    entry.done = true;
  }
  if (!others) return positions;
  if (!additional) joined_.assign(positions.begin(), positions.end());
  join_other_lists(top, entry, joined_);
  return joined_;
}

/// Hugging Face's lists hold words, and a word is merged throughout: what other lists of the pair hold of these words
/// is merged now. Those lists stay, and their merge will be recorded, however little they still hold.
void MergeTrainer::join_other_lists(const QueuedPair& top, PairEntry& entry, std::vector<uint32_t>& positions) {
  std::unordered_set<uint32_t> words;
  for_each_with_word(text_, positions, [&](uint32_t, uint32_t word) { words.insert(word); });
  const auto take = [&](std::span<uint32_t> list) {
    size_t stay = 0;
    const std::vector<uint32_t> all(list.begin(), list.end());
    for_each_with_word(text_, all, [&](uint32_t p, uint32_t word) {
      if (words.contains(word)) {
        positions.push_back(p);
      } else {
        list[stay++] = p;
      }
    });
    return stay;
  };
  if (!entry.done) entry.size = static_cast<uint32_t>(take(entry.places()));
  for (Additional& list : additional_) {
    if (list.pair == top.pair && !list.done) list.positions.resize(take(list.positions));
  }
  std::sort(positions.begin(), positions.end());
}

void MergeTrainer::merge(const QueuedPair& top, int32_t merged) {
  const uint64_t pair = top.pair;
  rewrite(take_positions(top, *pairs_.find(pair)), pair, merged);
  size_t neighbours = 0;
  for (const MergePass& pass : passes_) neighbours += pass.before.ids.size() + pass.behind.ids.size();
  pairs_.reserve(neighbours);
  raised_.clear();
  new_additional_.clear();
  mixed_.clear();
  const auto deliver = [&](auto of_pass) {
    if (parts_ == 1) {
      of_pass(passes_[0]);
    } else {
      threads_.run(static_cast<int64_t>(parts_),
                   [&](int64_t part, int) { of_pass(passes_[static_cast<size_t>(part)]); });
    }
    for (const Mixed& list : mixed_) std::inplace_merge(list.begin, list.begin + list.old, list.begin + list.size);
    mixed_.clear();
  };
  raise(&MergePass::before, merged);
  // Both sides may raise (merged, merged) where the token was there before: the list of one is whole before the
  // other's.
  if (merged + 1 != tokens_.size()) deliver([](MergePass& pass) { pass.before.deliver(); });
  raise(&MergePass::behind, merged);
  deliver([](MergePass& pass) {
    pass.before.deliver();
    pass.behind.deliver();
  });
  lower(&MergePass::before, pair);
  lower(&MergePass::behind, pair);
  for (size_t part = 0; part < parts_; ++part) passes_[part].clear();
  if (!rules_.counts_outlive_merges) {
    PairEntry& entry = *pairs_.find(pair);
    if (entry.done) entry.count = 0;
  }
  push_raised();
}

void MergeTrainer::rewrite(std::span<const uint32_t> positions, uint64_t pair, int32_t merged) {
  const int32_t left = pair_left(pair);
  const int32_t right = pair_right(pair);
  parts_ = positions.size() < positions_for_threads ? 1 : passes_.size();
  if (parts_ == 1) {
    passes_[0].run(text_, positions, left, right, merged, rules_.disjoint_runs);
    return;
  }
  // A word goes to one part.
  std::vector<size_t> begins{0};
  for (size_t part = 1; part < parts_; ++part) {
    size_t i = std::max(begins.back() + 1, positions.size() * part / parts_);
    while (i < positions.size() && in_one_word(text_, positions[i - 1], positions[i])) ++i;
    begins.push_back(std::min(i, positions.size()));
  }
  begins.push_back(positions.size());
  threads_.run(static_cast<int64_t>(parts_), [&](int64_t block, int) {
    const auto part = static_cast<size_t>(block);
    const auto own = positions.subspan(begins[part], begins[part + 1] - begins[part]);
    passes_[part].run(text_, own, left, right, merged, rules_.disjoint_runs);
  });
}

/// Counts the new pairs on one side, and gives them lists for their positions.
void MergeTrainer::raise(MergePass::Side MergePass::*side, int32_t merged) {
  const bool is_before = side == &MergePass::before;
  for (size_t part = 0; part < parts_; ++part) {
    for (const int32_t id : (passes_[part].*side).ids) {
      int64_t weight = 0;
      uint32_t places = 0;
      bool seen = false;
      for (size_t p = 0; p < parts_; ++p) {
        const MergePass::Neighbour& neighbour = (passes_[p].*side).by_id[static_cast<size_t>(id)];
        seen = seen || (p < part && neighbour.places > 0);
        weight += neighbour.weight;
        places += neighbour.places;
        if (is_before && id == merged) weight -= passes_[p].correction.merged_kept;
      }
      const uint64_t pair = is_before ? pair_key(id, merged) : pair_key(merged, id);
      if (seen || (weight < least_tracked_ && pairs_.find(pair) == nullptr) || !allowed(pair)) continue;
      PairEntry& entry = pairs_.get_or_add(pair);
      entry.count += weight;
      add_positions(entry, places, side, id);
    }
  }
}

void MergeTrainer::add_positions(PairEntry& entry, uint32_t places, MergePass::Side MergePass::*side, int32_t id) {
  const bool waits = entry.positions != nullptr && !entry.done;
  uint32_t* list = nullptr;
  if (waits && rules_.counts_outlive_merges) {
    additional_.push_back({entry.pair(), std::vector<uint32_t>(places)});
    new_additional_.push_back(additional_.size());
    list = additional_.back().positions.data();
  } else {
    const uint32_t old = waits ? entry.size : 0;
    uint32_t* const begin = positions_.allocate(old + places);
    list = std::copy_n(entry.positions, old, begin);
    if (old > 0) mixed_.push_back({begin, old, old + places});
    entry.positions = begin;
    entry.size = old + places;
    entry.done = false;
    raised_.push_back(entry.pair());
  }
  for (size_t part = 0; part < parts_; ++part) {
    MergePass::Neighbour& neighbour = (passes_[part].*side).by_id[static_cast<size_t>(id)];
    if (neighbour.places == 0) continue;
    neighbour.positions = list;
    list += neighbour.places;
  }
}

/// Takes off the pairs on one side that the merge broke up.
void MergeTrainer::lower(MergePass::Side MergePass::*side, uint64_t pair) {
  const bool is_before = side == &MergePass::before;
  const int32_t broken = is_before ? pair_left(pair) : pair_right(pair);
  for (size_t part = 0; part < parts_; ++part) {
    const MergePass& pass = passes_[part];
    for (const int32_t id : (pass.*side).ids) {
      PairEntry* const entry = pairs_.find(is_before ? pair_key(id, broken) : pair_key(broken, id));
      if (entry == nullptr) continue;
      entry->count -= (pass.*side).by_id[static_cast<size_t>(id)].weight;
      if (id == broken) entry->count += is_before ? pass.correction.left_kept : pass.correction.right_kept;
    }
  }
}

void MergeTrainer::push_raised() {
  // A pair that came about and was merged away at once is forgotten.
  const auto is_gone = [&](const PairEntry& entry) { return entry.count <= 0 && rules_.min_frequency > 0; };
  for (const uint64_t pair : raised_) {
    PairEntry& entry = *pairs_.find(pair);
    if (is_gone(entry)) {
      entry.done = true;
      entry.positions = nullptr;
    } else {
      queue_.push({entry.count, pair, where(entry)});
    }
  }
  for (const size_t number : new_additional_) {
    Additional& list = additional_[number - 1];
    const PairEntry& entry = *pairs_.find(list.pair);
    list.done = is_gone(entry);
    if (!list.done) queue_.push({entry.count, list.pair, static_cast<uint32_t>(number)});
  }
}

uint64_t MergeTrainer::memory_bytes() const {
  return text_.memory_bytes() + pairs_.memory_bytes() + positions_.memory_bytes();
}

}  // namespace sesame
