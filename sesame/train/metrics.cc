#include "sesame/train/metrics.h"

#include <cstdio>
#include <string_view>
#include <vector>

namespace sesame {
namespace {

std::filesystem::path truncated(std::filesystem::path path, int64_t step) {
  truncate_after_step(path, step);
  return path;
}

}  // namespace

JsonRecord Metrics::to_json() const {
  JsonRecord record;
  record.add("event", event).add("step", step).add("tokens", tokens);
  const auto add = [&](std::string_view key, const std::optional<double>& value) {
    if (value) record.add(key, *value);
  };
  add("train_loss", train_loss);
  add("val_loss", val_loss);
  add("best_val_loss", best_val_loss);
  add("lr", lr);
  add("grad_norm", grad_norm);
  add("tokens_per_s", tokens_per_s);
  record.add("elapsed_s", elapsed_s);
  return record;
}

MetricsLog::MetricsLog(const RunDirectory& run, int64_t resumed_step, bool print)
    : lines_(truncated(run.metrics(), resumed_step)), events_(run.events()), print_(print) {}

void MetricsLog::write(const Metrics& metrics) {
  const JsonRecord record = metrics.to_json();
  lines_.write(record);
  const bool training = std::string_view(metrics.event) == "train";
  if (print_ && !training) {
    std::puts(record.line().c_str());
    std::fflush(stdout);
  }
  std::vector<Scalar> scalars;
  const auto add = [&](std::string_view tag, const std::optional<double>& value) {
    if (value) scalars.push_back({tag, static_cast<float>(*value)});
  };
  if (training) {
    add("train/loss", metrics.train_loss);
    add("train/learning_rate", metrics.lr);
    add("train/gradient_norm", metrics.grad_norm);
    add("speed/tokens_per_second", metrics.tokens_per_s);
  } else if (std::string_view(metrics.event) == "eval") {
    add("validation/loss", metrics.val_loss);
  }
  if (!scalars.empty()) events_.write(metrics.step, scalars);
}

}  // namespace sesame
