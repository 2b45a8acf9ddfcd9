#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sesame {

/// Finds the first stop string in a text that comes in pieces, and holds back what may be the start of one.
class StopStrings {
 public:
  /// Throws usage Error for an empty stop string.
  explicit StopStrings(std::vector<std::string> stops);

  /// What can be handed out now that `text` has come: never a part of a stop string. Nothing more comes once stopped().
  std::string push(std::string_view text);

  /// What was held back, when the text ends without a stop string.
  std::string finish();

  [[nodiscard]] bool stopped() const { return stopped_; }

 private:
  std::vector<std::string> stops_;
  std::string held_;
  bool stopped_ = false;
};

}  // namespace sesame
