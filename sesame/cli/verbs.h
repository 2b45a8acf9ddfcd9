#pragma once

#include <CLI/CLI.hpp>

namespace sesame {

/// Each describes its verb to `app` and returns nothing; parsing runs the verb through its callback. A verb that ends
/// otherwise than well throws Error, or sets `status`.
void add_train(CLI::App& app, int& status);
void add_generate(CLI::App& app, int& status);
void add_eval(CLI::App& app, int& status);
void add_plan(CLI::App& app, int& status);
void add_tokenizer(CLI::App& app, int& status);
void add_vectors(CLI::App& app, int& status);
void add_bench(CLI::App& app, int& status);
void add_convert(CLI::App& app, int& status);

}  // namespace sesame
