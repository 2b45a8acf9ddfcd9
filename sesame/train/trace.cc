#include "sesame/train/trace.h"

#include <nlohmann/json.hpp>

#include "sesame/base/file.h"

namespace sesame {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kProcess = 1;
constexpr int kThread = 1;

Json label(const char* what, const char* name) {
  return {{"name", what}, {"ph", "M"}, {"pid", kProcess}, {"tid", kThread}, {"args", {{"name", name}}}};
}

Json event(const CallProfile& call, const Roofline& roofline, double start_us) {
  return {{"name", call.op},
          {"cat", name_of(call.phase)},
          {"ph", "X"},
          {"ts", start_us},
          {"dur", 1e6 * call.seconds},
          {"pid", kProcess},
          {"tid", kThread},
          {"args",
           {{"op", call.op},
            {"scope", call.scope},
            {"phase", name_of(call.phase)},
            {"shapes", call.shapes},
            {"flops", call.flops},
            {"gflops_per_s", call.flops / (1e9 * call.seconds)},
            {"bytes", call.bytes},
            {"gbytes_per_s", call.bytes / (1e9 * call.seconds)},
            {"share_of_roofline", roofline.seconds(call.flops, call.bytes) / call.seconds}}}};
}

/// Where the run of one program ends whose calls begin at `first`: programs follow each other in the list.
size_t end_of_program(const std::vector<CallProfile>& calls, size_t first) {
  size_t end = first;
  while (end < calls.size() && calls[end].program == calls[first].program) ++end;
  return end;
}

}  // namespace

std::string to_trace(const StepProfile& profile) {
  Json events = Json::array({label("process_name", "sesame"), label("thread_name", "training step")});
  double now_us = 0;
  for (size_t first = 0; first < profile.calls.size();) {
    const size_t end = end_of_program(profile.calls, first);
    for (int64_t run = 0; run < profile.calls[first].runs; ++run) {
      for (size_t i = first; i < end; ++i) {
        events.push_back(event(profile.calls[i], profile.roofline, now_us));
        now_us += 1e6 * profile.calls[i].seconds;
      }
    }
    first = end;
  }
  const Json trace = {{"displayTimeUnit", "ms"},
                      {"otherData",
                       {{"fma_peak_gflops", profile.roofline.peak_gflops},
                        {"memory_gb_s", profile.roofline.memory_gbytes_s},
                        {"cache_gb_s", profile.roofline.cache_gbytes_s},
                        {"cache_bytes", profile.roofline.cache_bytes}}},
                      {"traceEvents", std::move(events)}};
  return trace.dump() + "\n";
}

void write_trace(const std::filesystem::path& path, const StepProfile& profile) {
  write_file_atomically(path, to_trace(profile));
}

}  // namespace sesame
