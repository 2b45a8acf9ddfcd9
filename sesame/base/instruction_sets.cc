/// The part of Highway that is not in its headers: which instruction set the kernels run with. It is ours because
/// Debian's libhwy measures the resolution of the processor's clock whenever it is loaded, which no kernel needs and
/// which took longer (4.8 of 5.4 ms) than all the rest of starting the program.
#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>

#include "hwy/base.h"
#include "hwy/targets.h"

namespace hwy {
namespace {

std::atomic<int64_t> enabled_targets{-1};
std::atomic<int64_t> targets_for_test{0};

int64_t detect_targets() noexcept {
  int64_t targets = HWY_STATIC_TARGET;
#if HWY_ARCH_X86
  // These ask the operating system, too, whether it keeps the registers.
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
                    __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("lzcnt") &&
                    __builtin_cpu_supports("f16c") && __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512cd");
  if (avx2) targets |= HWY_AVX2;
  if (avx512) targets |= HWY_AVX3;
#endif
  return targets;
}

}  // namespace

int64_t SupportedTargets() {
  static const int64_t detected = detect_targets();
  const int64_t asked = targets_for_test.load();
  const int64_t targets = (asked != 0 ? asked : detected) & enabled_targets.load();
  return targets != 0 ? targets : HWY_STATIC_TARGET;
}

ChosenTarget& GetChosenTarget() {
  static ChosenTarget chosen;
  return chosen;
}

void DisableTargets(int64_t disabled_targets) {
  enabled_targets = ~(disabled_targets & ~int64_t{HWY_STATIC_TARGET});
  GetChosenTarget().DeInit();
}

void SetSupportedTargetsForTest(int64_t targets) {
  targets_for_test = targets;
  GetChosenTarget().DeInit();
}

void Abort(const char* file, int line, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  std::fprintf(stderr, "%s:%d: ", file, line);
  std::vfprintf(stderr, format, arguments);
  std::fputc('\n', stderr);
  va_end(arguments);
  std::abort();
}

}  // namespace hwy
