#include "sesame/text/encode/thread_states.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>

namespace sesame {
namespace {

struct Kept {
  uint64_t serial = 0;
  std::unique_ptr<TextEncoder::State> state;
};

}  // namespace

uint64_t next_state_serial() {
  static std::atomic<uint64_t> serial{0};
  return ++serial;
}

TextEncoder::State& thread_state(uint64_t serial, const TextEncoder& encoder) {
  thread_local std::array<Kept, 4> kept;
  const auto found = std::find_if(kept.begin(), kept.end(), [&](const Kept& k) { return k.serial == serial; });
  if (found != kept.end()) {
    std::rotate(kept.begin(), found, found + 1);
    return *kept.front().state;
  }
  std::unique_ptr<TextEncoder::State> state = encoder.make_state();
  std::rotate(kept.begin(), kept.end() - 1, kept.end());
  kept.front() = {serial, std::move(state)};
  return *kept.front().state;
}

IdBuffer& thread_ids() {
  thread_local IdBuffer ids;
  return ids;
}

}  // namespace sesame
