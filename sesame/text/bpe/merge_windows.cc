#include "sesame/text/bpe/merge_windows.h"

#include <algorithm>
#include <array>
#include <utility>

#include "sesame/text/bpe/few_tokens.h"

namespace sesame {
namespace {

// Short windows that begin at fixed places.
constexpr size_t stride = 36;
constexpr size_t together = 16;
// The shortest of those that follow one another; each longer one is tried where two have no token in common.
constexpr size_t least_window = 384;
constexpr size_t growth = 8;

/// The places of the first token that two sequences share, in `a` from `from` on; where there is none, their ends.
std::pair<size_t, size_t> shared_token(std::span<const PieceToken> a, size_t from, std::span<const PieceToken> b) {
  size_t left = from;
  size_t right = 0;
  while (left < a.size() && right < b.size()) {
    const PieceToken& x = a[left];
    const PieceToken& y = b[right];
    if (x.begin == y.begin && x.end == y.end && x.id == y.id) return {left, right};
    if (x.begin <= y.begin) ++left;
    if (y.begin <= x.begin) ++right;
  }
  return {a.size(), b.size()};
}

/// Windows' tokens, brought together.
class Joined {
 public:
  Joined(MergeBuffers& buffers, std::vector<PieceToken>& merged) : here(buffers.here), merged_(merged) {
    merged.clear();
    here.clear();
  }

  /// Goes over to a later window, whose tokens are swapped for those of the last one.
  bool go_over(std::vector<PieceToken>& next) {
    const auto [left, right] = shared_token(here, done > 0 ? done - 1 : 0, next);
    if (left == here.size()) return false;
    take_until(left + 1);
    done = right + 1;
    here.swap(next);
    return true;
  }

  void take_until(size_t end) {
    if (end <= done) return;
    merged_.insert(merged_.end(), here.begin() + static_cast<ptrdiff_t>(done),
                   here.begin() + static_cast<ptrdiff_t>(end));
    done = end;
  }
  void take(const PieceToken& token) { merged_.push_back(token); }

  std::vector<PieceToken>& here;  // tokens of the last window
  size_t done = 0;                // so many of them were taken

 private:
  std::vector<PieceToken>& merged_;
};

class Windows {
 public:
  Windows(const MergeTable& table, std::span<const PieceToken> tokens, MergeBuffers& buffers,
          std::vector<PieceToken>& merged)
      : table_(table), tokens_(tokens), buffers_(buffers), joined_(buffers, merged) {}

  bool merge_at_fixed_places() {
    std::array<FewTokens, together> few;
    find_rules(table_, tokens_, buffers_.all_rules);
    // The last window is the first that reaches the end.
    const size_t count = (tokens_.size() - FewTokens::most + stride - 1) / stride + 1;
    for (size_t first = 0; first < count; first += together) {
      const size_t n = std::min(together, count - first);
      for (size_t k = 0; k < n; ++k) {
        const size_t begin = stride * (first + k);
        few[k].begin(table_, window(begin, FewTokens::most), std::span(buffers_.all_rules).subspan(begin));
      }
      merge_together(table_, {few.data(), n});
      for (size_t k = 0; k < n; ++k) {
        buffers_.next.clear();
        few[k].append_to(buffers_.next);
        if (!go_on(first + k)) return false;
      }
    }
    joined_.take_until(joined_.here.size());
    return true;
  }

  bool merge_one_after_another(size_t length) {
    merge_at_once(table_, window(0, length), buffers_, joined_.here);
    for (size_t end = length; end < tokens_.size();) {
      // What lies behind the end hardly matters for the token in the middle.
      const size_t from = token_at(end - length / 2);
      if (from == 0 || from < joined_.done) return false;
      size_t begin = place_of(joined_.here[from]);
      begin = std::max(begin, go_along_a_run(from, length));
      end = begin + length;
      merge_at_once(table_, window(begin, length), buffers_, buffers_.next);
      if (!joined_.go_over(buffers_.next)) return false;
    }
    joined_.take_until(joined_.here.size());
    return true;
  }

 private:
  [[nodiscard]] std::span<const PieceToken> window(size_t begin, size_t length) const {
    return tokens_.subspan(begin, std::min(length, tokens_.size() - begin));
  }

  /// Tokens keep their places in the text, by which those that they were made of can be found.
  [[nodiscard]] size_t place_of(const PieceToken& token) const {
    const auto at = std::lower_bound(tokens_.begin(), tokens_.end(), token.begin,
                                     [](const PieceToken& t, uint32_t begin) { return t.begin < begin; });
    return static_cast<size_t>(at - tokens_.begin());
  }

  /// The last token of the window that begins at a place or before it.
  [[nodiscard]] size_t token_at(size_t place) const {
    const auto& here = joined_.here;
    const auto behind = std::upper_bound(here.begin(), here.end(), tokens_[place].begin,
                                         [](uint32_t begin, const PieceToken& t) { return begin < t.begin; });
    return static_cast<size_t>(behind - here.begin()) - 1;
  }

  bool go_on(size_t number) {
    if (number == 0) {
      joined_.here.swap(buffers_.next);
      return true;
    }
    if (joined_.go_over(buffers_.next)) return true;
    merge_at_once(table_, window(stride * (number - 1), FewTokens::most + stride), buffers_, buffers_.bridge);
    return joined_.go_over(buffers_.bridge) && joined_.go_over(buffers_.next);
  }

  /// Where the token `from` of the window is the same as the one before it, and what they are made of goes on like
  /// that, so do they: takes them until a window before the end of that, and returns where the next one begins, or 0.
  size_t go_along_a_run(size_t from, size_t length) {
    const PieceToken token = joined_.here[from];
    if (joined_.here[from - 1].id != token.id) return 0;
    const size_t place = place_of(token);
    const size_t size = place - place_of(joined_.here[from - 1]);
    if (place + size > tokens_.size() || tokens_[place + size - 1].end != token.end) return 0;
    size_t end = place;
    while (end < tokens_.size() && tokens_[end].id == tokens_[end - size].id) ++end;
    if (end < place + 2 * length) return 0;
    const auto repeated = [&](size_t at) {
      return PieceToken{token.id, tokens_[at].begin, tokens_[at + size - 1].end};
    };
    joined_.take_until(from);
    size_t at = place;
    for (; at + length < end; at += size) joined_.take(repeated(at));
    joined_.here.clear();
    joined_.done = 0;
    for (size_t k = at; k + size <= end; k += size) joined_.here.push_back(repeated(k));
    return at;
  }

  const MergeTable& table_;
  std::span<const PieceToken> tokens_;
  MergeBuffers& buffers_;
  Joined joined_;
};

}  // namespace

bool merge_by_windows(const MergeTable& table, std::span<const PieceToken> tokens, MergeBuffers& buffers,
                      std::vector<PieceToken>& merged) {
  if (tokens.size() <= FewTokens::most) return false;
  if (Windows(table, tokens, buffers, merged).merge_at_fixed_places()) return true;
  for (size_t length = least_window; length <= tokens.size() / 2; length *= growth) {
    if (Windows(table, tokens, buffers, merged).merge_one_after_another(length)) return true;
  }
  return false;
}

}  // namespace sesame
