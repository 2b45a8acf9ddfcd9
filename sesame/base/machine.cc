#include "sesame/base/machine.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <string_view>

namespace sesame {
namespace {

/// The value of a line "Key: 123 kB" of a file of /proc, in bytes; 0 where there is none.
uint64_t kilobytes_line(const char* path, std::string_view key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(key)) continue;
    return std::strtoull(line.c_str() + key.size(), nullptr, 10) * 1024;
  }
  return 0;
}

/// What a cgroup still allows, or the largest number where none limits us.
uint64_t cgroup_room() {
  constexpr uint64_t kUnlimited = std::numeric_limits<uint64_t>::max();
  std::ifstream limit_file("/sys/fs/cgroup/memory.max");
  std::ifstream used_file("/sys/fs/cgroup/memory.current");
  uint64_t limit = 0;
  uint64_t used = 0;
  if (!(limit_file >> limit) || !(used_file >> used)) return kUnlimited;  // "max" is no number
  return limit > used ? limit - used : 0;
}

}  // namespace

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown processor";
}

size_t last_level_cache_bytes() {
  uint64_t largest = 0;
  for (int index = 0;; ++index) {
    std::ifstream file("/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index) + "/size");
    std::string size;  // "32768K"
    if (!(file >> size)) break;
    largest = std::max<uint64_t>(largest, std::strtoull(size.c_str(), nullptr, 10) * 1024);
  }
  if (largest > 0) return largest;
  // Some virtual machines report the host's caches here, several times what one processor has.
  return static_cast<size_t>(std::max({::sysconf(_SC_LEVEL3_CACHE_SIZE), ::sysconf(_SC_LEVEL2_CACHE_SIZE), 0L}));
}

uint64_t available_memory() { return std::min(kilobytes_line("/proc/meminfo", "MemAvailable:"), cgroup_room()); }

uint64_t resident_bytes() { return kilobytes_line("/proc/self/status", "VmRSS:"); }

uint64_t peak_resident_bytes() { return kilobytes_line("/proc/self/status", "VmHWM:"); }

bool reset_peak_resident_bytes() {
  std::ofstream file("/proc/self/clear_refs");
  file << "5" << std::flush;  // proc(5): resets the peak resident set size
  return file.good();
}

}  // namespace sesame
