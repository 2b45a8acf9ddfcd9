#include "sesame/text/files/ranked_vocabulary.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "sesame/text/bpe/byte_alphabet.h"
#include "sesame/text/bpe/pair_map.h"

namespace sesame {
namespace {

/// Finds the merge of each token, in the order of their ranks.
///
/// Between two fixed places of a text the result of merging depends on what lies between them alone, so just before
/// rank r a token of rank r stands as it would by itself: the one merge that makes it is that of the two parts into
/// which the merges of lower rank bring its bytes. And of two neighbours no other pair than those merges ever forms a
/// token.
class MergeFinder {
 public:
  explicit MergeFinder(size_t tokens) : byte_pairs_(size_t{256} * 256, none), merges_(tokens) { bytes_.fill(-1); }

  /// The merge of the next token, if its bytes come down to two parts.
  std::optional<model::Merge> add(std::string_view bytes, int32_t id) {
    if (bytes.size() == 1) {
      bytes_[static_cast<uint8_t>(bytes[0])] = id;
      return std::nullopt;
    }
    parts_.clear();
    for (const char c : bytes) {
      const int32_t byte = bytes_[static_cast<uint8_t>(c)];
      if (byte < 0) return std::nullopt;
      parts_.push_back({byte, none});
    }
    for (size_t i = 0; i + 1 < parts_.size(); ++i) parts_[i].joined = byte_pair(bytes, i);
    while (parts_.size() > 2) {
      const auto by_rank = [](const Part& a, const Part& b) { return a.joined < b.joined; };
      const auto least = std::min_element(parts_.begin(), parts_.end() - 1, by_rank);
      if (least->joined == none) return std::nullopt;
      const auto at = static_cast<size_t>(least - parts_.begin());
      parts_[at].id = parts_[at].joined;
      parts_.erase(least + 1);
      parts_.back().joined = none;
      if (at + 1 < parts_.size()) join(at);
      if (at > 0) join(at - 1);
    }
    merges_.get_or_add(pair_key(parts_[0].id, parts_[1].id), id);
    if (bytes.size() == 2) byte_pair(bytes, 0) = id;
    return model::Merge{parts_[0].id, parts_[1].id};
  }

 private:
  static constexpr int32_t none = INT32_MAX;
  struct Part {
    int32_t id;
    int32_t joined;  // the token that this part makes with the next: ids order as ranks do
  };

  /// What the bytes at i and i + 1 make together.
  int32_t& byte_pair(std::string_view bytes, size_t i) {
    return byte_pairs_[size_t{static_cast<uint8_t>(bytes[i])} * 256 + static_cast<uint8_t>(bytes[i + 1])];
  }

  void join(size_t i) {
    const int32_t* merged = merges_.find(pair_key(parts_[i].id, parts_[i + 1].id));
    parts_[i].joined = merged == nullptr ? none : *merged;
  }

  std::array<int32_t, 256> bytes_{};
  std::vector<int32_t> byte_pairs_;  // most of what is asked of merges_, in less memory
  PairMap<int32_t> merges_;
  std::vector<Part> parts_;
};

}  // namespace

void set_ranked_model(const std::vector<RankedToken>& tokens, TokenizerSpec& spec) {
  model::Bpe bpe;
  bpe.ignore_merges = true;  // a piece that is a token is that token
  MergeFinder finder(tokens.size());
  spec.vocabulary.reserve(tokens.size());
  bpe.merges.reserve(tokens.size());
  for (const RankedToken& token : tokens) {
    spec.vocabulary.push_back({spell_bytes(token.bytes), token.id});
    if (const auto merge = finder.add(token.bytes, token.id)) bpe.merges.push_back(*merge);
  }
  spec.model = std::move(bpe);
}

}  // namespace sesame
