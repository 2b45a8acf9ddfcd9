#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/text/encode/id_buffer.h"
#include "sesame/text/encoding.h"
#include "sesame/text/token_decoder.h"

namespace sesame {

struct TokenizerSpec;
class ThreadPool;

/// What special tokens are that stand written out in a text ("<|endoftext|>").
enum class SpecialText : uint8_t {
  text,       // ordinary text: what text from strangers needs
  recognize,  // their ids
  refuse,     // an Error, as tiktoken's encode does by default
};

struct EncodeOptions {
  /// Special tokens in the text become their ids: SpecialText::recognize. Added tokens that are not special are always
  /// recognised.
  bool parse_special = false;
  /// Whether the post-processor adds its tokens (Llama's leading <s>).
  bool add_special = false;
  /// With parse_special off: what special tokens in the text are.
  SpecialText special = SpecialText::text;
  /// Special tokens that are recognised whatever the two fields above say. (tiktoken's allowed_special; what it calls
  /// disallowed_special is SpecialText::refuse.)
  std::vector<std::string> allowed_special = {};
  /// Whether the tokenizer's own truncation and padding apply. Off, no text is cut, as corpora need.
  bool truncate_and_pad = false;
};

/// Text to token ids and back, by the pipeline of a Hugging Face tokenizer.json: normalizer, pre-tokenizer, model,
/// post-processor, decoder.
///
/// Contract:
/// 1. Immutable and cheap to copy; every member may be called from any number of threads at once.
/// 2. encode gives the ids of the tokenizer that the file came from, on any bytes. Bytes that are not UTF-8 are symbols
/// of
///    their own: byte-level models and models with byte fallback return them unchanged from decode.
/// 3. Encoding is linear in the text but for an n log n term in the length of one unsplittable piece.
/// 4. What a file holds and Sesame cannot honour is refused by name when it is loaded; nothing is ignored.
/// 5. Each thread that encodes keeps the state of the tokenizers that it used last, a few MiB each.
/// 6. What several threads do together is what one does.
class Tokenizer {
 public:
  /// Compiles a pipeline (tokenizer_spec.h). Throws Error for a pipeline that contradicts itself; `origin` names it
  /// there.
  explicit Tokenizer(TokenizerSpec spec, std::string_view origin = "tokenizer");

  /// Reads a tokenizer in any format that Sesame knows (files/load_tokenizer.h, which says what `pattern` is), or the
  /// one in a model directory. Throws Error naming the file and the key.
  static Tokenizer load(const std::filesystem::path& path, std::string_view pattern = "");

  /// Writes a tokenizer.json that Hugging Face's tokenizers reads, atomically. A directory gets `tokenizer.json` inside
  /// it; a tokenizer that came from SentencePiece its `tokenizer.model`, which is exact.
  void save(const std::filesystem::path& path) const;

  /// Writes the compiled tables as an image (files/image.h), which load opens in about a millisecond.
  void save_image(const std::filesystem::path& path) const;

  /// tokenizer.json as text.
  [[nodiscard]] std::string to_json() const;

  /// The pipeline as data.
  [[nodiscard]] const TokenizerSpec& spec() const;

  /// Throws Error for a character that neither the vocabulary nor an unknown token nor byte fallback can express.
  [[nodiscard]] std::vector<int32_t> encode(std::string_view text, const EncodeOptions& options = {}) const;

  /// As encode, appending to `ids`: nothing is allocated once its capacity suffices.
  void encode_append(std::string_view text, const EncodeOptions& options, std::vector<int32_t>& ids) const;

  /// A long text on several threads.
  [[nodiscard]] std::vector<int32_t> encode(std::string_view text, const EncodeOptions& options,
                                            ThreadPool& threads) const;
  /// The same, appending to `ids`, whose pages a next text uses again.
  void encode_append(std::string_view text, const EncodeOptions& options, ThreadPool& threads, IdBuffer& ids) const;

  /// Appends to a buffer that keeps its memory: the fastest form.
  void encode_append(std::string_view text, const EncodeOptions& options, IdBuffer& ids) const;

  /// Many texts on several threads: ids of text i are [ends[i - 1], ends[i]) of `ids`.
  struct Batch {
    IdBuffer ids;
    std::vector<uint64_t> ends;
    [[nodiscard]] std::span<const int32_t> operator[](size_t i) const {
      const uint64_t begin = i == 0 ? 0 : ends[i - 1];
      return ids.ids().subspan(begin, ends[i] - begin);
    }
  };
  [[nodiscard]] Batch encode_batch(std::span<const std::string_view> texts, const EncodeOptions& options,
                                   ThreadPool& threads) const;

  /// How many ids encode would give, without storing them.
  [[nodiscard]] uint64_t count(std::string_view text, const EncodeOptions& options = {}) const;

  /// Ids with offsets, types and masks; of a pair of texts where `pair` is given. add_special and truncate_and_pad are
  /// as Hugging Face's encode has them only if both are set.
  [[nodiscard]] Encoding encode_full(std::string_view text, std::optional<std::string_view> pair,
                                     const EncodeOptions& options) const;

  /// The same of many texts, padded to the longest where the tokenizer's padding says so.
  [[nodiscard]] std::vector<Encoding> encode_full_batch(std::span<const std::string_view> texts,
                                                        const EncodeOptions& options) const;

  /// The exact bytes of the tokens: not UTF-8 where the ids are not (StreamDecoder makes text fit to print).
  /// `skip_special` leaves out special tokens. Throws Error for an id outside the vocabulary.
  [[nodiscard]] std::string decode(std::span<const int32_t> ids, bool skip_special = true) const;
  /// The same, appending to `text`, whose memory a next call uses again. Where it throws, part of the text may be
  /// there.
  void decode_append(std::span<const int32_t> ids, bool skip_special, std::string& text) const;

  /// Rows that an embedding table needs: the largest id, plus one.
  [[nodiscard]] int32_t vocabulary_size() const noexcept;

  /// The bytes that a token stands for in the middle of a text. Throws Error for an id outside the vocabulary.
  [[nodiscard]] std::string_view token_bytes(int32_t id) const;

  /// The token as tokenizer.json spells it ("Ġthe", "▁the", "<0x0A>"). Throws Error for an id outside the vocabulary.
  [[nodiscard]] std::string_view token(int32_t id) const;

  /// The id of a token as tokenizer.json spells it, added tokens included.
  [[nodiscard]] std::optional<int32_t> id_of(std::string_view token) const;

  /// Whether an id is in [0, vocabulary_size) and not a hole in the vocabulary.
  [[nodiscard]] bool contains(int32_t id) const noexcept;
  [[nodiscard]] bool is_special(int32_t id) const noexcept;

  /// What separates documents and ends a generated text: the first of <|endoftext|>, <|end_of_text|>, </s>, <eos>,
  /// [SEP] that is a special token.
  [[nodiscard]] std::optional<int32_t> end_of_text() const noexcept;

  /// What a text begins with: the first of <s>, <|begin_of_text|>, <bos>, [CLS] that is a special token.
  [[nodiscard]] std::optional<int32_t> begin_of_text() const noexcept;

  /// The token for what the vocabulary lacks, if the model names one.
  [[nodiscard]] std::optional<int32_t> unknown() const noexcept;

  /// XXH3-64 of to_json(): two tokenizers with the same fingerprint give the same ids. For the headers of token shards.
  [[nodiscard]] uint64_t fingerprint() const;

  /// The pipeline in words, one line a stage.
  [[nodiscard]] std::string describe() const;

  /// What copies share (tokenizer_pipeline.h).
  struct Pipeline;
  [[nodiscard]] const Pipeline& pipeline() const noexcept { return *pipeline_; }

 private:
  Tokenizer() = default;
  std::shared_ptr<const Pipeline> pipeline_;
};

/// Decodes ids one by one into text that is always whole UTF-8: bytes of an unfinished character wait for the next
/// token, bytes that can never become one are U+FFFD, as in Unicode 15 section 3.9 (one per maximal subpart).
class StreamDecoder {
 public:
  struct Options {
    bool skip_special = true;
    /// The text continues another one: keep the leading space that the decoder takes off the start of a text.
    bool continuation = false;
  };

  explicit StreamDecoder(Tokenizer tokenizer);
  StreamDecoder(Tokenizer tokenizer, Options options);
  ~StreamDecoder();
  StreamDecoder(StreamDecoder&&) noexcept;
  StreamDecoder& operator=(StreamDecoder&&) noexcept;

  /// What can be shown once `id` is known, possibly nothing. Throws Error for an id outside the vocabulary.
  std::string push(int32_t id);

  /// The rest: U+FFFD if the text ended inside a character. The decoder is then as new.
  std::string finish();

 private:
  Tokenizer tokenizer_;
  std::unique_ptr<TokenDecoder::Stream> stream_;
  std::string pending_;  // bytes of an unfinished character
};

}  // namespace sesame
