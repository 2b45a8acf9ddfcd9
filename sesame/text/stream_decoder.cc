#include <utility>

#include "sesame/text/tokenizer.h"
#include "sesame/text/tokenizer_pipeline.h"
#include "sesame/text/unicode/unicode.h"

namespace sesame {

StreamDecoder::StreamDecoder(Tokenizer tokenizer) : StreamDecoder(std::move(tokenizer), Options{}) {}

StreamDecoder::StreamDecoder(Tokenizer tokenizer, Options options)
    : tokenizer_(std::move(tokenizer)), options_(options) {
  restart();
}

std::string StreamDecoder::push(int32_t id) {
  const TokenTable& table = tokenizer_.pipeline_->table;
  const TokenTable::Start& start = table.start();
  table.check(id);
  if (options_.skip_special && table.special(id)) return {};
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
  if (!first && start.spaced) bytes.insert(0, " ");
  pending_ += bytes;
  return take_whole_utf8(pending_, false);
}

std::string StreamDecoder::finish() {
  std::string rest = take_whole_utf8(pending_, true);
  restart();
  return rest;
}

void StreamDecoder::restart() {
  pending_.clear();
  started_ = options_.continuation;
  strips_left_ = options_.continuation ? 0 : tokenizer_.pipeline_->table.start().strip_count;
}

}  // namespace sesame
