#include <filesystem>

#include "sesame/cli/tokenizer.h"
#include "sesame/cli/verbs.h"
#include "sesame/train/run_directory.h"

namespace sesame {
namespace {

constexpr Verb kSubverbs[] = {
    {"train", "learn a tokenizer from text: BPE, WordPiece, Unigram", add_tokenizer_train},
    {"encode", "text to token ids", add_tokenizer_encode},
    {"decode", "token ids to text, byte for byte", add_tokenizer_decode},
    {"count", "how many tokens files have", add_tokenizer_count},
    {"show", "see the pieces of a text in colour", add_tokenizer_show},
    {"info", "what a tokenizer does, and how well it fits languages", add_tokenizer_info},
    {"compare", "where two tokenizers differ", add_tokenizer_compare},
    {"convert", "from any format to any other that can express it", add_tokenizer_convert},
};

}  // namespace

void add_tokenizer_argument(CLI::App& app, TokenizerArgument& argument, const char* name, const char* pattern_option) {
  app.add_option(name, argument.path,
                 "a tokenizer in any format (tokenizer.json, .model, vocab.txt, vocab.json, .tiktoken, image), or the "
                 "directory of a model or run")
      ->required();
  app.add_option(pattern_option, argument.pattern,
                 "how a .tiktoken file splits text, where neither its name nor its size says: an encoding "
                 "(cl100k_base, which has special tokens as well) or a split pattern (cl100k)")
      ->option_text("NAME");
}

Tokenizer load_tokenizer(const TokenizerArgument& argument) {
  const std::string& path = argument.path;
  std::error_code ignored;
  const bool is_run = std::filesystem::is_directory(path, ignored) &&
                      std::filesystem::exists(RunDirectory{path}.recipe(), ignored) &&
                      !std::filesystem::exists(RunDirectory{path}.tokenizer(), ignored);
  return Tokenizer::load(is_run ? find_model(path) : std::filesystem::path(path), argument.pattern);
}

void add_special_options(CLI::App& app, SpecialArguments& a) {
  app.add_flag("--parse-special", a.parse_special,
               "special tokens written in the text (<|endoftext|>) are recognised; else they are ordinary text");
  app.add_flag("--refuse-special", a.refuse_special, "special tokens written in the text are an error");
  app.add_option("--allow-special", a.allowed, "a special token that is recognised all the same; may be repeated")
      ->option_text("TOKEN")
      ->allow_extra_args(false);
  app.add_flag("--add-special", a.add_special, "what the tokenizer's post-processor adds: <s>, [CLS] ... [SEP]");
  app.add_flag("--truncate-and-pad", a.truncate, "apply the truncation and padding that the tokenizer's file asks for");
}

EncodeOptions encode_options(const SpecialArguments& a) {
  EncodeOptions options;
  options.parse_special = a.parse_special;
  options.special = a.refuse_special ? SpecialText::refuse : SpecialText::text;
  options.add_special = a.add_special;
  options.allowed_special = a.allowed;
  options.truncate_and_pad = a.truncate;
  return options;
}

void add_tokenizer(CLI::App& app, int& status) {
  add_subverbs(app, kSubverbs, status);
  app.footer(
      "Example:\n  sesame tokenizer train book.txt --vocab-size 4096 --out tokenizer.json\n"
      "  echo Hello, world | sesame tokenizer show tokenizer.json");
}

}  // namespace sesame
