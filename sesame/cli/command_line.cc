#include "sesame/cli/command_line.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstring>
#include <new>
#include <string>
#include <vector>

#include "sesame/base/error.h"
#include "sesame/base/text_format.h"
#include "sesame/cli/verbs.h"

namespace sesame {
namespace {

constexpr const char* kVersion = SESAME_VERSION;

constexpr Verb kVerbs[] = {
    {"train", "train a model as a recipe says", add_train},
    {"generate", "let a model write", add_generate},
    {"eval", "measure how well a model predicts a text", add_eval},
    {"plan", "what a recipe will cost: parameters, FLOPs, memory, time", add_plan},
    {"tokenizer", "train a tokenizer, encode, decode", add_tokenizer},
    {"vectors", "train word vectors, search them, evaluate them", add_vectors},
    {"bench", "measure the speed of a recipe's training step", add_bench},
    {"convert", "turn another program's checkpoint into a model directory", add_convert},
};

void print_help() {
  std::puts(
      "Sesame: self-supervised learning, from raw text to a model that writes.\n\nUsage: sesame VERB ...\n\nVerbs:");
  for (const Verb& verb : kVerbs) fmt::print("  {:<10} {}\n", verb.name, verb.summary);
  std::puts(
      "\n  sesame VERB --help   what a verb takes, with an example\n  sesame --version     the version\n\nExample:\n"
      "  sesame train recipes/demo.toml --set data.train=book.txt --out book\n"
      "  sesame generate book --prompt \"In the beginning\"");
}

const Verb& find_verb(const char* name) {
  std::vector<std::string> names;
  for (const Verb& verb : kVerbs) {
    if (std::strcmp(verb.name, name) == 0) return verb;
    names.emplace_back(verb.name);
  }
  fail_usage(
      fmt::format("unknown verb \"{}\"{}; the verbs are {}", name, suggestion(name, names), fmt::join(names, ", ")));
}

int run_verb(const Verb& verb, int argc, const char* const* argv) {
  CLI::App app(verb.summary, fmt::format("sesame {}", verb.name));
  int status = 0;
  verb.add(app, status);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    app.exit(help);
  } catch (const CLI::ParseError& error) {
    fail_usage(fmt::format("{}: {}; see sesame {} --help", verb.name, error.what(), verb.name));
  }
  return status;
}

int run(int argc, const char* const* argv) {
  if (argc < 2) {
    print_help();
    return static_cast<int>(ExitStatus::usage);
  }
  if (std::strcmp(argv[1], "--version") == 0) {
    fmt::print("sesame {}\n", kVersion);
    return 0;
  }
  if (std::strcmp(argv[1], "--help") == 0 || std::strcmp(argv[1], "-h") == 0 || std::strcmp(argv[1], "help") == 0) {
    print_help();
    return 0;
  }
  return run_verb(find_verb(argv[1]), argc - 1, argv + 1);
}

int report(const char* what, ExitStatus status) {
  fmt::print(stderr, "sesame: {}\n", what);
  return static_cast<int>(status);
}

}  // namespace

void add_subverbs(CLI::App& app, std::span<const Verb> verbs, int& status) {
  app.require_subcommand(1);
  for (const Verb& verb : verbs) verb.add(*app.add_subcommand(verb.name, verb.summary), status);
}

int run_command_line(int argc, const char* const* argv) {
  int status = 0;
  try {
    status = run(argc, argv);
  } catch (const Error& error) {
    status = report(error.what(), error.status());
  } catch (const std::bad_alloc&) {
    status = report("the machine's memory does not suffice for this", ExitStatus::failure);
  } catch (const std::exception& error) {
    status = report(error.what(), ExitStatus::failure);
  }
  if (std::fflush(stdout) != 0 && status == 0)
    status = report("could not write to standard output", ExitStatus::failure);
  return status;
}

}  // namespace sesame
