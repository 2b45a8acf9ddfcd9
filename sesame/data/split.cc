#include "sesame/data/split.h"

#include <fmt/format.h>

#include "sesame/base/error.h"

namespace sesame {

Split split_tail(const TokenStream& tokens, double validation_fraction) {
  if (!(validation_fraction >= 0 && validation_fraction < 1)) {
    fail_usage(fmt::format("data.validation_fraction: {}, expected at least 0 and less than 1", validation_fraction));
  }
  const uint64_t n = tokens.size();
  const auto train = static_cast<uint64_t>(static_cast<double>(n) * (1 - validation_fraction));
  return {tokens.slice(0, train), tokens.slice(train, n)};
}

}  // namespace sesame
