#include "sesame/infer/stop_strings.h"

#include <algorithm>
#include <utility>

#include "sesame/base/error.h"

namespace sesame {

StopStrings::StopStrings(std::vector<std::string> stops) : stops_(std::move(stops)) {
  for (const std::string& stop : stops_) {
    if (stop.empty()) fail_usage("a stop string is empty: it would stop before the first token");
  }
}

namespace {

// The length of the longest end of `text` that begins `stop` without being all of it.
size_t started_length(std::string_view text, std::string_view stop) {
  for (size_t length = std::min(text.size(), stop.size() - 1); length > 0; --length) {
    if (text.ends_with(stop.substr(0, length))) return length;
  }
  return 0;
}

}  // namespace

std::string StopStrings::push(std::string_view text) {
  if (stopped_) return {};
  held_ += text;
  size_t end = std::string::npos;
  size_t started = 0;
  for (const std::string& stop : stops_) {
    end = std::min(end, held_.find(stop));
    started = std::max(started, started_length(held_, stop));
  }
  stopped_ = end != std::string::npos;
  const size_t ready = stopped_ ? end : held_.size() - started;
  std::string result = held_.substr(0, ready);
  held_.erase(0, stopped_ ? held_.size() : ready);
  return result;
}

std::string StopStrings::finish() { return std::exchange(held_, {}); }

}  // namespace sesame
