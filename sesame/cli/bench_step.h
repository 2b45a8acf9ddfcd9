#pragma once

#include <CLI/CLI.hpp>

namespace sesame {

/// `bench step`, as a subcommand of `bench`.
void add_bench_step(CLI::App& bench);

}  // namespace sesame
