#include "sesame/graph/attributes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <functional>

#include "sesame/graph/op_def.h"

namespace sesame {
namespace {

std::string text_of(const std::string& value) { return value; }
std::string text_of(const Type& value) { return value.to_string(); }
std::string text_of(const Shape& value) { return value.to_string(); }
std::string text_of(DType value) { return std::string(name_of(value)); }
std::string text_of(const std::vector<int64_t>& value) { return fmt::format("[{}]", fmt::join(value, ", ")); }

/// "mul(1, 4)", "constant(0.5)", "dropout(2, rate=0.1, key=77)"
std::string text_of(const FusedInstruction& step) {
  std::string operands;
  for (const int32_t operand : step.operands) {
    if (operand >= 0) operands += fmt::format("{}{}", operands.empty() ? "" : ", ", operand);
  }
  if (step.op == Op::constant) operands = fmt::format("{}", step.value);
  if (step.op == Op::dropout) operands += fmt::format(", rate={}, key={}", step.value, step.key);
  return fmt::format("{}({})", name_of(step.op), operands);
}

std::string text_of(const FusedOutput& result) {
  constexpr const char* kForms[] = {"{}", "sum({})", "max({})"};
  return fmt::format(fmt::runtime(kForms[static_cast<size_t>(result.reduction)]), result.value);
}

template <typename T>
std::string text_of(const std::vector<T>& list) {
  std::string text;
  for (const T& item : list) text += (text.empty() ? "" : " ") + text_of(item);
  return "[" + text + "]";
}

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
