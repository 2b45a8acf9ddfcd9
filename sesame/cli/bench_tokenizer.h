#pragma once

#include <CLI/CLI.hpp>

namespace sesame {

/// Adds `bench tokenizer`.
void add_bench_tokenizer(CLI::App& bench);

}  // namespace sesame
