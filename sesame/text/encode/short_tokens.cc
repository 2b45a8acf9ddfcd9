#include "sesame/text/encode/short_tokens.h"

#include <algorithm>
#include <cstring>

#include "sesame/base/huge_pages.h"

namespace sesame {
namespace {

constexpr size_t block = 512;

}  // namespace

void ShortTokens::make(size_t count, FunctionRef<std::optional<std::string_view>(int32_t id)> bytes_of) {
  std::call_once(once_, [&] {
    memory_ = HugeBuffer(count * sizeof(Token));
    tokens_ = memory_.as<Token>();
    for (size_t id = 0; id < count; ++id) {
      Token token;
      const std::optional<std::string_view> bytes = bytes_of(static_cast<int32_t>(id));
      if (bytes && bytes->size() <= token.bytes.size()) {
        std::copy(bytes->begin(), bytes->end(), token.bytes.begin());
        token.size = static_cast<uint8_t>(bytes->size());
      }
      tokens_[id] = token;
    }
  });
}

void ShortTokens::reserve(std::span<const int32_t> ids, std::string& text) const {
  constexpr size_t sample = 1024;
  const size_t step = ids.size() / sample + 1;
  size_t count = 0;
  size_t bytes = 0;
  for (size_t i = 0; i < ids.size(); i += step, ++count) {
    const auto id = static_cast<size_t>(ids[i]);
    bytes += id < tokens_.size() && tokens_[id].size != Token::other ? tokens_[id].size : sizeof(Token);
  }
  if (count == 0) return;
  const size_t capacity = text.size() + bytes * (ids.size() / count + 1) / 15 * 16;
  if (capacity <= text.capacity()) return;
  text.reserve(capacity);
  advise_huge_pages(text.data(), text.capacity());
}

size_t ShortTokens::decode(std::span<const int32_t> ids, std::string& text) const {
  std::array<char, block * sizeof(Token)> buffer;
  for (size_t begin = 0; begin < ids.size(); begin += block) {
    const std::span<const int32_t> some = ids.subspan(begin, std::min(block, ids.size() - begin));
    char* out = buffer.data();
    size_t done = 0;
    for (; done < some.size(); ++done) {
      const auto id = static_cast<size_t>(static_cast<uint32_t>(some[done]));
      if (id >= tokens_.size()) break;
      const Token& token = tokens_[id];
      if (token.size == Token::other) break;
      std::memcpy(out, &token, sizeof token);
      out += token.size;
    }
    text.append(buffer.data(), static_cast<size_t>(out - buffer.data()));
    if (done < some.size()) return begin + done;
  }
  return ids.size();
}

}  // namespace sesame
