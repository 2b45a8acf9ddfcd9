#include "sesame/text/sentencepiece/charsmap.h"
#include "sesame/text/sentencepiece/model_file.h"
#include "sesame/text/tokenizer_spec.h"
#include "tests/fuzz/small_tokenizers.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/tokenizer_use.h"

namespace sesame::fuzz {
namespace {

void parse(std::string_view input) {
  const TokenizerSpec spec = read_sentencepiece_model(input, "a.model");
  const auto rewritten = [](std::string_view bytes) {
    return format_sentencepiece_model(read_sentencepiece_model(bytes, "again"));
  };
  // A file may name pieces that it lacks; what is written no longer does.
  const std::string written = rewritten(format_sentencepiece_model(spec));
  require(rewritten(written) == written, "a model is written as it was read");
  use_tokenizer(Tokenizer(spec, "a.model"), input);
}

std::vector<std::string> seeds() {
  const std::string charsmap = compile_charsmap({{"A", "a"}, {"\xef\xbc\xa1", "a"}, {"o\xcc\x88", "ö"}, {"\t", " "}});
  using Type = model::SentencePiece::Type;
  return {format_sentencepiece_model(small_sentencepiece(Type::unigram, false, charsmap)),
          format_sentencepiece_model(small_sentencepiece(Type::bpe, true, "")),
          format_sentencepiece_model(small_sentencepiece(Type::character, false, charsmap)),
          format_sentencepiece_model(small_sentencepiece(Type::word, false, ""))};
}

const Target target("sentencepiece_model", parse, seeds);

}  // namespace
}  // namespace sesame::fuzz
