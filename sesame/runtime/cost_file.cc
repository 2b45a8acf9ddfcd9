#include "sesame/runtime/cost_file.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/base/machine.h"

namespace sesame {
namespace {

using nlohmann::json;

constexpr int kFormat = 1;
constexpr uint64_t kLargestFile = uint64_t{16} << 20;

/// The times are those of one program on one kind of machine.
json identity() {
  return {{"format", kFormat},
          {"program", SESAME_VERSION},
          {"processor", processor_name()},
          {"instructions", vector_instructions()}};
}

bool is_amount(const json& value) { return value.is_number() && std::isfinite(value.get<double>()) && value >= 0; }

/// Nothing if a single entry is not what save_costs() writes.
std::optional<TimedCalls> calls_of(const json& file) {
  const auto entries = file.find("calls");
  if (entries == file.end() || !entries->is_object()) return std::nullopt;
  TimedCalls calls;
  for (const auto& [key, entry] : entries->items()) {
    if (!entry.is_array() || entry.size() != 3) return std::nullopt;
    for (const json& number : entry)
      if (!is_amount(number)) return std::nullopt;
    calls[key] = {entry[0].get<double>(), entry[1].get<double>(), entry[2].get<double>()};
  }
  return calls;
}

/// On one line, and never an error for text that is not UTF-8.
std::string shown(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

}  // namespace

std::filesystem::path default_cost_file() {
  const auto directory = [](const char* variable) -> std::filesystem::path {
    const char* value = std::getenv(variable);
    return value != nullptr ? value : "";
  };
  if (const auto own = directory("SESAME_CACHE_DIR"); !own.empty()) return own / "costs.json";
  if (const auto cache = directory("XDG_CACHE_HOME"); !cache.empty()) return cache / "sesame" / "costs.json";
  if (const auto home = directory("HOME"); !home.empty()) return home / ".cache" / "sesame" / "costs.json";
  return {};
}

TimedCalls load_costs(const std::filesystem::path& file, std::string* refusal) {
  const auto refuse = [&](const std::string& why) -> TimedCalls {
    if (refusal != nullptr) *refusal = fmt::format("{} {}; its times are not used", file.string(), why);
    return {};
  };
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return {};
  std::string text;
  try {
    text = read_file(file, kLargestFile);
  } catch (const Error& error) {
    return refuse(fmt::format("cannot be read ({})", error.what()));
  }
  const json content = json::parse(text, nullptr, false);
  if (!content.is_object()) return refuse("is damaged");
  const json here = identity();
  for (const auto& [key, value] : here.items()) {
    const auto found = content.find(key);
    if (found == content.end()) return refuse("is damaged");
    if (*found != value) return refuse(fmt::format("is of another {} ({}, here {})", key, shown(*found), shown(value)));
  }
  std::optional<TimedCalls> calls = calls_of(content);
  return calls ? *std::move(calls) : refuse("is damaged");
}

bool save_costs(const std::filesystem::path& file, const TimedCalls& calls) {
  json content = identity();
  json& entries = content["calls"] = json::object();
  for (const auto& [key, call] : calls) entries[key] = {call.seconds, call.flops, call.bytes};
  try {
    make_directories(file.parent_path());
    write_file_atomically(file, content.dump(1, ' ', false, json::error_handler_t::replace) + "\n");
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace sesame
