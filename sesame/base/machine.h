#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace sesame {

class ThreadPool;

/// What the machine gives this process right now, measured and not looked up: what else runs beside us counts.
struct MachineSpeed {
  double peak_gflops = 0;    // float32 fused multiply-adds, two operations each, 10^9 a second, all threads of the pool
  double read_gbytes_s = 0;  // reading memory that no cache holds, 10^9 bytes a second, all threads of the pool
};

/// Highest rate of float32 multiply-adds with the widest vectors at hand, in GFLOP/s over all threads of the pool.
/// The best of `trials` of about `trial_seconds` each.
double probe_peak_gflops(ThreadPool& pool, int trials = 5, double trial_seconds = 0.01);

/// What that probe runs, on the calling thread: `rounds` rounds of multiply-adds in registers. Returns the operations
/// done, for those who time it by a clock of their own.
double multiply_add_rounds(int64_t rounds);

/// Highest rate of reading, in 10^9 bytes a second over all threads of the pool, from a buffer that is taken for it and
/// given back. By default it has four times the size of the last-level cache, at least 64 MiB and at most 256 MiB: that
/// is the bandwidth of memory. With `bytes` that fit in a cache it is that cache's.
double probe_read_bandwidth(ThreadPool& pool, int trials = 3, size_t bytes = 0);

/// Of the largest cache; 0 where the system does not say.
size_t last_level_cache_bytes();

/// Both probes; about 0.2 s.
MachineSpeed probe_machine(ThreadPool& pool);

/// The processor's name as it gives it, such as "AMD EPYC 7763", or "unknown processor".
std::string processor_name();

/// The widest vector instructions that our kernels use here, such as "AVX2".
std::string vector_instructions();

/// Bytes of memory that can be had without swapping: what the system says, or less where a cgroup limits it.
uint64_t available_memory();

/// Bytes of this process that are resident now, and the highest value so far.
uint64_t resident_bytes();
uint64_t peak_resident_bytes();

/// Lets peak_resident_bytes() start again from what is resident now. False where the system does not allow it.
bool reset_peak_resident_bytes();

}  // namespace sesame
