#include "tests/fuzz/target.h"

/// libFuzzer's entry point: the one target that the program is linked with.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const sesame::fuzz::Target& target = *sesame::fuzz::Target::all().front();
  (void)target.run({reinterpret_cast<const char*>(data), size});
  return 0;
}
