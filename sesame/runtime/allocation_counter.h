#pragma once

#include <cstdint>

namespace sesame {

/// How often this test program has called operator new since it started. allocation_counter_test.cc replaces the
/// operators.
int64_t allocation_count();

}  // namespace sesame
