#include "sesame/text/unigram/train/special_pieces.h"

#include <fmt/format.h>

#include <set>
#include <string_view>

#include "sesame/base/error.h"
#include "sesame/text/bpe/byte_alphabet.h"

namespace sesame::unigram {
namespace {

using model::PieceType;

class SpecialPieces {
 public:
  explicit SpecialPieces(const UnigramTrainerOptions& options) : options_(options) {}

  void put(int32_t id, const std::string& piece, std::string_view option) {
    if (piece.empty()) fail_usage(fmt::format("{}_piece must not be empty", option));
    if (id < 0) return;
    if (id >= options_.vocab_size) {
      fail_usage(fmt::format("{}_id {} must be below vocab_size {}", option, id, options_.vocab_size));
    }
    const auto [it, is_new] =
        pieces_.try_emplace(id, piece, piece == options_.unk_piece ? PieceType::unknown : PieceType::control);
    if (!is_new) fail_usage(fmt::format("{}_id {} is the id of '{}' already", option, id, it->second.piece));
    if (!strings_.insert(piece).second) fail_usage(fmt::format("{}_piece '{}' has an id already", option, piece));
  }

  void add(const std::string& piece, PieceType type, std::string_view option) {
    if (piece.empty()) fail_usage(fmt::format("{} must not be empty", option));
    if (piece == options_.unk_piece) fail_usage(fmt::format("{} '{}' is the unknown piece", option, piece));
    if (!added_.insert(piece).second) fail_usage(fmt::format("{} '{}' is given twice", option, piece));
    for (auto& [id, special] : pieces_) {
      if (special.piece != piece) continue;
      special.type = type;
      return;
    }
    while (pieces_.contains(next_)) ++next_;
    pieces_[next_] = {piece, type};
  }

  std::map<int32_t, SpecialPiece> take() { return std::move(pieces_); }

 private:
  const UnigramTrainerOptions& options_;
  std::map<int32_t, SpecialPiece> pieces_;
  std::set<std::string> strings_;
  std::set<std::string> added_;
  int32_t next_ = 0;
};

template <typename T>
void check_range(std::string_view option, T value, T least, T most) {
  if (!(value >= least && value <= most)) {
    fail_usage(fmt::format("{} {} must be from {} to {}", option, value, least, most));
  }
}

}  // namespace

std::map<int32_t, SpecialPiece> special_pieces(const UnigramTrainerOptions& options) {
  SpecialPieces pieces(options);
  if (options.unk_id < 0) fail_usage("unk_id must not be negative: a unigram model needs an unknown piece");
  pieces.put(options.unk_id, options.unk_piece, "unk");
  pieces.put(options.bos_id, options.bos_piece, "bos");
  pieces.put(options.eos_id, options.eos_piece, "eos");
  pieces.put(options.pad_id, options.pad_piece, "pad");
  for (const std::string& symbol : options.control_symbols) pieces.add(symbol, PieceType::control, "control symbol");
  for (const std::string& symbol : options.user_defined_symbols)
    pieces.add(symbol, PieceType::user_defined, "user-defined symbol");
  if (options.byte_fallback) {
    for (int byte = 0; byte < 256; ++byte) pieces.add(fmt::format("<0x{:02X}>", byte), PieceType::byte, "byte");
  }
  return pieces.take();
}

void check_options(const UnigramTrainerOptions& options) {
  check_range("vocab_size", options.vocab_size, 1, max_token_id + 1);
  check_range("character_coverage", options.character_coverage, 0.98f, 1.0f);
  check_range("max_sentencepiece_length", options.max_sentencepiece_length, 1, 512);
  check_range("num_sub_iterations", options.num_sub_iterations, 1, 10);
  check_range("shrinking_factor", options.shrinking_factor, 0.5f, 0.95f);
  check_range("seed_sentencepiece_size", options.seed_sentencepiece_size, int64_t{1}, int64_t{1} << 31);
  check_range("max_sentence_length", options.max_sentence_length, int64_t{10}, int64_t{1} << 30);
  if (!options.normalizer.escape_whitespaces) fail_usage("unigram models need white space to be escaped");
}

}  // namespace sesame::unigram
