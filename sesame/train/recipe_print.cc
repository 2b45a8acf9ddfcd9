#include <fmt/format.h>

#include <sstream>

#include "sesame/train/recipe.h"
#include "sesame/train/recipe_options.h"

namespace sesame {
namespace {

using namespace recipe_options;

/// A TOML basic string: quotes, backslashes and control characters are escaped.
std::string to_toml_value(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      result += {'\\', c};
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      result += fmt::format("\\u{:04X}", static_cast<int>(c));
    } else {
      result += c;
    }
  }
  return result + "\"";
}
std::string to_toml_value(const std::vector<std::string>& texts) {
  std::string result = "[";
  for (const std::string& text : texts) result += (result.size() > 1 ? ", " : "") + to_toml_value(text);
  return result + "]";
}
std::string to_toml_value(bool value) { return value ? "true" : "false"; }
std::string to_toml_value(int64_t value) { return fmt::format("{}", value); }
std::string to_toml_value(double value) { return fmt::format("{}", value); }

/// Prints the sections, each line by `line(name, option, field)`; options that line gives "" for are left out.
template <typename Line>
std::string print(const Recipe& recipe, Line line) {
  std::string result;
  std::string_view current;
  for_each_option(recipe, [&](std::string_view section, const auto& option, const auto& field) {
    const std::string text = line(section, option, field);
    if (text.empty()) return;
    if (section != current) result += fmt::format("{}[{}]\n", current.empty() ? "" : "\n", section);
    current = section;
    result += text;
  });
  return result;
}

}  // namespace

bool Recipe::operator==(const Recipe& other) const { return differing_keys(*this, other).empty(); }

std::string to_toml(const Recipe& recipe) {
  return print(recipe, [&](std::string_view, const auto& option, const auto& field) {
    const std::string_view name = name_in(option, recipe.model.model_type);
    return name.empty() ? std::string() : fmt::format("{} = {}\n", name, to_toml_value(field));
  });
}

std::vector<std::string> differing_keys(const Recipe& a, const Recipe& b) {
  std::vector<std::string> values, keys;
  for_each_option(a, [&](std::string_view, const auto&, const auto& field) { values.push_back(to_toml_value(field)); });
  size_t i = 0;
  for_each_option(b, [&](std::string_view section, const auto& option, const auto& field) {
    if (values[i++] == to_toml_value(field)) return;
    const std::string_view name = name_in(option, b.model.model_type);
    keys.push_back(name.empty() ? identity(section, option) : fmt::format("{}.{}", section, name));
  });
  return keys;
}

std::string recipe_reference() {
  return print(Recipe{}, [&](std::string_view, const auto& option, const auto& field) {
    std::string names(gpt2_name(option));
    if (names.empty()) {
      names = fmt::format("{} (llama)", llama_name(option));
    } else if (llama_name(option) != names) {
      names += fmt::format(" ({})", llama_name(option));
    }
    return fmt::format("  {:<40} = {}\n      {}: {}\n", names, to_toml_value(field), option.doc,
                       expectation(option, field));
  });
}

}  // namespace sesame
