#include "sesame/text/stream_encoder.h"

#include <algorithm>
#include <utility>

#include "sesame/base/error.h"
#include "sesame/base/thread_pool.h"
#include "sesame/text/encode/thread_states.h"
#include "sesame/text/tokenizer_pipeline.h"

namespace sesame {
namespace {

// Enough to make the looking for a cut cheap, little enough to wait for; and for each of several threads.
constexpr size_t kLookBytes = size_t{64} << 10;
constexpr size_t kLookBytesOfThread = size_t{4} << 20;

// A cut is looked for in so much text at the end.
constexpr size_t kTailBytes = size_t{16} << 10;

}  // namespace

StreamEncoder::StreamEncoder(Tokenizer tokenizer, EncodeOptions options, ThreadPool* threads)
    : tokenizer_(std::move(tokenizer)),
      options_(std::move(options)),
      threads_(threads),
      look_bytes_(threads == nullptr ? kLookBytes : kLookBytesOfThread * static_cast<size_t>(threads->threads())),
      next_look_(look_bytes_) {
  if (options_.truncate_and_pad) fail("a stream cannot be truncated or padded: its length is not known");
  const Tokenizer::Pipeline& pipeline = tokenizer_.pipeline();
  for (const AddedToken& token : pipeline.spec.added_tokens) hold_ = std::max(hold_, token.content.size() + 4);
}

void StreamEncoder::push(std::string_view text, std::vector<int32_t>& ids) {
  while (!text.empty()) {
    const size_t taken =
        std::min(text.size(), std::max(look_bytes_, next_look_ - std::min(next_look_, buffer_.size())));
    buffer_.append(text.substr(0, taken));
    text.remove_prefix(taken);
    if (buffer_.size() < next_look_) continue;
    const size_t cut = last_cut();
    if (cut > 0) encode_front(cut, ids);
    // What had no place to cut it is looked at again when there is twice as much.
    next_look_ = std::max(look_bytes_, cut > 0 ? buffer_.size() + look_bytes_ / 2 : 2 * buffer_.size());
  }
}

void StreamEncoder::finish(std::vector<int32_t>& ids) {
  encode_front(buffer_.size(), ids);
  const Tokenizer::Pipeline& pipeline = tokenizer_.pipeline();
  if (options_.add_special) ids.insert(ids.end(), pipeline.around.after().begin(), pipeline.around.after().end());
  continues_ = false;
  next_look_ = look_bytes_;
}

size_t StreamEncoder::last_cut() const {
  const Tokenizer::Pipeline& pipeline = tokenizer_.pipeline();
  if (pipeline.normalizer || buffer_.size() <= hold_) return 0;
  const size_t certain = buffer_.size() - hold_;
  const auto sought = pipeline.seek(options_);
  const auto may_begin_word = [&](size_t place) {
    // Whether a token that must stand alone begins here depends on what stands before it.
    const auto byte = static_cast<uint8_t>(buffer_[place]);
    return sought->raw.first_bytes[byte] != 0 || sought->normalized.first_bytes[byte] != 0;
  };
  size_t cut = 0;
  pipeline.for_each_stretch(buffer_, *sought, [&](std::string_view stretch, const AddedToken* token, StretchStart) {
    if (token != nullptr) return;
    const auto begin = static_cast<size_t>(stretch.data() - buffer_.data());
    const size_t end = std::min(stretch.size(), certain - std::min(certain, begin));
    for (size_t from = end > kTailBytes ? end - kTailBytes : 1; from < end;) {
      const size_t place = pipeline.encoder->next_cut(stretch, from);
      if (place >= end) break;
      if (!may_begin_word(begin + place)) cut = begin + place;
      from = place + 1;
    }
  });
  return cut;
}

void StreamEncoder::encode_front(size_t bytes, std::vector<int32_t>& ids) {
  const Tokenizer::Pipeline& pipeline = tokenizer_.pipeline();
  const std::string_view text = std::string_view(buffer_).substr(0, bytes);
  pipeline.refuse_special(text, options_);
  if (options_.add_special && !continues_) {
    ids.insert(ids.end(), pipeline.around.before().begin(), pipeline.around.before().end());
  }
  if (threads_ != nullptr && !pipeline.normalizer) {
    encode_on_threads(pipeline, text, continues_, options_, *threads_, ids);
  } else {
    encode_here(text, ids);
  }
  buffer_.erase(0, bytes);
  continues_ = continues_ || bytes > 0;
}

void StreamEncoder::encode_here(std::string_view text, std::vector<int32_t>& ids) {
  const Tokenizer::Pipeline& pipeline = tokenizer_.pipeline();
  IdBuffer& out = thread_ids();
  out.clear();
  TextEncoder::State& state = thread_state(pipeline.serial, *pipeline.encoder);
  pipeline.for_each_stretch(text, *pipeline.seek(options_),
                            [&](std::string_view stretch, const AddedToken* token, StretchStart start) {
                              if (token != nullptr) return out.push(token->id);
                              const bool goes_on = continues_ && start == StretchStart::text;
                              pipeline.encode_stretch(stretch, goes_on ? StretchStart::none : start, state, out, [] {});
                            });
  ids.insert(ids.end(), out.ids().begin(), out.ids().end());
}

}  // namespace sesame
