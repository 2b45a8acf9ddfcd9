#include "sesame/text/sentencepiece/model_file.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "sesame/base/error.h"
#include "sesame/text/bpe/byte_alphabet.h"
#include "sesame/text/sentencepiece/charsmap.h"
#include "sesame/text/sentencepiece/protobuf.h"
#include "sesame/text/unigram/best_path.h"
#include "sesame/text/words/string_map.h"

namespace sesame {
namespace {

using model::PieceType;
using SentencePieceModel = model::SentencePiece;

// Numbers of fields in sentencepiece_model.proto.
enum ModelField : uint32_t { pieces_field = 1, trainer_field = 2, normalizer_field = 3, denormalizer_field = 5 };
enum PieceField : uint32_t { piece_field = 1, score_field = 2, type_field = 3 };
enum TrainerField : uint32_t {
  model_type_field = 3,
  vocab_size_field = 4,
  whitespace_as_suffix_field = 24,
  byte_fallback_field = 35,
  unk_id_field = 40,
  bos_id_field = 41,
  eos_id_field = 42,
  pad_id_field = 43,
  unk_surface_field = 44,
  unk_piece_field = 45,
  bos_piece_field = 46,
  eos_piece_field = 47,
  pad_piece_field = 48,
};
enum NormalizerField : uint32_t {
  charsmap_field = 2,
  add_dummy_prefix_field = 3,
  remove_extra_whitespaces_field = 4,
  escape_whitespaces_field = 5,
};

struct TrainerSpec {
  SentencePieceModel::Type type = SentencePieceModel::Type::unigram;
  bool byte_fallback = false;
  bool whitespace_as_suffix = false;
  std::string unk_surface = SentencePieceModel().unk_surface;
  std::string bos_piece = "<s>";
  std::string eos_piece = "</s>";
  std::string pad_piece = "<pad>";
};

void read_piece(ProtobufFields fields, TokenizerSpec& spec, SentencePieceModel& model) {
  std::string_view piece;
  float score = 0;
  int32_t type = static_cast<int32_t>(PieceType::normal);
  while (fields.next()) {
    if (fields.number() == piece_field) piece = fields.bytes();
    if (fields.number() == score_field) score = fields.float32();
    if (fields.number() == type_field) type = fields.int32();
  }
  const auto id = static_cast<int32_t>(model.scores.size());
  if (id > max_token_id) fields.fail_here(fmt::format("there are more than {} pieces", max_token_id));
  if (piece.empty()) fields.fail_here(fmt::format("the piece {} is empty", id));
  if (type < static_cast<int32_t>(PieceType::normal) || type > static_cast<int32_t>(PieceType::byte)) {
    fields.fail_here(fmt::format("the piece {} ('{}') has the type {}, which is not from 1 to 6", id, piece, type));
  }
  constexpr float largest_score = UnigramPieces<float>::largest_score;
  if (!(std::abs(score) <= largest_score)) {
    fields.fail_here(fmt::format("the score of piece {} ('{}') is {}: expected a number from {} to {}", id, piece,
                                 score, -largest_score, largest_score));
  }
  spec.vocabulary.push_back({std::string(piece), id});
  model.scores.push_back(score);
  model.types.push_back(static_cast<PieceType>(type));
}

TrainerSpec read_trainer_spec(ProtobufFields fields) {
  TrainerSpec trainer;
  while (fields.next()) {
    switch (fields.number()) {
      case model_type_field: {
        const int32_t type = fields.int32();
        if (type < 1 || type > 4) fields.fail_here(fmt::format("the model type {} is not from 1 to 4", type));
        trainer.type = static_cast<SentencePieceModel::Type>(type);
        break;
      }
      case whitespace_as_suffix_field:
        trainer.whitespace_as_suffix = fields.boolean();
        break;
      case byte_fallback_field:
        trainer.byte_fallback = fields.boolean();
        break;
      case unk_surface_field:
        trainer.unk_surface = fields.bytes();
        break;
      case bos_piece_field:
        trainer.bos_piece = fields.bytes();
        break;
      case eos_piece_field:
        trainer.eos_piece = fields.bytes();
        break;
      case pad_piece_field:
        trainer.pad_piece = fields.bytes();
        break;
      default:
        break;
    }
  }
  return trainer;
}

normalizer::SentencePiece read_normalizer_spec(ProtobufFields fields) {
  normalizer::SentencePiece normalizer;
  while (fields.next()) {
    switch (fields.number()) {
      case charsmap_field:
        normalizer.charsmap = fields.bytes();
        break;
      case add_dummy_prefix_field:
        normalizer.add_dummy_prefix = fields.boolean();
        break;
      case remove_extra_whitespaces_field:
        normalizer.remove_extra_whitespaces = fields.boolean();
        break;
      case escape_whitespaces_field:
        normalizer.escape_whitespaces = fields.boolean();
        break;
      default:
        break;
    }
  }
  return normalizer;
}

/// Ids of pieces by text; checks what SentencePiece checks when it loads a model.
StringMap index_pieces(const TokenizerSpec& spec, SentencePieceModel& model, std::string_view origin) {
  StringMap ids;
  std::optional<int32_t> unknown;
  int32_t bytes = 0;
  for (const auto& [piece, id] : spec.vocabulary) {
    if (!ids.emplace(piece, id).second) fail(fmt::format("{}: the piece '{}' ({}) appears twice", origin, piece, id));
    const PieceType type = model.types[static_cast<size_t>(id)];
    if (type == PieceType::unknown) {
      if (unknown) fail(fmt::format("{}: there are two unknown pieces, {} and {}", origin, *unknown, id));
      unknown = id;
    }
    if (type != PieceType::byte) continue;
    if (!model.byte_fallback) {
      fail(fmt::format("{}: there is the byte piece '{}' ({}), but no byte_fallback", origin, piece, id));
    }
    if (!parse_byte_token(piece)) fail(fmt::format("{}: the byte piece '{}' ({}) names no byte", origin, piece, id));
    ++bytes;
  }
  if (!unknown) fail(fmt::format("{}: none of the {} pieces is the unknown one", origin, spec.vocabulary.size()));
  if (model.byte_fallback && bytes != 256) {
    fail(fmt::format("{}: byte_fallback takes 256 byte pieces, there are {}", origin, bytes));
  }
  model.unk_id = *unknown;
  return ids;
}

/// The table of a denormalizer. spm_train writes none that does more than replace.
std::string checked_denormalizer(const normalizer::SentencePiece& denormalizer, std::string_view origin) {
  if (denormalizer.charsmap.empty()) return {};
  if (denormalizer.add_dummy_prefix || denormalizer.remove_extra_whitespaces || denormalizer.escape_whitespaces) {
    fail(fmt::format("{}: denormalizer_spec: Sesame does not support one that changes white space", origin));
  }
  [[maybe_unused]] const Charsmap map(denormalizer.charsmap, fmt::format("{}: denormalizer_spec", origin));
  return denormalizer.charsmap;
}

int32_t control_id(const StringMap& ids, const SentencePieceModel& model, const std::string& piece) {
  const auto found = ids.find(piece);
  if (found == ids.end() || model.types[static_cast<size_t>(found->second)] != PieceType::control) return -1;
  return found->second;
}

void add_post_processor(TokenizerSpec& spec, const SentencePieceModel& model) {
  const bool before = model.type == SentencePieceModel::Type::bpe && model.bos_id >= 0;
  const bool after = model.type != SentencePieceModel::Type::bpe && model.bos_id < 0 && model.eos_id >= 0;
  if (!before && !after) return;
  const int32_t id = before ? model.bos_id : model.eos_id;
  const std::string& token = spec.vocabulary[static_cast<size_t>(id)].token;
  post_processor::Template around;
  around.special_tokens.push_back({token, {id}, {token}});
  int32_t type_id = 0;
  for (const std::string_view sequence : {"A", "B"}) {
    if (before) around.pair.push_back({token, false, type_id});
    around.pair.push_back({std::string(sequence), true, type_id});
    if (after) around.pair.push_back({token, false, type_id});
    if (around.single.empty()) around.single = around.pair;
    type_id = before ? 1 : 0;
  }
  spec.post_processors.emplace_back(std::move(around));
}

int32_t checked_special(const TokenizerSpec& spec, int32_t id, std::string_view name) {
  if (id >= static_cast<int32_t>(spec.vocabulary.size())) {
    fail(fmt::format("sentencepiece.model: {} is {}, but there are {} pieces", name, id, spec.vocabulary.size()));
  }
  return std::max(id, -1);
}

ProtobufMessage format_trainer_spec(const TokenizerSpec& spec, const SentencePieceModel& model,
                                    const normalizer::SentencePiece& normalizer) {
  ProtobufMessage trainer;
  trainer.add_varint(model_type_field, static_cast<uint64_t>(model.type));
  trainer.add_int32(vocab_size_field, static_cast<int32_t>(spec.vocabulary.size()));
  trainer.add_boolean(whitespace_as_suffix_field, normalizer.treat_whitespace_as_suffix);
  trainer.add_boolean(byte_fallback_field, model.byte_fallback);
  struct Special {
    std::string_view name;
    int32_t id;
    uint32_t id_field;
    uint32_t piece_field;
  };
  const Special specials[] = {{"unk_id", model.unk_id, unk_id_field, unk_piece_field},
                              {"bos_id", model.bos_id, bos_id_field, bos_piece_field},
                              {"eos_id", model.eos_id, eos_id_field, eos_piece_field},
                              {"pad_id", model.pad_id, pad_id_field, pad_piece_field}};
  for (const Special& special : specials) {
    trainer.add_int32(special.id_field, checked_special(spec, special.id, special.name));
  }
  trainer.add_bytes(unk_surface_field, model.unk_surface);
  for (const Special& special : specials) {
    if (special.id < 0) continue;
    trainer.add_bytes(special.piece_field, spec.vocabulary[static_cast<size_t>(special.id)].token);
  }
  return trainer;
}

}  // namespace

bool is_sentencepiece_model(std::string_view first_bytes) noexcept {
  // Field 1 of ModelProto, its size, then field 1 of SentencePiece.
  if (first_bytes.size() < 5 || first_bytes[0] != '\x0A') return false;
  const size_t at = static_cast<uint8_t>(first_bytes[1]) < 0x80 ? 2 : 3;
  return first_bytes[at] == '\x0A' && first_bytes[at + 1] != '\0';
}

TokenizerSpec read_sentencepiece_model(std::string_view bytes, std::string_view origin) {
  TokenizerSpec spec;
  SentencePieceModel model;
  TrainerSpec trainer;
  normalizer::SentencePiece normalizer;
  ProtobufFields fields(bytes, std::string(origin));
  while (fields.next()) {
    switch (fields.number()) {
      case pieces_field:
        read_piece(fields.message(), spec, model);
        break;
      case trainer_field:
        trainer = read_trainer_spec(fields.message());
        break;
      case normalizer_field:
        normalizer = read_normalizer_spec(fields.message());
        break;
      case denormalizer_field: {
        const normalizer::SentencePiece denormalizer = read_normalizer_spec(fields.message());
        model.denormalizer_charsmap = checked_denormalizer(denormalizer, origin);
        break;
      }
      default:
        break;
    }
  }
  [[maybe_unused]] const Charsmap map(normalizer.charsmap, origin);
  model.type = trainer.type;
  model.byte_fallback = trainer.byte_fallback;
  model.unk_surface = trainer.unk_surface;
  normalizer.treat_whitespace_as_suffix = trainer.whitespace_as_suffix;
  const StringMap ids = index_pieces(spec, model, origin);
  model.bos_id = control_id(ids, model, trainer.bos_piece);
  model.eos_id = control_id(ids, model, trainer.eos_piece);
  model.pad_id = control_id(ids, model, trainer.pad_piece);
  for (const auto& [piece, id] : spec.vocabulary) {
    if (model.types[static_cast<size_t>(id)] != PieceType::control) continue;
    AddedToken token;
    token.id = id;
    token.content = piece;
    token.special = true;
    spec.added_tokens.push_back(std::move(token));
  }
  add_post_processor(spec, model);
  spec.normalizers.emplace_back(std::move(normalizer));
  spec.decoders.emplace_back(decoder::SentencePiece{});
  spec.model = std::move(model);
  return spec;
}

std::string format_sentencepiece_model(const TokenizerSpec& spec) {
  const auto* const model = std::get_if<SentencePieceModel>(&spec.model);
  if (model == nullptr) fail("sentencepiece.model: only a SentencePiece model can be written so");
  normalizer::SentencePiece normalizer;
  if (spec.normalizers.size() == 1 && std::holds_alternative<normalizer::SentencePiece>(spec.normalizers.front())) {
    normalizer = std::get<normalizer::SentencePiece>(spec.normalizers.front());
  } else {
    fail("sentencepiece.model: its normalizer must be SentencePiece's own");
  }
  if (model->scores.size() != spec.vocabulary.size() || model->types.size() != spec.vocabulary.size()) {
    fail(fmt::format("sentencepiece.model: {} pieces have {} scores and {} types", spec.vocabulary.size(),
                     model->scores.size(), model->types.size()));
  }
  ProtobufMessage file;
  for (size_t i = 0; i < spec.vocabulary.size(); ++i) {
    if (spec.vocabulary[i].id != static_cast<int32_t>(i)) {
      fail(fmt::format("sentencepiece.model: the piece '{}' has the id {} instead of {}", spec.vocabulary[i].token,
                       spec.vocabulary[i].id, i));
    }
    ProtobufMessage piece;
    piece.add_bytes(piece_field, spec.vocabulary[i].token);
    piece.add_float32(score_field, model->scores[i]);
    if (model->types[i] != PieceType::normal) piece.add_varint(type_field, static_cast<uint64_t>(model->types[i]));
    file.add_message(pieces_field, piece);
  }
  file.add_message(trainer_field, format_trainer_spec(spec, *model, normalizer));

  ProtobufMessage normalizer_spec;
  normalizer_spec.add_bytes(charsmap_field, normalizer.charsmap);
  normalizer_spec.add_boolean(add_dummy_prefix_field, normalizer.add_dummy_prefix);
  normalizer_spec.add_boolean(remove_extra_whitespaces_field, normalizer.remove_extra_whitespaces);
  normalizer_spec.add_boolean(escape_whitespaces_field, normalizer.escape_whitespaces);
  file.add_message(normalizer_field, normalizer_spec);
  if (!model->denormalizer_charsmap.empty()) {
    ProtobufMessage denormalizer;
    denormalizer.add_bytes(charsmap_field, model->denormalizer_charsmap);
    for (const uint32_t flag : {add_dummy_prefix_field, remove_extra_whitespaces_field, escape_whitespaces_field}) {
      denormalizer.add_boolean(flag, false);
    }
    file.add_message(denormalizer_field, denormalizer);
  }
  return file.bytes();
}

}  // namespace sesame
