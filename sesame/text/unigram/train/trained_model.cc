#include "sesame/text/unigram/train/trained_model.h"

#include <fmt/format.h>

#include <utility>

#include "sesame/base/error.h"
#include "sesame/text/sentencepiece/model_file.h"

namespace sesame::unigram {

TokenizerSpec make_trained_model(const UnigramTrainerOptions& options, const std::map<int32_t, SpecialPiece>& special,
                                 model::SentencePiece::Type type, const std::vector<ScoredPiece>& pieces) {
  TokenizerSpec spec;
  model::SentencePiece model;
  size_t next = 0;
  for (int32_t id = 0; id < options.vocab_size; ++id) {
    const auto it = special.find(id);
    if (it == special.end() && next == pieces.size()) break;
    const bool is_special = it != special.end();
    spec.vocabulary.push_back({is_special ? it->second.piece : pieces[next].piece, id});
    model.scores.push_back(is_special ? 0 : pieces[next].score);
    model.types.push_back(is_special ? it->second.type : model::PieceType::normal);
    if (!is_special) ++next;
  }
  const auto size = static_cast<int32_t>(spec.vocabulary.size());
  if (special.rbegin()->first >= size) {
    fail(fmt::format("the text gives only {} pieces, too few for the id {} of '{}'", next, special.rbegin()->first,
                     special.rbegin()->second.piece));
  }
  if (options.hard_vocab_limit && size != options.vocab_size) {
    fail(
        fmt::format("vocab_size {} is too large for this text: the largest possible is {} (or set hard_vocab_limit to "
                    "false for a smaller vocabulary)",
                    options.vocab_size, size));
  }
  model.type = type;
  model.byte_fallback = options.byte_fallback;
  model.unk_id = options.unk_id;
  model.bos_id = options.bos_id;
  model.eos_id = options.eos_id;
  model.pad_id = options.pad_id;
  model.unk_surface = options.unk_surface;
  spec.model = std::move(model);
  spec.normalizers.emplace_back(options.normalizer);
  spec.decoders.emplace_back(decoder::SentencePiece{});
  // Through the file's form, so that what was trained is what will be loaded.
  return read_sentencepiece_model(format_sentencepiece_model(spec), "the trained model");
}

}  // namespace sesame::unigram
