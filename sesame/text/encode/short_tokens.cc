#include "sesame/text/encode/short_tokens.h"

#include <algorithm>
#include <cstring>

#include "sesame/base/huge_pages.h"

namespace sesame {
namespace {

constexpr size_t block = 512;
constexpr size_t group = 4;  // ids that are looked at together

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
  const std::span<const Token> tokens = tokens_;
  for (size_t begin = 0; begin < ids.size(); begin += block) {
    const std::span<const int32_t> some = ids.subspan(begin, std::min(block, ids.size() - begin));
    const auto id = [some](size_t i) { return static_cast<size_t>(static_cast<uint32_t>(some[i])); };
    char* out = buffer.data();
    const auto put = [&out](const Token& token) {
      std::memcpy(out, &token, sizeof token);
      out += token.size;
    };
    size_t done = 0;
    for (; done + group <= some.size(); done += group) {
      size_t largest = 0;
      for (size_t i = 0; i < group; ++i) largest = std::max(largest, id(done + i));
      if (largest >= tokens.size()) break;
      uint32_t sizes = 0;
      for (size_t i = 0; i < group; ++i) sizes |= tokens[id(done + i)].size;
      if (sizes == Token::other) break;
      for (size_t i = 0; i < group; ++i) put(tokens[id(done + i)]);
    }
    for (; done < some.size(); ++done) {
      if (id(done) >= tokens.size() || tokens[id(done)].size == Token::other) break;
      put(tokens[id(done)]);
    }
    text.append(buffer.data(), static_cast<size_t>(out - buffer.data()));
    if (done < some.size()) return begin + done;
  }
  return ids.size();
}

}  // namespace sesame
