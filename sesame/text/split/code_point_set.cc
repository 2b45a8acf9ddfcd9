#include "sesame/text/split/code_point_set.h"

#include <algorithm>
#include <map>
#include <span>

#include "sesame/text/unicode/unicode_runs.h"

namespace sesame {
namespace {

uint32_t folded(uint32_t code) {
  const auto foldings = simple_foldings;
  const auto found =
      std::lower_bound(foldings.begin(), foldings.end(), code,
                       [](const SimpleFolding& folding, uint32_t wanted) { return folding.from < wanted; });
  return found != foldings.end() && found->from == code ? found->to : code;
}

}  // namespace

CodePointSet CodePointSet::range(uint32_t first, uint32_t last) {
  CodePointSet set;
  if (first <= last) set.ranges_.push_back({first, last});
  return set;
}

CodePointSet CodePointSet::of_categories(uint32_t categories) {
  const auto runs = general_category_runs;
  CodePointSet set;
  for (size_t i = 0; i < runs.size(); ++i) {
    if ((categories >> (runs[i] & 0xFF) & 1) == 0) continue;
    const uint32_t stop = i + 1 < runs.size() ? runs[i + 1] >> 8 : not_utf8;
    if (!set.ranges_.empty() && set.ranges_.back().last + 1 == runs[i] >> 8) {
      set.ranges_.back().last = stop - 1;
    } else {
      set.ranges_.push_back({runs[i] >> 8, stop - 1});
    }
  }
  return set;
}

CodePointSet CodePointSet::of_runs(const uint32_t* runs, size_t count, uint8_t value) {
  CodePointSet set;
  for (size_t i = 0; i < count; ++i) {
    const uint32_t stop = i + 1 < count ? runs[i + 1] >> 8 : not_utf8;
    if ((runs[i] & 0xFF) == value) set.ranges_.push_back({runs[i] >> 8, stop - 1});
  }
  return set;
}

bool CodePointSet::contains(uint32_t code) const noexcept {
  const auto after = std::upper_bound(ranges_.begin(), ranges_.end(), code,
                                      [](uint32_t wanted, const Range& r) { return wanted < r.first; });
  return after != ranges_.begin() && code <= std::prev(after)->last;
}

void CodePointSet::add(const CodePointSet& other) {
  std::vector<Range> all = ranges_;
  all.insert(all.end(), other.ranges_.begin(), other.ranges_.end());
  std::sort(all.begin(), all.end(), [](const Range& a, const Range& b) { return a.first < b.first; });
  ranges_.clear();
  for (const Range& r : all) {
    if (!ranges_.empty() && r.first <= ranges_.back().last + 1) {
      ranges_.back().last = std::max(ranges_.back().last, r.last);
    } else {
      ranges_.push_back(r);
    }
  }
}

CodePointSet CodePointSet::complement() const {
  CodePointSet result;
  uint32_t next = 0;
  for (const Range& r : ranges_) {
    if (r.first > next) result.ranges_.push_back({next, r.first - 1});
    next = r.last + 1;
  }
  if (next <= not_utf8) result.ranges_.push_back({next, not_utf8});
  return result;
}

CodePointSet CodePointSet::intersection(const CodePointSet& other) const {
  CodePointSet outside = complement();
  outside.add(other.complement());
  return outside.complement();
}

CodePointSet CodePointSet::closed_under_case() const {
  static const std::multimap<uint32_t, uint32_t> sources = [] {
    std::multimap<uint32_t, uint32_t> by_target;
    for (const SimpleFolding& folding : simple_foldings) by_target.emplace(folding.to, folding.from);
    return by_target;
  }();
  CodePointSet result = *this;
  const auto add_class_of = [&](uint32_t code) {
    const uint32_t target = folded(code);
    result.add(of(target));
    const auto [begin, end] = sources.equal_range(target);
    for (auto i = begin; i != end; ++i) result.add(of(i->second));
  };
  // Only code points of the table, and what they fold to, have relatives.
  for (const SimpleFolding& folding : simple_foldings) {
    if (contains(folding.from)) add_class_of(folding.from);
    if (contains(folding.to)) add_class_of(folding.to);
  }
  return result;
}

}  // namespace sesame
