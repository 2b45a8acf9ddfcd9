#include "sesame/text/token_decoder.h"

#include <algorithm>
#include <utility>

namespace sesame {
TokenDecoder::TokenDecoder(const TokenizerSpec& spec, const TokenTable& table, std::string_view origin)
    : table_(table) {
  if (std::holds_alternative<model::SentencePiece>(spec.model)) {
    pieces_.emplace(spec, origin);
  } else if (!table.compiled()) {
    chain_.emplace(spec.decoders, origin);
  }
}

void TokenDecoder::decode(std::span<const int32_t> ids, bool skip_special, std::string& text) const {
  if (pieces_) {
    pieces_->decode_append(ids, text);
  } else if (chain_) {
    text += decode_chain(ids, skip_special);
  } else {
    table_.decode(ids, skip_special, text);
  }
}

std::string TokenDecoder::decode_chain(std::span<const int32_t> ids, bool skip_special) const {
  std::vector<std::string_view> tokens;
  tokens.reserve(ids.size());
  for (const int32_t id : ids) {
    table_.check(id);
    if (!skip_special || !table_.special(id)) tokens.push_back(table_.spelling(id));
  }
  return chain_->decode(tokens);
}

TokenDecoder::Stream::Stream(const TokenDecoder& decoder, bool skip_special, bool continuation)
    : decoder_(decoder),
      skip_special_(skip_special),
      continuation_(continuation),
      started_(continuation),
      strips_left_(continuation ? 0 : decoder.table_.start().strip_count) {
  if (decoder.pieces_) pieces_.emplace(*decoder.pieces_, continuation);
}

void TokenDecoder::Stream::push(int32_t id, std::string& out) {
  decoder_.table_.check(id);
  if (pieces_) return pieces_->push(id, out);
  if (skip_special_ && decoder_.table_.special(id)) return;
  if (decoder_.chain_) {
    push_chain(id, out);
  } else {
    push_bytes(id, out);
  }
}

void TokenDecoder::Stream::push_bytes(int32_t id, std::string& out) {
  const TokenTable& table = decoder_.table_;
  const TokenTable::Start& start = table.start();
  const bool first = !std::exchange(started_, true);
  std::string bytes = first ? table.first_bytes(id) : std::string(table.bytes(id));
  // The characters to strip may come in several tokens; the first other one ends them.
  size_t strip = 0;
  while (strip < bytes.size() && strips_left_ > 0 && bytes[strip] == start.strip) {
    ++strip;
    --strips_left_;
  }
  if (strip < bytes.size()) strips_left_ = 0;
  bytes.erase(0, strip);
  if (!first && start.spaced) out += ' ';
  out += bytes;
}

void TokenDecoder::Stream::push_chain(int32_t id, std::string& out) {
  // A token's text may depend on the next one, but not on later ones: what two decodings share is certain.
  ids_.push_back(id);
  std::string text = decoder_.decode_chain(ids_, skip_special_);
  const auto differ = std::mismatch(last_.begin(), last_.end(), text.begin(), text.end()).first;
  const auto certain = static_cast<size_t>(differ - last_.begin());
  if (certain > shown_) out.append(text, shown_, certain - shown_);
  shown_ = std::max(shown_, certain);
  last_ = std::move(text);
}

void TokenDecoder::Stream::finish(std::string& out) {
  if (pieces_) pieces_->finish(out);
  if (last_.size() > shown_) out.append(last_, shown_);
  started_ = continuation_;
  strips_left_ = continuation_ ? 0 : decoder_.table_.start().strip_count;
  if (decoder_.pieces_) pieces_.emplace(*decoder_.pieces_, continuation_);
  ids_.clear();
  last_.clear();
  shown_ = 0;
}

}  // namespace sesame
