#include "sesame/text/unicode/unicode_properties.h"

#include <algorithm>
#include <array>

#include "sesame/text/unicode/property_table.h"
#include "sesame/text/unicode/unicode_runs.h"

namespace sesame {
namespace {

constexpr std::array<std::string_view, 30> category_names = {
    "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe",
    "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co", "Cn"};

}  // namespace

GeneralCategory general_category(uint32_t code) noexcept {
  static const PropertyTable table(general_category_runs);
  return code < PropertyTable::code_points ? static_cast<GeneralCategory>(table.of(code)) : GeneralCategory::cn;
}

std::optional<uint32_t> category_set(std::string_view name) {
  if (name == "LC" || name == "L&") return *category_set("Lu") | *category_set("Ll") | *category_set("Lt");
  if (name.empty() || name.size() > 2) return std::nullopt;
  uint32_t set = 0;
  for (size_t i = 0; i < category_names.size(); ++i) {
    if (category_names[i].starts_with(name)) set |= uint32_t{1} << i;
  }
  return set == 0 ? std::nullopt : std::optional(set);
}

Script script_of(uint32_t code) noexcept {
  static const PropertyTable table(script_runs);
  return code < PropertyTable::code_points ? static_cast<Script>(table.of(code)) : Script::unknown;
}

std::string_view script_name(Script script) noexcept { return script_names[static_cast<size_t>(script)]; }

std::optional<Script> script_named(std::string_view name) {
  const auto found = std::find(script_names.begin(), script_names.end(), name);
  if (found == script_names.end()) return std::nullopt;
  return static_cast<Script>(found - script_names.begin());
}

bool is_white_space(uint32_t code) noexcept {
  if (code < 0x80) return (code >= 9 && code <= 13) || code == 32;
  return code == 0x85 || code == 0xA0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x2028 ||
         code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
}

}  // namespace sesame
