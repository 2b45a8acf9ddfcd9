#include "sesame/base/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>

namespace sesame {
namespace {

std::atomic<bool> signalled{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may touch lock-free atomics only");

struct sigaction former_interrupt, former_terminate;

void on_signal(int) {
  constexpr int kInterruptedStatus = 130;  // 128 + SIGINT, the shell's convention
  if (signalled.exchange(true)) _exit(kInterruptedStatus);
}

}  // namespace

InterruptGuard::InterruptGuard() {
  signalled = false;
  struct sigaction action = {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, &former_interrupt);
  sigaction(SIGTERM, &action, &former_terminate);
}

InterruptGuard::~InterruptGuard() {
  sigaction(SIGINT, &former_interrupt, nullptr);
  sigaction(SIGTERM, &former_terminate, nullptr);
  signalled = false;
}

bool InterruptGuard::interrupted() noexcept { return signalled.load(std::memory_order_relaxed); }

}  // namespace sesame
