#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sesame/text/words/string_map.h"

namespace sesame {

/// The tokens of a vocabulary in training, by id.
class TokenList {
 public:
  /// The id of a token, new if it is not there. `symbols`: how many first symbols its text has.
  int32_t add(std::string text, uint32_t symbols = 1) {
    const auto [place, added] = ids_.try_emplace(text, size());
    if (added) append(std::move(text), symbols);
    return place->second;
  }

  /// A new id, whether the token is there or not.
  int32_t add_anew(std::string text, uint32_t symbols) {
    ids_.try_emplace(text, size());
    append(std::move(text), symbols);
    return size() - 1;
  }

  [[nodiscard]] int32_t size() const noexcept { return static_cast<int32_t>(texts_.size()); }
  [[nodiscard]] const std::string& text(int32_t id) const { return texts_[static_cast<size_t>(id)]; }
  [[nodiscard]] uint32_t symbols(int32_t id) const { return symbols_[static_cast<size_t>(id)]; }
  /// The first id of a token, or -1.
  [[nodiscard]] int32_t find(std::string_view text) const {
    const auto place = ids_.find(text);
    return place == ids_.end() ? -1 : place->second;
  }

 private:
  void append(std::string text, uint32_t symbols) {
    texts_.push_back(std::move(text));
    symbols_.push_back(symbols);
  }

  std::vector<std::string> texts_;
  std::vector<uint32_t> symbols_;
  StringMap ids_;
};

}  // namespace sesame
