#pragma once

#include <simdjson.h>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "sesame/base/function_ref.h"

namespace sesame {

/// A value in a parsed JSON document that knows its key, so that whatever is wrong with it can be said with its place:
/// `FILE: model.merges[17]: expected ...`. Valid while its parent cursor and the document live.
class JsonCursor {
 public:
  JsonCursor(simdjson::dom::element value, std::string_view origin) : value_(value), origin_(origin) {}

  /// A member of this object; absent members are an error.
  [[nodiscard]] JsonCursor at(std::string_view key) const;
  /// A member of this object unless it is absent or null.
  [[nodiscard]] std::optional<JsonCursor> find(std::string_view key) const;

  void for_each_item(FunctionRef<void(const JsonCursor&)> visit) const;
  void for_each_member(FunctionRef<void(std::string_view key, const JsonCursor&)> visit) const;
  [[nodiscard]] size_t size() const;

  [[nodiscard]] std::string_view string() const;
  [[nodiscard]] bool boolean() const;
  /// An integer in [low, high].
  [[nodiscard]] int64_t integer(int64_t low, int64_t high) const;
  /// A finite number.
  [[nodiscard]] double number() const;

  [[nodiscard]] bool boolean_or(std::string_view key, bool otherwise) const;

  [[nodiscard]] bool is_null() const { return value_.is_null(); }
  [[nodiscard]] bool is_string() const { return value_.is_string(); }
  [[nodiscard]] bool is_array() const { return value_.is_array(); }
  [[nodiscard]] bool is_object() const { return value_.is_object(); }

  /// Refuses members that are not in the list, by name.
  void expect_only(std::initializer_list<std::string_view> keys) const;

  [[noreturn]] void fail_here(const std::string& what) const;

 private:
  JsonCursor(simdjson::dom::element value, const JsonCursor& parent, std::string_view key, size_t index)
      : value_(value), origin_(parent.origin_), parent_(&parent), key_(key), index_(index) {}

  [[nodiscard]] simdjson::dom::object object() const;
  [[nodiscard]] simdjson::dom::array array() const;
  [[nodiscard]] std::string path() const;

  simdjson::dom::element value_;
  std::string_view origin_;
  const JsonCursor* parent_ = nullptr;
  std::string_view key_;
  size_t index_ = 0;
};

/// Parses JSON text and hands the root to `visit`. Text that is not JSON, or nested deeper than 64, is an Error.
void visit_json(std::string_view json, std::string_view origin, FunctionRef<void(const JsonCursor&)> visit);

}  // namespace sesame
