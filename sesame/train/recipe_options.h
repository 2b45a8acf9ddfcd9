#pragma once

#include <fmt/format.h>

#include <concepts>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "sesame/train/recipe.h"

/// How the sources of the recipe walk over its options; not for use outside of them.
namespace sesame::recipe_options {

template <typename Member>
struct Section {
  const char* name;
  Member Recipe::*member;
};

inline constexpr auto kSections = std::make_tuple(
    Section{"data", &Recipe::data}, Section{"tokenizer", &Recipe::tokenizer}, Section{"model", &Recipe::model},
    Section{"optim", &Recipe::optim}, Section{"train", &Recipe::train});

inline std::vector<std::string> section_names() {
  return std::apply([](const auto&... section) { return std::vector<std::string>{section.name...}; }, kSections);
}

/// Calls visit(section name, option, field) for every option; `recipe` may be const.
template <typename RecipeType, typename Visit>
void for_each_option(RecipeType& recipe, Visit visit) {
  const auto visit_section = [&](const auto& section) {
    auto& options = recipe.*section.member;
    using Options = std::remove_cvref_t<decltype(options)>;
    std::apply(
        [&](const auto&... option) { (visit(std::string_view(section.name), option, options.*option.member), ...); },
        Options::options);
  };
  std::apply([&](const auto&... section) { (visit_section(section), ...); }, kSections);
}

/// The name of an option in the GPT-2 (also: any other section's) and in the Llama family; "" where a family lacks it.
template <typename O>
std::string_view gpt2_name(const O& option) {
  return option.name;
}
template <typename O>
std::string_view llama_name(const O& option) {
  return option.llama_name ? option.llama_name : option.name;
}
template <typename O>
std::string_view name_in(const O& option, std::string_view model_type) {
  return model_type == "llama" ? llama_name(option) : gpt2_name(option);
}

/// A name that stands for the option whatever the family.
template <typename O>
std::string identity(std::string_view section, const O& option) {
  return fmt::format("{}.{}", section, *option.name ? option.name : option.llama_name);
}

/// "a whole number from 1 to 1024", "one of "gpt2", "llama"".
template <typename O, typename T>
std::string expectation(const O& option, const T& field) {
  const auto range = [&] {
    if (option.bounds.high > 1e300) return std::string();
    return fmt::format(" from {} to {}{}", option.bounds.low, option.bounds.open ? "below " : "", option.bounds.high);
  };
  static_cast<void>(field);
  if constexpr (std::same_as<T, bool>) {
    return "true or false";
  } else if constexpr (std::same_as<T, int64_t>) {
    return fmt::format("a whole number from {:.0f} to {:.0f}", option.bounds.low, option.bounds.high);
  } else if constexpr (std::same_as<T, double>) {
    return "a number" + range();
  } else if constexpr (std::same_as<T, std::string>) {
    if (!option.choices) return "text in quotes";
    std::string list = "one of \"";
    for (const char* c = option.choices; *c; ++c) *c == '|' ? list += "\", \"" : list += *c;
    return list + "\"";
  } else {
    return "text in quotes or a list of texts";
  }
}

}  // namespace sesame::recipe_options
