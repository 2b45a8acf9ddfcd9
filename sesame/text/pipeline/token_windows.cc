#include "sesame/text/pipeline/token_windows.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sesame/base/error.h"

namespace sesame {
namespace {

/// Calls `f` with every vector of an Encoding.
template <typename Tokens, typename F>
void for_each_vector(Tokens& tokens, F f) {
  f(tokens.ids);
  f(tokens.type_ids);
  f(tokens.offsets);
  f(tokens.words);
  f(tokens.sequences);
  f(tokens.special_tokens_mask);
  f(tokens.attention_mask);
}

template <typename T>
void append_to(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

/// The windows in which `size` tokens are seen, the one that is kept first.
std::vector<std::pair<size_t, size_t>> windows_of(size_t size, size_t length, size_t stride, Direction direction) {
  std::vector<std::pair<size_t, size_t>> windows;
  const size_t step = length - stride;
  if (direction == Direction::right) {
    for (size_t begin = 0; begin < size; begin += step) {
      windows.emplace_back(begin, std::min(begin + length, size));
      if (windows.back().second == size) break;
    }
    return windows;
  }
  for (size_t end = size;; end -= step) {
    windows.emplace_back(end > length ? end - length : 0, end);
    if (windows.back().first == 0 || end <= step) break;
  }
  return windows;
}

}  // namespace

void TokenWindow::add(int32_t id, int32_t type_id, TextSpan span, int32_t word, int32_t sequence, bool special,
                      Spaces space) {
  tokens.ids.push_back(id);
  tokens.type_ids.push_back(type_id);
  tokens.offsets.push_back(span);
  tokens.words.push_back(word);
  tokens.sequences.push_back(sequence);
  tokens.special_tokens_mask.push_back(special ? 1 : 0);
  tokens.attention_mask.push_back(1);
  spaces.push_back(space);
}

TokenWindow TokenWindow::slice(size_t begin, size_t end) const {
  TokenWindow part;
  part.tokens = tokens;
  part.spaces = spaces;
  const auto cut = [&](auto& values) {
    values.erase(values.begin() + static_cast<ptrdiff_t>(end), values.end());
    values.erase(values.begin(), values.begin() + static_cast<ptrdiff_t>(begin));
  };
  for_each_vector(part.tokens, cut);
  cut(part.spaces);
  return part;
}

void TokenWindow::truncate(uint64_t length, uint64_t stride, Direction direction) {
  if (length >= size()) return;
  if (length == 0) {
    TokenWindow nothing;
    nothing.overflowing.push_back(std::move(*this));
    *this = std::move(nothing);
    return;
  }
  if (stride >= length) {
    fail(fmt::format("truncation: the stride, {}, is not less than the {} tokens of the text that are kept", stride,
                     length));
  }
  const auto windows = windows_of(size(), length, stride, direction);
  TokenWindow kept = slice(windows[0].first, windows[0].second);
  for (size_t i = 1; i < windows.size(); ++i) kept.overflowing.push_back(slice(windows[i].first, windows[i].second));
  *this = std::move(kept);
}

void TokenWindow::append(const TokenWindow& other) {
  std::vector<TokenWindow> combined;
  const auto combine = [&](TokenWindow window, const TokenWindow& with) {
    window.append(with);
    combined.push_back(std::move(window));
  };
  for (const TokenWindow& own : overflowing) {
    combine(own, other);
    for (const TokenWindow& others : other.overflowing) combine(own, others);
  }
  for (const TokenWindow& others : other.overflowing) combine(*this, others);
  append_to(tokens.ids, other.tokens.ids);
  append_to(tokens.type_ids, other.tokens.type_ids);
  append_to(tokens.offsets, other.tokens.offsets);
  append_to(tokens.words, other.tokens.words);
  append_to(tokens.sequences, other.tokens.sequences);
  append_to(tokens.special_tokens_mask, other.tokens.special_tokens_mask);
  append_to(tokens.attention_mask, other.tokens.attention_mask);
  append_to(spaces, other.spaces);
  overflowing = std::move(combined);
}

void TokenWindow::pad(uint64_t length, const Padding& padding, int32_t sequence) {
  for (TokenWindow& window : overflowing) window.pad(length, padding, sequence);
  if (size() >= length) return;
  const size_t count = length - size();
  const auto extend = [&](auto& values, auto value) {
    values.insert(padding.direction == Direction::left ? values.begin() : values.end(), count, value);
  };
  extend(tokens.ids, padding.pad_id);
  extend(tokens.type_ids, padding.pad_type_id);
  extend(tokens.offsets, TextSpan{});
  extend(tokens.words, -1);
  extend(tokens.sequences, sequence);
  extend(tokens.special_tokens_mask, uint8_t{1});
  extend(tokens.attention_mask, uint8_t{0});
  extend(spaces, Spaces{});
}

Encoding TokenWindow::take() {
  Encoding out = std::move(tokens);
  for (TokenWindow& window : overflowing) out.overflowing.push_back(window.take());
  return out;
}

void truncate_pair(TokenWindow& first, TokenWindow* second, const Truncation& truncation, uint64_t length) {
  const auto cut = [&](TokenWindow& window, uint64_t to) {
    window.truncate(to, truncation.stride, truncation.direction);
  };
  if (length == 0) {
    cut(first, 0);
    if (second != nullptr) cut(*second, 0);
    return;
  }
  const uint64_t total = first.size() + (second != nullptr ? second->size() : 0);
  if (total <= length) return;
  if (truncation.strategy != Truncation::Strategy::longest_first) {
    TokenWindow* const target = truncation.strategy == Truncation::Strategy::only_first ? &first : second;
    if (target == nullptr) fail("truncation cuts the second text only, and there is none");
    const uint64_t remove = total - length;
    if (target->size() <= remove) {
      fail(fmt::format("truncation to {} tokens cuts one text only, and that has no more than the {} to remove", length,
                       remove));
    }
    return cut(*target, target->size() - remove);
  }
  if (second == nullptr) return cut(first, length);
  const uint64_t shorter = std::min(first.size(), second->size());
  uint64_t low = shorter;
  uint64_t high = low > length ? low : std::max(low, length - low);
  if (low + high > length) {
    low = length / 2;
    high = low + length % 2;
  }
  const bool first_is_longer = first.size() > second->size();
  cut(first, first_is_longer ? high : low);
  cut(*second, first_is_longer ? low : high);
}

}  // namespace sesame
