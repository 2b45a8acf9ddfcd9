#include "sesame/graph/attributes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <functional>

namespace sesame {
namespace {

std::string text_of(const std::string& value) { return value; }
std::string text_of(const Type& value) { return value.to_string(); }
std::string text_of(const Shape& value) { return value.to_string(); }
std::string text_of(DType value) { return std::string(name_of(value)); }
std::string text_of(const std::vector<int64_t>& value) { return fmt::format("[{}]", fmt::join(value, ", ")); }
template <typename T>
requires std::is_arithmetic_v<T> std::string text_of(T value) { return fmt::format("{}", value); }

template <typename Visit>
void for_each_field(const Attributes& attributes, Visit visit) {
  std::visit(
      [&](const auto& object) {
        std::apply([&](const auto&... field) { (visit(field.name, object.*(field.member)), ...); },
                   std::remove_cvref_t<decltype(object)>::fields);
      },
      attributes);
}

}  // namespace

std::string to_string(const Attributes& attributes) {
  std::string out;
  for_each_field(attributes, [&](const char* name, const auto& value) {
    out += fmt::format("{}{}={}", out.empty() ? "" : ", ", name, text_of(value));
  });
  return out;
}

uint64_t hash_of(const Attributes& attributes) {
  // The print shows every field in full (fmt prints doubles so that they read back exactly), so it identifies them.
  return std::hash<std::string>{}(to_string(attributes)) * 31 + attributes.index();
}

}  // namespace sesame
