#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sesame/text/pipeline/pattern_finder.h"
#include "sesame/text/tokenizer_spec.h"

namespace sesame {

/// The decoders of a pipeline one after the other over the spellings of tokens: right for every chain, and what the
/// compiled form (encode/token_table.h) is held against. Immutable, for any number of threads.
class DecoderChain {
 public:
  /// What bytes become that are not UTF-8.
  enum class InvalidBytes : uint8_t {
    keep,     // themselves
    replace,  // U+FFFD, as in Hugging Face's library: ByteLevel one for every maximal part of a character, ByteFallback
              // one for every byte of a run of byte tokens that is not UTF-8 as a whole
  };

  /// Throws Error, beginning with `origin`, for a decoder that cannot be compiled.
  DecoderChain(const std::vector<decoder::Step>& steps, std::string_view origin,
               InvalidBytes invalid = InvalidBytes::keep);

  [[nodiscard]] std::string decode(std::span<const std::string_view> tokens) const;

 private:
  struct Replace {
    PatternFinder finder;
    std::string content;
  };
  using Step = std::variant<decoder::ByteLevel, Replace, decoder::ByteFallback, decoder::Fuse, decoder::Strip,
                            decoder::Metaspace, decoder::WordPiece, decoder::Bpe, decoder::Ctc>;
  using Tokens = std::vector<std::string>;

  void apply(const decoder::ByteLevel& step, Tokens& tokens) const;
  void apply(const Replace& step, Tokens& tokens) const;
  void apply(const decoder::ByteFallback& step, Tokens& tokens) const;
  void apply(const decoder::Fuse& step, Tokens& tokens) const;
  void apply(const decoder::Strip& step, Tokens& tokens) const;
  void apply(const decoder::Metaspace& step, Tokens& tokens) const;
  void apply(const decoder::WordPiece& step, Tokens& tokens) const;
  void apply(const decoder::Bpe& step, Tokens& tokens) const;
  void apply(const decoder::Ctc& step, Tokens& tokens) const;

  std::vector<Step> steps_;
  InvalidBytes invalid_;
};

}  // namespace sesame
