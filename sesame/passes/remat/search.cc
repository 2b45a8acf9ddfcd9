#include "sesame/passes/remat/search.h"

#include "sesame/passes/remat/exact_search.h"
#include "sesame/passes/remat/local_search.h"

namespace sesame::remat {

std::optional<Sequence> search(const Problem& problem, const Sequence& start, int64_t budget,
                               const SearchLimits& limits) {
  simulate(problem, start);  // refuses a start that is no execution
  constexpr size_t kSmall = 12;
  if (problem.nodes.size() <= kSmall) {
    ExactSearch exact = exact_search(problem, budget);
    if (exact.complete) return std::move(exact.sequence);
  }
  std::optional<Sequence> found = local_search(problem, start, budget, limits);
  if (found && simulate(problem, *found).peak_bytes > budget) return std::nullopt;
  return found;
}

}  // namespace sesame::remat
