#include "sesame/text/files/vocab_txt.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/tokenizer_use.h"

namespace sesame::fuzz {
namespace {

void parse(std::string_view input) {
  const TokenizerSpec spec = read_vocab_txt(scratch_file("vocab.txt", input), BertSettings());
  use_tokenizer(Tokenizer(spec, "vocab.txt"), input);
  allow_error([&] {
    const std::string written = format_vocab_txt(spec);
    const TokenizerSpec again = read_vocab_txt(scratch_file("written.txt", written), BertSettings());
    require(format_vocab_txt(again) == written, "vocab.txt is written as it was read");
  });
}

std::vector<std::string> seeds() {
  return {"[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n##a\n##b\nab\n##ab\nhello\n,\n!\n中\nö\nw\n##o\n1\n##2\n",
          "[UNK]\r\na\r\n##b\r\n\r\na\r\n##\r\n", "[UNK]\n" + repeated("a", 300) + "\n##" + repeated("a", 300) + "\n"};
}

const Target target("vocab_txt", parse, seeds);

}  // namespace
}  // namespace sesame::fuzz
