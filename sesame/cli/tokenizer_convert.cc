#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "sesame/cli/tokenizer.h"
#include "sesame/text/files/save_tokenizer.h"

namespace sesame {
namespace {

struct ConvertArguments {
  TokenizerArgument tokenizer;
  std::string out;
  std::string to = "auto";
};

void run_convert(const ConvertArguments& a) {
  const Tokenizer tokenizer = load_tokenizer(a.tokenizer);
  if (a.to == "image" || (a.to == "auto" && std::filesystem::path(a.out).extension() == ".image")) {
    tokenizer.save_image(a.out);
  } else if (a.to == "auto" && std::filesystem::is_directory(a.out)) {
    tokenizer.save(a.out);
  } else {
    save_tokenizer(tokenizer.spec(), a.out, a.to == "auto" ? tokenizer_format_of_file(a.out) : tokenizer_format(a.to));
  }
  fmt::print(stderr, "{}: {} tokens\n", a.out, tokenizer.vocabulary_size());
}

}  // namespace

void add_tokenizer_convert(CLI::App& app, int&) {
  auto a = std::make_shared<ConvertArguments>();
  add_tokenizer_argument(app, a->tokenizer);
  app.add_option("--out", a->out, "file, or directory, to write")->required();
  app.add_option(
      "--to", a->to,
      "tokenizer.json, sentencepiece, tiktoken, vocab.txt, vocab.json or image (loads in a millisecond); auto: "
      "by the name of --out");
  app.footer(
      "Example:\n  sesame tokenizer convert tokenizer.model --out tokenizer.json\n"
      "  sesame tokenizer convert tokenizer.json --out tokenizer.image");
  app.callback([a] { run_convert(*a); });
}

}  // namespace sesame
