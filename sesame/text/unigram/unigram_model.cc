#include "sesame/text/unigram/unigram_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "sesame/base/error.h"
#include "sesame/text/bpe/bpe_model.h"
#include "sesame/text/bpe/byte_alphabet.h"
#include "sesame/text/unicode/unicode.h"
#include "sesame/text/unigram/json_score.h"

namespace sesame {
namespace {

size_t utf8_length(std::string_view text, size_t begin) { return decode_utf8(text, begin).length; }

}  // namespace

struct UnigramModel::Buffers : Scratch {
  UnigramPaths<double> paths;
  std::vector<PieceToken> path;
};

UnigramModel::UnigramModel(const model::Unigram& model, const TokenizerSpec& spec, std::string_view origin)
    : byte_fallback_(model.byte_fallback) {
  const size_t size = spec.vocabulary.size();
  if (model.scores.size() != size) {
    fail(fmt::format("{}: model: {} pieces have {} scores", origin, size, model.scores.size()));
  }
  if (model.unk_id && (*model.unk_id < 0 || static_cast<size_t>(*model.unk_id) >= size)) {
    fail(fmt::format("{}: model: the unk_id {} is not one of {} pieces", origin, *model.unk_id, size));
  }
  byte_ids_.fill(-1);
  std::vector<double> scores(size);
  double least = std::numeric_limits<double>::infinity();
  std::vector<std::pair<std::string_view, int32_t>> strings;
  for (const VocabularyEntry& entry : spec.vocabulary) {
    if (entry.id < 0 || static_cast<size_t>(entry.id) >= size) {
      fail(fmt::format("{}: model: the piece '{}' has the id {} of {}", origin, entry.token, entry.id, size));
    }
    const double written = model.scores[static_cast<size_t>(entry.id)];
    if (!(std::abs(written) <= UnigramPieces<double>::largest_score)) {
      fail(fmt::format("{}: model: the score of '{}' is {}: expected a logarithm of a probability", origin, entry.token,
                       written));
    }
    const double score = as_serde_reads(written);
    scores[static_cast<size_t>(entry.id)] = score;
    least = std::min(least, score);
    if (const auto byte = parse_byte_token(entry.token)) byte_ids_[*byte] = entry.id;
    if (!entry.token.empty()) strings.emplace_back(entry.token, entry.id);
  }
  pieces_ = UnigramPieces<double>(std::move(strings), std::move(scores));
  pieces_.unknown = model.unk_id.value_or(-1);
  pieces_.unknown_score = least - 10.0;
}

std::unique_ptr<TokenModel::Scratch> UnigramModel::make_scratch() const { return std::make_unique<Buffers>(); }

void UnigramModel::encode(std::string_view piece, Scratch& scratch, std::vector<PieceToken>& tokens) const {
  auto& buffers = static_cast<Buffers&>(scratch);
  buffers.path.clear();
  double sum = 0;
  const size_t stopped = find_best_path(pieces_, piece, utf8_length, buffers.paths, sum, buffers.path);
  if (stopped < piece.size()) fail_unknown_character(piece.substr(stopped, utf8_length(piece, stopped)));
  for (size_t i = 0; i < buffers.path.size(); ++i) {
    PieceToken token = buffers.path[i];
    if (token.id != pieces_.unknown) {
      tokens.push_back(token);
      continue;
    }
    while (i + 1 < buffers.path.size() && buffers.path[i + 1].id == pieces_.unknown) token.end = buffers.path[++i].end;
    append_unknown(piece, token, tokens);
  }
}

void UnigramModel::append_unknown(std::string_view piece, const PieceToken& run,
                                  std::vector<PieceToken>& tokens) const {
  const std::string_view text = piece.substr(run.begin, run.end - run.begin);
  if (const int32_t id = pieces_.trie().find(text); id >= 0) {
    tokens.push_back({id, run.begin, run.end});
    return;
  }
  const auto byte_id = [&](char byte) { return byte_ids_[static_cast<uint8_t>(byte)]; };
  const bool has_bytes =
      byte_fallback_ && std::all_of(text.begin(), text.end(), [&](char b) { return byte_id(b) >= 0; });
  if (!has_bytes) {
    tokens.push_back(run);
    return;
  }
  for (const char byte : text) tokens.push_back({byte_id(byte), run.begin, run.end});
}

}  // namespace sesame
