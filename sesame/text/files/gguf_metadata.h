#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sesame {

/// The metadata of a GGUF file (versions 2 and 3): values by key. Strings point into the file.
class GgufMetadata {
 public:
  /// Reads the keys that begin with `prefix`. Throws Error, beginning with `origin`, where the file ends too early or
  /// holds what GGUF does not have.
  GgufMetadata(std::string_view bytes, std::string_view prefix, std::string_view origin);

  /// Values of one key. The _or forms give `otherwise` where the key is missing; the others throw Error there. A value
  /// of another type is an Error.
  [[nodiscard]] std::string_view string(std::string_view key) const;
  [[nodiscard]] std::string_view string_or(std::string_view key, std::string_view otherwise) const;
  [[nodiscard]] int64_t integer_or(std::string_view key, int64_t otherwise) const;
  [[nodiscard]] bool boolean_or(std::string_view key, bool otherwise) const;
  [[nodiscard]] const std::vector<std::string_view>& strings(std::string_view key) const;
  [[nodiscard]] const std::vector<double>& numbers(std::string_view key) const;
  [[nodiscard]] bool has(std::string_view key) const { return values_.contains(key); }

  [[noreturn]] void fail_at(std::string_view key, std::string_view what) const;

 private:
  using Value = std::variant<std::string_view, double, std::vector<std::string_view>, std::vector<double>>;
  template <typename T>
  [[nodiscard]] const T* find(std::string_view key, std::string_view type) const;

  std::map<std::string_view, Value, std::less<>> values_;
  std::string origin_;
};

}  // namespace sesame
