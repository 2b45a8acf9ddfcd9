#include "sesame/train/memory_curve.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace sesame {
namespace {

/// A name "h.3.attn: ..." as what comes before and after its first number, and that number; -1 where it has none.
struct NumberedName {
  std::string before;
  int64_t number = -1;
  std::string after;
};

NumberedName numbered(const std::string& name) {
  const size_t end_of_scope = std::min(name.find(':'), name.size());
  for (size_t begin = 0; begin < end_of_scope;) {
    const size_t end = std::min(name.find('.', begin), end_of_scope);
    const std::string part = name.substr(begin, end - begin);
    if (!part.empty() && part.size() < 10 && part.find_first_not_of("0123456789") == std::string::npos)
      return {name.substr(0, begin), std::stoll(part), name.substr(end)};
    begin = end + 1;
  }
  return {name, -1, ""};
}

/// "0-3,5" of ascending numbers.
std::string ranges(const std::vector<int64_t>& numbers) {
  std::string text;
  for (size_t i = 0; i < numbers.size();) {
    size_t last = i;
    while (last + 1 < numbers.size() && numbers[last + 1] <= numbers[last] + 1) ++last;
    text += fmt::format("{}{}", text.empty() ? "" : ",", numbers[i]);
    if (numbers[last] > numbers[i]) text += fmt::format("-{}", numbers[last]);
    i = last + 1;
  }
  return text;
}

}  // namespace

MemoryCurve memory_curve(StepPlanner& planner, int64_t points) {
  using Kind = MemorySetting::Kind;
  MemoryCurve curve;
  curve.least_budget_bytes = planner.least_bytes();
  curve.free_bytes = planner.plan({Kind::free_replays, 0}).planned_bytes();
  curve.keep_bytes = planner.plan({Kind::keep, 0}).planned_bytes();
  const int64_t least = curve.least_budget_bytes;
  const int64_t range = std::max<int64_t>(curve.keep_bytes - least, 0);
  const int64_t last = std::max<int64_t>(points - 1, 1);
  for (int64_t i = 0; i < points; ++i) {
    // Closer together where the curve is steep.
    const auto share = static_cast<double>(i * i) / static_cast<double>(last * last);
    const int64_t budget = least + static_cast<int64_t>(share * static_cast<double>(range));
    const StepPlan plan = planner.plan({Kind::bytes, budget});
    curve.points.push_back(
        {.budget_bytes = budget,
         .planned_bytes = plan.planned_bytes(),
         .arena_bytes = plan.arena_bytes(),
         .seconds_per_step = plan.seconds,
         .overhead = plan.overhead(),
         .lower_bound_overhead = std::max(0.0, plan.lower_bound_seconds / plan.seconds_without - 1)});
  }
  return curve;
}

std::vector<SavedRow> saved_rows(const RematReport& report) {
  using Key = std::tuple<std::string, std::string, int64_t, bool, int>;
  std::map<Key, size_t> index;
  std::vector<SavedRow> rows;
  std::vector<NumberedName> names;
  std::vector<std::vector<int64_t>> numbers;
  for (const RematReport::Activation& a : report.activations) {
    const NumberedName name = numbered(a.name);
    const auto [it, fresh] = index.emplace(Key{name.before, name.after, a.bytes, a.kept, a.replays}, rows.size());
    if (fresh) {
      rows.push_back({.name = a.name, .bytes = a.bytes, .kept = a.kept, .replays = a.replays});
      names.push_back(name);
      numbers.emplace_back();
    }
    SavedRow& row = rows[it->second];
    ++row.count;
    row.replay_seconds += a.replay_seconds;
    if (name.number >= 0) numbers[it->second].push_back(name.number);
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    std::sort(numbers[i].begin(), numbers[i].end());
    if (!numbers[i].empty()) rows[i].name = names[i].before + ranges(numbers[i]) + names[i].after;
  }
  return rows;
}

}  // namespace sesame
