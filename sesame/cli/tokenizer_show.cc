#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "sesame/base/progress.h"
#include "sesame/cli/tokenizer.h"
#include "sesame/io/byte_stream.h"
#include "sesame/text/report/piece_view.h"

namespace sesame {
namespace {

struct ShowArguments {
  TokenizerArgument tokenizer;
  std::string input = "-";
  std::string text;
  SpecialArguments special;
  std::string color = "auto";
  bool table = false;
};

void run_show(const ShowArguments& a) {
  const Tokenizer tokenizer = load_tokenizer(a.tokenizer);
  std::string text = a.text;
  if (text.empty()) {
    const std::unique_ptr<ByteReader> in = open_bytes(a.input);
    text = read_all(*in, size_t{1} << 28);
  }
  const EncodeOptions options = encode_options(a.special);
  const bool color = a.color == "always" || (a.color == "auto" && ProgressStyle::of(stdout).color);
  const std::string view = a.table
                               ? show_token_table(tokenizer, text, options)
                               : show_pieces(tokenizer, text, color ? PieceStyle::color : PieceStyle::bars, options);
  std::fwrite(view.data(), 1, view.size(), stdout);
  const uint64_t tokens = tokenizer.count(text, options);
  fmt::print(stderr, "{} tokens, {} bytes, {:.2f} bytes a token\n", tokens, text.size(),
             tokens == 0 ? 0.0 : static_cast<double>(text.size()) / static_cast<double>(tokens));
}

}  // namespace

void add_tokenizer_show(CLI::App& app, int&) {
  auto a = std::make_shared<ShowArguments>();
  add_tokenizer_argument(app, a->tokenizer);
  app.add_option("FILE", a->input, "text; - for standard input");
  app.add_option("--text", a->text, "the text itself, in place of a file");
  add_special_options(app, a->special);
  app.add_option("--color", a->color, "auto, always or never (bars between the pieces)")
      ->check(CLI::IsMember({"auto", "always", "never"}));
  app.add_flag("--table", a->table, "one line a token: id, spelling, place, text");
  app.footer("Example:\n  sesame tokenizer show tokenizer.json --text 'Unbelievable, isn't it?'");
  app.callback([a] { run_show(*a); });
}

}  // namespace sesame
