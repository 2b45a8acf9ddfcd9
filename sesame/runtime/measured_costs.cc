#include "sesame/runtime/measured_costs.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "sesame/base/error.h"
#include "sesame/graph/op_def.h"
#include "sesame/runtime/compile.h"

namespace sesame {
namespace {

double roofline_seconds(double flops, double bytes, const MachineSpeed& machine) {
  return std::max(flops / (machine.peak_gflops * 1e9), bytes / (machine.read_gbytes_s * 1e9));
}

std::string_view op_of(std::string_view key) { return key.substr(0, key.find(' ')); }

}  // namespace

std::string attributes_without_keys(const Node& node) {
  std::string text = to_string(node.attributes);
  constexpr std::string_view kKey = "key=";
  for (size_t at = text.find(kKey); at != std::string::npos; at = text.find(kKey, at + kKey.size())) {
    const size_t begin = at + kKey.size();
    text.erase(begin, std::min(text.find_first_not_of("-0123456789", begin), text.size()) - begin);
  }
  return text;
}

double roofline_seconds(const Graph& graph, const Node& node, const MachineSpeed& machine) {
  if (runs_no_kernel(node)) return 0;
  const Cost cost = cost_of(graph, node);
  return roofline_seconds(cost.flops, cost.bytes, machine);
}

MeasuredCosts::MeasuredCosts(const Options& options)
    : backend_(options.backend != nullptr ? options.backend : &cpu_backend()),
      threads_(options.threads),
      file_(options.file),
      seconds_left_(options.limit_seconds),
      machine_(options.machine) {
  if (threads_ == nullptr) fail("measured costs: a thread pool must be given");
  if (file_.empty()) return;
  std::string refusal;
  calls_ = load_costs(file_, &refusal);
  if (!refusal.empty()) fmt::print(stderr, "costs:   {}\n", refusal);
}

std::string MeasuredCosts::key_of(const Graph& graph, const Node& node) const {
  std::string key = fmt::format("{} {{{}}}", name_of(node.op), attributes_without_keys(node));
  for (const Type& type : graph.input_types(node)) key += " " + type.to_string();
  key += " ->";
  for (const Type& type : node.outputs) key += " " + type.to_string();
  return fmt::format("{}, {} backend, {} threads", key, backend_->name(), threads_->threads());
}

double MeasuredCosts::operator()(const Graph& graph, const Node& node) {
  if (runs_no_kernel(node)) return 0;
  std::string key = key_of(graph, node);
  if (const auto found = calls_.find(key); found != calls_.end()) return found->second.seconds;
  if (const auto found = estimates_.find(key); found != estimates_.end()) return found->second;
  if (seconds_left_ > 0) {
    const auto start = std::chrono::steady_clock::now();
    if (!timer_) timer_.emplace(*backend_, *threads_);
    const std::optional<double> seconds = timer_->seconds(graph, node);
    seconds_left_ -= std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (seconds) {
      const Cost cost = cost_of(graph, node);
      calls_[std::move(key)] = {*seconds, cost.flops, cost.bytes};
      unsaved_ = true;
      return *seconds;
    }
  }
  return estimates_[std::move(key)] = estimate(graph, node);
}

double MeasuredCosts::estimate(const Graph& graph, const Node& node) {
  if (!machine_) machine_ = probe_machine(*threads_);
  const Cost cost = cost_of(graph, node);
  const double roofline = roofline_seconds(cost.flops, cost.bytes, *machine_);
  if (roofline <= 0) return 0;
  const TimedCall* similar = nullptr;
  double distance = 0;
  for (const auto& [key, call] : calls_) {
    const double other = roofline_seconds(call.flops, call.bytes, *machine_);
    if (op_of(key) != name_of(node.op) || other <= 0) continue;
    const double this_distance = std::abs(std::log(other / roofline));
    if (similar != nullptr && this_distance >= distance) continue;
    similar = &call;
    distance = this_distance;
  }
  if (similar == nullptr) return roofline;
  return roofline * similar->seconds / roofline_seconds(similar->flops, similar->bytes, *machine_);
}

double MeasuredCosts::timed_seconds(const Graph& graph) const {
  double seconds = 0;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (runs_no_kernel(node)) continue;
    if (const auto found = calls_.find(key_of(graph, node)); found != calls_.end()) seconds += found->second.seconds;
  }
  return seconds;
}

void MeasuredCosts::finish() {
  timer_.reset();
  if (!unsaved_ || file_.empty()) return;
  TimedCalls all = load_costs(file_);  // another program may have written since
  for (const auto& [key, call] : calls_) all[key] = call;
  save_costs(file_, all);
  unsaved_ = false;
}

}  // namespace sesame
