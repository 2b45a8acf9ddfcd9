#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/base/flat_array.h"
#include "sesame/text/encode/compile_decoder.h"
#include "sesame/text/encode/short_tokens.h"
#include "sesame/text/encode/string_index.h"
#include "sesame/text/tokenizer_spec.h"

namespace sesame {

class ImageReader;
class ImageWriter;

/// Every id of a tokenizer: its spelling, the bytes that it decodes to, whether it is special. The decoder of the
/// pipeline, compiled: what it does token by token is done here once, what it does to the start of a text is said in
/// `start`. Two arenas and an index; copies share them.
class TokenTable {
 public:
  /// Throws Error for ids and contents that collide.
  TokenTable(const TokenizerSpec& spec, std::string_view origin);

  /// From an image that write wrote. Throws Error for sections that do not hold together.
  explicit TokenTable(const ImageReader& image);
  void write(ImageWriter& image) const;

  [[nodiscard]] int32_t size() const noexcept { return static_cast<int32_t>(entries_.size()); }
  [[nodiscard]] bool contains(int32_t id) const noexcept {
    return id >= 0 && id < size() && (entries_[static_cast<size_t>(id)].size & present) != 0;
  }
  [[nodiscard]] bool special(int32_t id) const noexcept {
    return id >= 0 && id < size() && (entries_[static_cast<size_t>(id)].size & is_special) != 0;
  }
  /// Throws Error for an id outside the vocabulary.
  void check(int32_t id) const {
    if (!contains(id)) fail_unknown(id);
  }
  /// Of an id in [0, size()); empty for a hole.
  [[nodiscard]] std::string_view spelling(int32_t id) const noexcept {
    const auto i = static_cast<size_t>(id);
    return {spellings_.data() + spelling_begins_[i], spelling_begins_[i + 1] - spelling_begins_[i]};
  }
  [[nodiscard]] std::string_view bytes(int32_t id) const noexcept {
    return bytes_of(entries_[static_cast<size_t>(id)]);
  }
  /// The id that is spelled so.
  [[nodiscard]] std::optional<int32_t> find(std::string_view spelling) const;

  /// Whether the decoders work token by token, so that `bytes` and `start` say what they do; else only DecoderChain
  /// does.
  [[nodiscard]] bool compiled() const noexcept { return compiled_; }

  /// Appends the text of ids, which begin a text. Only where compiled(). Throws Error for an id outside the vocabulary.
  void decode(std::span<const int32_t> ids, bool skip_special, std::string& text) const;

  using Start = DecodedStart;
  [[nodiscard]] const Start& start() const noexcept { return start_; }

  /// The bytes of the first token of a text, before `strip`.
  [[nodiscard]] std::string first_bytes(int32_t id) const {
    return std::string(first_entries_.empty() ? bytes(id) : bytes_of(first_entries_[static_cast<size_t>(id)]));
  }

 private:
  static constexpr uint32_t present = uint32_t{1} << 31;
  static constexpr uint32_t is_special = uint32_t{1} << 30;
  static constexpr uint32_t size_mask = is_special - 1;
  // Tokens are copied so many bytes at a time; as many lie behind the last one.
  static constexpr size_t chunk = 16;

  struct Entry {
    uint32_t begin = 0;  // in bytes_
    uint32_t size = 0;   // and flags
  };

  [[nodiscard]] std::string_view bytes_of(const Entry& entry) const noexcept {
    return {bytes_.data() + entry.begin, entry.size & size_mask};
  }
  static std::vector<TokenDraft> draft_vocabulary(const TokenizerSpec& spec, std::string_view origin);
  void store(const std::vector<TokenDraft>& drafts, std::string_view origin);
  [[noreturn]] void fail_unknown(int32_t id) const;
  void append(int32_t id, bool skip_special, std::string& text) const {
    check(id);
    if (!skip_special || !special(id)) text += bytes(id);
  }

  void decode_long(std::span<const int32_t> ids, bool skip_special, std::string& text) const;

  FlatArray<Entry> entries_;
  FlatArray<Entry> first_entries_;  // empty, or of tokens at the start of a text
  FlatArray<char> bytes_;
  FlatArray<char> spellings_;
  FlatArray<uint32_t> spelling_begins_;  // [size + 1]
  StringIndex index_;                    // of spellings, by id
  Start start_;
  bool compiled_ = false;
  std::shared_ptr<ShortTokens> short_tokens_ = std::make_shared<ShortTokens>();
};

}  // namespace sesame
