#include "sesame/text/files/json_cursor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sesame/base/error.h"

namespace sesame {
namespace {

constexpr size_t max_depth = 64;

}  // namespace

std::string JsonCursor::path() const {
  if (parent_ == nullptr) return "";
  std::string path = parent_->path();
  if (parent_->is_array()) return path + fmt::format("[{}]", index_);
  // A key from the file may be of any length.
  constexpr size_t shown = 60;
  return path + (path.empty() ? "" : ".") + std::string(key_.substr(0, shown)) + (key_.size() > shown ? "..." : "");
}

void JsonCursor::fail_here(const std::string& what) const {
  const std::string place = path();
  fail(place.empty() ? fmt::format("{}: {}", origin_, what) : fmt::format("{}: {}: {}", origin_, place, what));
}

simdjson::dom::object JsonCursor::object() const {
  simdjson::dom::object object;
  if (value_.get_object().get(object) != simdjson::SUCCESS) fail_here("expected an object {...}");
  return object;
}

simdjson::dom::array JsonCursor::array() const {
  simdjson::dom::array array;
  if (value_.get_array().get(array) != simdjson::SUCCESS) fail_here("expected a list [...]");
  return array;
}

JsonCursor JsonCursor::at(std::string_view key) const {
  simdjson::dom::element value;
  if (object().at_key(key).get(value) != simdjson::SUCCESS) fail_here(fmt::format("the key '{}' is missing", key));
  return {value, *this, key, 0};
}

std::optional<JsonCursor> JsonCursor::find(std::string_view key) const {
  simdjson::dom::element value;
  if (object().at_key(key).get(value) != simdjson::SUCCESS || value.is_null()) return std::nullopt;
  return JsonCursor(value, *this, key, 0);
}

void JsonCursor::for_each_item(FunctionRef<void(const JsonCursor&)> visit) const {
  size_t index = 0;
  for (const simdjson::dom::element item : array()) visit(JsonCursor(item, *this, {}, index++));
}

void JsonCursor::for_each_member(FunctionRef<void(std::string_view key, const JsonCursor&)> visit) const {
  for (const simdjson::dom::key_value_pair member : object()) {
    visit(member.key, JsonCursor(member.value, *this, member.key, 0));
  }
}

size_t JsonCursor::size() const {
  size_t count = 0;
  if (is_object()) {
    for ([[maybe_unused]] const auto member : object()) ++count;
  } else {
    for ([[maybe_unused]] const auto item : array()) ++count;
  }
  return count;
}

std::string_view JsonCursor::string() const {
  std::string_view text;
  if (value_.get_string().get(text) != simdjson::SUCCESS) fail_here("expected a string");
  return text;
}

bool JsonCursor::boolean() const {
  bool flag = false;
  if (value_.get_bool().get(flag) != simdjson::SUCCESS) fail_here("expected true or false");
  return flag;
}

int64_t JsonCursor::integer(int64_t low, int64_t high) const {
  int64_t number = 0;
  if (value_.get_int64().get(number) != simdjson::SUCCESS || number < low || number > high) {
    fail_here(fmt::format("expected an integer from {} to {}", low, high));
  }
  return number;
}

double JsonCursor::number() const {
  double number = 0;
  if (value_.get_double().get(number) != simdjson::SUCCESS || !std::isfinite(number)) fail_here("expected a number");
  return number;
}

bool JsonCursor::boolean_or(std::string_view key, bool otherwise) const {
  const auto member = find(key);
  return member ? member->boolean() : otherwise;
}

void JsonCursor::expect_only(std::initializer_list<std::string_view> keys) const {
  for_each_member([&](std::string_view key, const JsonCursor& member) {
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
      member.fail_here("Sesame does not know this key and will not ignore it");
    }
  });
}

void visit_json(std::string_view json, std::string_view origin, FunctionRef<void(const JsonCursor&)> visit) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  simdjson::error_code error = parser.allocate(std::max<size_t>(json.size(), 64), max_depth);
  if (error == simdjson::SUCCESS) error = parser.parse(json.data(), json.size()).get(root);
  if (error == simdjson::DEPTH_ERROR) {
    fail(fmt::format("{}: not a tokenizer.json: nested deeper than {} levels", origin, max_depth));
  }
  if (error != simdjson::SUCCESS) {
    fail(fmt::format("{}: not valid JSON ({}): the file may be cut short or damaged", origin,
                     simdjson::error_message(error)));
  }
  visit(JsonCursor(root, origin));
}

}  // namespace sesame
