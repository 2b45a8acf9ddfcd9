#pragma once

#include <filesystem>
#include <string>

#include "sesame/train/step_profile.h"

namespace sesame {

/// A profiled step in Chrome's trace-event format, which chrome://tracing and Perfetto open: one complete event ("ph":
/// "X", times in microseconds) per run of a call, laid end to end on one track, with op, scope, phase, shapes, FLOPs,
/// GFLOP/s, bytes, GB/s and share of the roofline as its arguments. The gaps between the calls of a real step are left
/// out.
std::string to_trace(const StepProfile& profile);

/// Writes it, atomically.
void write_trace(const std::filesystem::path& path, const StepProfile& profile);

}  // namespace sesame
