#include "sesame/train/recipe.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <sstream>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/base/text_format.h"
#include "sesame/train/memory_setting.h"
#include "sesame/train/recipe_options.h"
#include "sesame/train/toml_keys.h"

namespace sesame {
namespace {

using namespace recipe_options;

/// Recipes need one.
constexpr size_t kMostDotsOfAKey = 8;

std::string shown(const toml::node& node) {
  std::ostringstream out;
  node.visit([&](const auto& value) { out << value; });
  std::string text = std::move(out).str();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text.size() > 60 ? text.substr(0, 57) + "..." : text;
}

/// Writes TOML values into a recipe, with all checks that one value allows. `where` is "file:line" or "--set
/// key=value".
class Assigner {
 public:
  explicit Assigner(Recipe& recipe) : recipe_(recipe) {}

  /// Which of the names that mean the same thing a section used already, to refuse both.
  void begin_table() { used_.clear(); }

  void assign(std::string_view section, std::string_view key, const toml::node& node, const std::string& where) {
    bool found = false;
    const std::string key_name = fmt::format("{}.{}", section, key);
    for_each_option(recipe_, [&](std::string_view s, const auto& option, auto& field) {
      if (s != section || key.empty() || (key != gpt2_name(option) && key != llama_name(option))) return;
      found = true;
      check_family(section, key, option, where);
      const std::string id = identity(section, option);
      if (const auto [it, fresh] = used_.emplace(id, key); !fresh && it->second != key)
        fail_usage(fmt::format("{}: {}.{} and {} are two names of one setting; keep one", where, section, it->second,
                               key_name));
      places_[id] = where;
      if (!read(node, field) || !allowed(option, field))
        fail_usage(fmt::format("{}: {} = {}: must be {}{}", where, key_name, shown(node), expectation(option, field),
                               choice_suggestion(option, node)));
    });
    if (!found) fail_unknown(section, key, where);
  }

  [[nodiscard]] std::string place(const std::string& id, std::string_view otherwise) const {
    const auto it = places_.find(id);
    return it == places_.end() ? std::string(otherwise) : it->second;
  }

  [[noreturn]] void fail_unknown(std::string_view section, std::string_view key, const std::string& where) {
    std::vector<std::string> here, everywhere;
    std::optional<std::string> elsewhere;
    for_each_option(recipe_, [&](std::string_view s, const auto& option, const auto&) {
      for (const std::string_view name : {gpt2_name(option), llama_name(option)}) {
        if (name.empty()) continue;
        everywhere.push_back(fmt::format("{}.{}", s, name));
        if (s == section) here.emplace_back(name);
        if (name == key) elsewhere = everywhere.back();
      }
    });
    std::string hint = suggestion(key, here);
    if (elsewhere) hint = fmt::format(" (did you mean \"{}\"?)", *elsewhere);
    if (hint.empty()) hint = suggestion(fmt::format("{}.{}", section, key), everywhere);
    fail_usage(
        fmt::format("{}: unknown key {}.{}{}; `sesame train --help-recipe` lists all keys", where, section, key, hint));
  }

 private:
  template <typename O>
  void check_family(std::string_view section, std::string_view key, const O& option, const std::string& where) const {
    if (!name_in(option, recipe_.model.model_type).empty()) return;
    fail_usage(
        fmt::format("{}: {}.{} means nothing for model.model_type = \"{}\": remove it or choose the other family",
                    where, section, key, recipe_.model.model_type));
  }

  static bool read(const toml::node& node, bool& field) {
    const auto value = node.value_exact<bool>();
    if (value) field = *value;
    return value.has_value();
  }
  static bool read(const toml::node& node, double& field) {
    if (!node.is_number()) return false;
    field = *node.value<double>();
    return std::isfinite(field);
  }
  /// 1e6 is a float in TOML; where it is whole it is taken.
  static bool read(const toml::node& node, int64_t& field) {
    if (const auto integer = node.value_exact<int64_t>()) {
      field = *integer;
      return true;
    }
    const auto real = node.value_exact<double>();
    if (!real || !(std::abs(*real) <= 0x1p53) || *real != std::floor(*real)) return false;
    field = static_cast<int64_t>(*real);
    return true;
  }
  static bool read(const toml::node& node, std::string& field) {
    const auto value = node.value_exact<std::string>();
    if (value) field = *value;
    return value.has_value();
  }
  static bool read(const toml::node& node, std::vector<std::string>& field) {
    field.clear();
    if (const toml::array* array = node.as_array()) {
      for (const toml::node& element : *array) {
        std::string text;
        if (!read(element, text)) return false;
        field.push_back(std::move(text));
      }
      return true;
    }
    return read(node, field.emplace_back());
  }

  template <typename O, typename T>
  static bool allowed(const O& option, const T& field) {
    if constexpr (std::same_as<T, int64_t> || std::same_as<T, double>) {
      const auto value = static_cast<double>(field);
      return value >= option.bounds.low &&
             (option.bounds.open ? value < option.bounds.high : value <= option.bounds.high);
    } else if constexpr (std::same_as<T, std::string>) {
      if (!option.choices) return true;
      const std::vector<std::string> all = choices_of(option);
      return std::find(all.begin(), all.end(), field) != all.end();
    }
    return true;
  }

  template <typename O>
  static std::vector<std::string> choices_of(const O& option) {
    std::vector<std::string> all;
    std::istringstream in(option.choices ? option.choices : "");
    for (std::string choice; std::getline(in, choice, '|');) all.push_back(choice);
    return all;
  }

  template <typename O>
  static std::string choice_suggestion(const O& option, const toml::node& node) {
    return suggestion(node.value_or(std::string()), choices_of(option));
  }

  Recipe& recipe_;
  std::map<std::string, std::string> used_;    // identity -> the name used in this table
  std::map<std::string, std::string> places_;  // identity -> where it was set
};

/// A `--set section.key=value`.
struct Setting {
  std::string section;
  std::string key;
  std::string value;
  std::string where;
};

Setting parse_setting(const std::string& text) {
  const size_t equals = text.find('=');
  const size_t dot = text.find('.');
  if (equals == std::string::npos || dot == std::string::npos || dot > equals || dot == 0)
    fail_usage(fmt::format("--set {}: must be section.key=value, such as optim.lr=3e-4", text));
  return {text.substr(0, dot), text.substr(dot + 1, equals - dot - 1), text.substr(equals + 1),
          fmt::format("--set {}", text)};
}

/// The value of a setting as TOML; what is not TOML, or must be text, is text as it stands.
toml::table setting_value(const Setting& setting, bool text_wanted) {
  const bool quoted =
      !setting.value.empty() && std::string_view("\"'[").find(setting.value[0]) != std::string_view::npos;
  if ((!text_wanted || quoted) && most_dots_of_a_key(setting.value) <= kMostDotsOfAKey) {
    try {
      toml::table parsed = toml::parse("value = " + setting.value);
      if (parsed.size() == 1) return parsed;
    } catch (const toml::parse_error&) {
      return toml::table{{"value", setting.value}};
    }
  }
  return toml::table{{"value", setting.value}};
}

void check_section(std::string_view section, const std::string& where) {
  const std::vector<std::string> names = section_names();
  if (std::find(names.begin(), names.end(), section) == names.end())
    fail_usage(fmt::format("{}: unknown section [{}]{}; the sections are {}", where, section,
                           suggestion(section, names), fmt::join(names, ", ")));
}

void apply_setting(Assigner& assigner, Recipe& recipe, const Setting& setting) {
  check_section(setting.section, setting.where);
  bool text_wanted = false;
  for_each_option(recipe, [&]<typename O, typename T>(std::string_view s, const O& option, const T&) {
    if (s == setting.section && (setting.key == gpt2_name(option) || setting.key == llama_name(option)))
      text_wanted = std::same_as<T, std::string> || std::same_as<T, std::vector<std::string>>;
  });
  const toml::table value = setting_value(setting, text_wanted);
  assigner.begin_table();
  assigner.assign(setting.section, setting.key, *value.get("value"), setting.where);
}

void check_whole(const Recipe& recipe, const Assigner& assigner, std::string_view origin) {
  const bool llama = recipe.model.model_type == "llama";
  const ModelOptions& m = recipe.model;
  const auto refuse = [&](const std::string& id, const std::string& what) {
    fail_usage(fmt::format("{}: {}", assigner.place(id, origin), what));
  };
  const char* heads = llama ? "model.num_attention_heads" : "model.n_head";
  const char* width = llama ? "model.hidden_size" : "model.n_embd";
  if (m.n_embd % m.n_head != 0)
    refuse("model.n_head", fmt::format("{} = {} must divide {} = {}", heads, m.n_head, width, m.n_embd));
  if (m.num_key_value_heads > 0 && m.n_head % m.num_key_value_heads != 0)
    refuse("model.num_key_value_heads",
           fmt::format("model.num_key_value_heads = {} must divide {} = {}", m.num_key_value_heads, heads, m.n_head));
  if (llama && m.n_embd / m.n_head % 2 != 0)
    refuse("model.n_head",
           fmt::format("{} / {} = {} must be even: rotary embeddings turn pairs", width, heads, m.n_embd / m.n_head));
  if (!llama && !m.tie_word_embeddings)
    refuse("model.tie_word_embeddings",
           "model.tie_word_embeddings = false: GPT-2's output projection is its embedding");
  if (m.n_positions > 0 && recipe.train.context > m.n_positions)
    refuse("train.context", fmt::format("train.context = {} is more than {} = {}", recipe.train.context,
                                        llama ? "model.max_position_embeddings" : "model.n_positions", m.n_positions));
  if (recipe.optim.min_lr > recipe.optim.lr)
    refuse("optim.min_lr",
           fmt::format("optim.min_lr = {} is more than optim.lr = {}", recipe.optim.min_lr, recipe.optim.lr));
  parse_memory(recipe.train.memory, fmt::format("{}: train.memory", assigner.place("train.memory", origin)));
  const double tokens = static_cast<double>(recipe.train.batch_size) * static_cast<double>(recipe.train.context);
  if (tokens > 1 << 26)
    refuse("train.batch_size",
           fmt::format("train.batch_size x train.context = {:.0f} tokens are more than 67108864; use "
                       "train.accumulation for larger steps",
                       tokens));
}

toml::table parse_toml(std::string_view text, std::string_view origin) {
  if (const size_t dots = most_dots_of_a_key(text); dots > kMostDotsOfAKey)
    fail_usage(fmt::format("{}: a key with {} dots; a recipe has sections and keys, no deeper tables", origin, dots));
  try {
    return toml::parse(text, origin);
  } catch (const toml::parse_error& error) {
    fail_usage(fmt::format("{}:{}: {}", origin, error.source().begin.line, error.description()));
  }
}

}  // namespace

Recipe parse_recipe(std::string_view toml, std::string_view origin, std::span<const std::string> settings) {
  const toml::table root = parse_toml(toml, origin);
  Recipe recipe;
  Assigner assigner(recipe);
  const auto where = [&](const toml::node& node) { return fmt::format("{}:{}", origin, node.source().begin.line); };

  std::vector<Setting> parsed;
  for (const std::string& setting : settings) parsed.push_back(parse_setting(setting));
  // Which family it is decides what the other keys of [model] may be.
  if (const toml::node* type = root["model"]["model_type"].node())
    assigner.assign("model", "model_type", *type, where(*type));
  for (const Setting& setting : parsed)
    if (setting.section == "model" && setting.key == "model_type") apply_setting(assigner, recipe, setting);

  for (const auto& [section, node] : root) {
    const toml::table* table = node.as_table();
    if (!table) {
      const std::string line = where(node);
      fail_usage(fmt::format("{}: {} stands outside a section; the sections are {}", line, section.str(),
                             fmt::join(section_names(), ", ")));
    }
    check_section(section.str(), where(node));
    assigner.begin_table();
    for (const auto& [key, value] : *table) {
      if (section.str() == "model" && key.str() == "model_type") continue;
      assigner.assign(section.str(), key.str(), value, where(value));
    }
  }
  for (const Setting& setting : parsed) apply_setting(assigner, recipe, setting);
  check_whole(recipe, assigner, origin);
  return recipe;
}

Recipe load_recipe(const std::filesystem::path& path, std::span<const std::string> settings) {
  std::string text;
  try {
    text = read_file(path, 1 << 20);
  } catch (const Error& error) {
    fail_usage(fmt::format("{}; a recipe is a TOML file, see recipes/ for some", error.what()));
  }
  return parse_recipe(text, path.string(), settings);
}

}  // namespace sesame
