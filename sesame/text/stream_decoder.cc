#include <utility>

#include "sesame/text/tokenizer.h"
#include "sesame/text/tokenizer_pipeline.h"
#include "sesame/text/unicode/unicode.h"

namespace sesame {

StreamDecoder::StreamDecoder(Tokenizer tokenizer) : StreamDecoder(std::move(tokenizer), Options{}) {}

StreamDecoder::StreamDecoder(Tokenizer tokenizer, Options options)
    : tokenizer_(std::move(tokenizer)),
      stream_(std::make_unique<TokenDecoder::Stream>(tokenizer_.pipeline().decoder, options.skip_special,
                                                     options.continuation)) {}

StreamDecoder::~StreamDecoder() = default;
StreamDecoder::StreamDecoder(StreamDecoder&&) noexcept = default;
StreamDecoder& StreamDecoder::operator=(StreamDecoder&&) noexcept = default;

std::string StreamDecoder::push(int32_t id) {
  stream_->push(id, pending_);
  return take_whole_utf8(pending_, false);
}

std::string StreamDecoder::finish() {
  stream_->finish(pending_);
  return take_whole_utf8(pending_, true);
}

}  // namespace sesame
