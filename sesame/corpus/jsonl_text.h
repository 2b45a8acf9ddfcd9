#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sesame {

/// Takes one string field out of lines of JSON.
class JsonlText {
 public:
  JsonlText();
  ~JsonlText();
  JsonlText(JsonlText&&) noexcept;

  /// The text of `field` in the JSON object `line`, behind which ScanWindow::kPadding bytes can be read; valid until
  /// the next call. Nothing, and why in `reason`, when the line is no valid JSON object or has no such string.
  std::optional<std::string_view> extract(std::string_view line, std::string_view field, std::string& reason);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sesame
