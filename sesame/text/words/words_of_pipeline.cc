#include <memory>

#include "sesame/text/pipeline/text_stages.h"
#include "sesame/text/tokenizer_spec.h"
#include "sesame/text/words/word_counter.h"

namespace sesame {

WordSplit words_of_pipeline(const TokenizerSpec& spec, std::string_view origin) {
  struct Stages {
    Normalizer normalizer;
    PreTokenizer pre_tokenizer;
  };
  const auto stages = std::make_shared<const Stages>(
      Stages{Normalizer(spec.normalizers, origin), PreTokenizer(spec.pre_tokenizers, origin)});
  return [stages](std::string_view text, FunctionRef<void(std::string_view)> emit) {
    if (stages->normalizer.empty()) return stages->pre_tokenizer.apply(text, true, emit);
    stages->pre_tokenizer.apply(stages->normalizer.apply(text), true, emit);
  };
}

}  // namespace sesame
