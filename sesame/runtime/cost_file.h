#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace sesame {

/// What one call of a kernel took, and what it had to do at the least.
struct TimedCall {
  double seconds = 0;
  double flops = 0;
  double bytes = 0;

  bool operator==(const TimedCall&) const = default;
};

/// By MeasuredCosts' description of the call.
using TimedCalls = std::map<std::string, TimedCall, std::less<>>;

/// Where this user's times are kept: costs.json in $SESAME_CACHE_DIR, else in $XDG_CACHE_HOME/sesame, else in
/// $HOME/.cache/sesame; empty where none of them is set.
std::filesystem::path default_cost_file();

/// The times in a file that save_costs() wrote; none where there is no file. None, and in `refusal` a sentence that
/// says why, where it is damaged or of another processor, instruction set or version of the program.
TimedCalls load_costs(const std::filesystem::path& file, std::string* refusal = nullptr);

/// Replaces the file in one step, making its directory if need be. False where that is not possible: then the times are
/// measured again some day, and nothing is lost.
bool save_costs(const std::filesystem::path& file, const TimedCalls& calls);

}  // namespace sesame
