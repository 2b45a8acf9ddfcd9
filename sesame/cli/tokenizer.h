#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "sesame/text/tokenizer.h"

namespace sesame {

/// The verbs under `sesame tokenizer`, each in a file of its own. As in verbs.h.
void add_tokenizer_train(CLI::App& app, int& status);
void add_tokenizer_encode(CLI::App& app, int& status);
void add_tokenizer_decode(CLI::App& app, int& status);
void add_tokenizer_count(CLI::App& app, int& status);
void add_tokenizer_show(CLI::App& app, int& status);
void add_tokenizer_info(CLI::App& app, int& status);
void add_tokenizer_compare(CLI::App& app, int& status);
void add_tokenizer_convert(CLI::App& app, int& status);

/// The argument TOKENIZER, and what its file may not say.
struct TokenizerArgument {
  std::string path;
  std::string pattern;
};
void add_tokenizer_argument(CLI::App& app, TokenizerArgument& argument, const char* name = "TOKENIZER",
                            const char* pattern_option = "--pattern");

/// Loads what TOKENIZER names: a file in any format, the directory of a model, or that of a training run.
Tokenizer load_tokenizer(const TokenizerArgument& argument);

/// What special tokens in the text are, and whether the post-processor adds its own.
struct SpecialArguments {
  bool parse_special = false;
  bool refuse_special = false;
  bool add_special = false;
  std::vector<std::string> allowed;
  bool truncate = false;
};
void add_special_options(CLI::App& app, SpecialArguments& arguments);
EncodeOptions encode_options(const SpecialArguments& arguments);

}  // namespace sesame
