#pragma once

#include <CLI/CLI.hpp>

namespace sesame {

/// The verbs under `sesame vectors`, each in a file of its own. As in verbs.h.
void add_vectors_train(CLI::App& app, int& status);
void add_vectors_phrases(CLI::App& app, int& status);
void add_vectors_convert(CLI::App& app, int& status);
void add_vectors_neighbors(CLI::App& app, int& status);
void add_vectors_analogy(CLI::App& app, int& status);
void add_vectors_similarity(CLI::App& app, int& status);
void add_vectors_eval(CLI::App& app, int& status);
void add_vectors_plot(CLI::App& app, int& status);

}  // namespace sesame
