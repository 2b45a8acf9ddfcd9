#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "sesame/base/error.h"
#include "sesame/cli/verbs.h"
#include "sesame/train/convert.h"

namespace sesame {
namespace {

struct ConvertArguments {
  std::string checkpoint;
  std::string tokenizer;
  std::string out;
};

void run_convert(const ConvertArguments& a) {
  std::error_code ignored;
  if (std::filesystem::exists(a.out, ignored))
    fail_usage(fmt::format("--out {}: exists; choose a new directory", a.out));
  convert_llama2c(a.checkpoint, a.tokenizer, a.out);
  fmt::print(stderr, "{}: written; try: sesame generate {} --prompt \"Once upon a time\"\n", a.out, a.out);
}

}  // namespace

void add_convert(CLI::App& app, int&) {
  auto a = std::make_shared<ConvertArguments>();
  app.add_option("CHECKPOINT", a->checkpoint, "llama2.c's model.bin")->required();
  app.add_option("--tokenizer", a->tokenizer, "llama2.c's tokenizer.bin")->required();
  app.add_option("--out", a->out, "the model directory to write")->required();
  app.footer("Example:\n  sesame convert stories260K.bin --tokenizer tok512.bin --out stories");
  app.callback([a] { run_convert(*a); });
}

}  // namespace sesame
