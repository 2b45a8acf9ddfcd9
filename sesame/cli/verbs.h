#pragma once

#include <CLI/CLI.hpp>
#include <span>

namespace sesame {

struct Verb {
  const char* name;
  const char* summary;
  void (*add)(CLI::App&, int&);
};

/// Adds the verbs under a verb, of which a command line must name one.
void add_subverbs(CLI::App& app, std::span<const Verb> verbs, int& status);

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
