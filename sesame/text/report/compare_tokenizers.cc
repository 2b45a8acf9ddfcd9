#include "sesame/text/report/compare_tokenizers.h"

#include <algorithm>
#include <span>
#include <utility>

namespace sesame {
namespace {

constexpr size_t kMostDifferences = 1'000'000;

/// Where a tokenizer cuts a text: the ends of its tokens, each once, the text's end last.
std::vector<uint64_t> ends_of(const Encoding& encoding, size_t text_size) {
  std::vector<uint64_t> ends;
  for (const TextSpan& span : encoding.offsets) {
    if (span.end > span.begin && (ends.empty() || span.end > ends.back())) ends.push_back(span.end);
  }
  if (ends.empty() || ends.back() != text_size) ends.push_back(text_size);
  return ends;
}

/// The pieces between `begin` and the last of `ends`.
std::vector<std::string> pieces_of(std::string_view text, uint64_t begin, std::span<const uint64_t> ends) {
  std::vector<std::string> pieces;
  for (const uint64_t end : ends) {
    pieces.emplace_back(text.substr(begin, end - begin));
    begin = end;
  }
  return pieces;
}

}  // namespace

CompareTokenizers::CompareTokenizers(Tokenizer first, Tokenizer second)
    : first_(std::move(first)), second_(std::move(second)) {}

void CompareTokenizers::add(std::string_view document) {
  if (document.empty()) return;
  const Encoding a = first_.encode_full(document, std::nullopt, {});
  const Encoding b = second_.encode_full(document, std::nullopt, {});
  const std::vector<uint64_t> ends_a = ends_of(a, document.size());
  const std::vector<uint64_t> ends_b = ends_of(b, document.size());
  ++total_.documents;
  total_.bytes += document.size();
  total_.first_tokens += a.ids.size();
  total_.second_tokens += b.ids.size();
  total_.first_boundaries += ends_a.size() - 1;
  total_.second_boundaries += ends_b.size() - 1;
  total_.documents_with_same_ids += a.ids == b.ids ? 1 : 0;
  total_.documents_with_same_pieces += ends_a == ends_b ? 1 : 0;
  uint64_t begin = 0;
  for (size_t i = 0, j = 0, from_i = 0, from_j = 0; i < ends_a.size() && j < ends_b.size();) {
    if (ends_a[i] != ends_b[j]) {
      ++(ends_a[i] < ends_b[j] ? i : j);
      continue;
    }
    const uint64_t end = ends_a[i];
    ++i;
    ++j;
    if (end != document.size()) ++total_.shared_boundaries;
    if (i - from_i > 1 || j - from_j > 1) {
      add_difference(document.substr(begin, end - begin),
                     pieces_of(document, begin, std::span(ends_a).subspan(from_i, i - from_i)),
                     pieces_of(document, begin, std::span(ends_b).subspan(from_j, j - from_j)));
    }
    begin = end;
    from_i = i;
    from_j = j;
  }
}

void CompareTokenizers::add_difference(std::string_view text, std::vector<std::string> first,
                                       std::vector<std::string> second) {
  const auto known = differences_.find(std::string(text));
  if (known != differences_.end()) {
    ++known->second.times;
  } else if (differences_.size() < kMostDifferences) {
    differences_.emplace(text, TokenizerDifference{std::string(text), std::move(first), std::move(second), 1});
  }
}

TokenizerComparison CompareTokenizers::result(size_t most) const {
  TokenizerComparison result = total_;
  for (const auto& [text, difference] : differences_) result.differences.push_back(difference);
  const auto more_often = [](const TokenizerDifference& a, const TokenizerDifference& b) {
    return std::pair(b.times, std::string_view(a.text)) < std::pair(a.times, std::string_view(b.text));
  };
  most = std::min(most, result.differences.size());
  std::partial_sort(result.differences.begin(), result.differences.begin() + static_cast<ptrdiff_t>(most),
                    result.differences.end(), more_often);
  result.differences.resize(most);
  return result;
}

}  // namespace sesame
