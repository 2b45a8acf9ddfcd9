#include "sesame/data/tokenize_blocks.h"

#include <optional>
#include <string_view>

namespace sesame {
namespace {

constexpr size_t kBlockBytes = size_t{64} << 10;
constexpr size_t kGroupBytes = size_t{4} << 20;

void tokenize_block(TextBlock& block, const Tokenize& tokenize) {
  const std::string_view text = block.text;
  size_t begin = 0;
  for (TextBlock::Piece& piece : block.pieces) {
    tokenize(text.substr(begin, piece.text_end - begin), block.ids);
    piece.ids_end = block.ids.size();
    begin = piece.text_end;
  }
}

}  // namespace

std::span<const TextBlock> BlockTokenizer::next() {
  const size_t count = read_group();
  pool_.run(static_cast<int64_t>(count),
            [this](int64_t block, int) { tokenize_block(blocks_[static_cast<size_t>(block)], tokenize_); });
  return std::span(blocks_).first(count);
}

size_t BlockTokenizer::read_group() {
  size_t count = 0;
  size_t bytes = 0;
  while (bytes < kGroupBytes) {
    const std::optional<DocumentPiece> piece = reader_.next();
    if (!piece) break;
    if (count == 0 || blocks_[count - 1].text.size() >= kBlockBytes) {
      if (count == blocks_.size()) blocks_.emplace_back();
      TextBlock& fresh = blocks_[count++];
      fresh.text.clear();
      fresh.pieces.clear();
      fresh.ids.clear();
    }
    TextBlock& block = blocks_[count - 1];
    block.text += piece->text;
    block.pieces.push_back({block.text.size(), 0, piece->last});
    bytes += piece->text.size();
  }
  return count;
}

}  // namespace sesame
