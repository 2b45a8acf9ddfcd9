#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sesame/base/function_ref.h"
#include "sesame/text/pipeline/pattern_finder.h"
#include "sesame/text/pipeline/text_edit.h"
#include "sesame/text/sentencepiece/precompiled_normalizer.h"
#include "sesame/text/split/splitter.h"
#include "sesame/text/tokenizer_spec.h"

/// The stages of a pipeline that come before the model, compiled: normalizer, pre-tokenizer. They do what Hugging
/// Face's library does, step by step; bytes that are not UTF-8, which it cannot be given, are characters that nothing
/// changes.
namespace sesame {

class Normalizer {
 public:
  /// Throws Error, beginning with `origin`, for a step that cannot be compiled.
  Normalizer(const std::vector<normalizer::Step>& steps, std::string_view origin);
  [[nodiscard]] bool empty() const noexcept { return steps_.empty(); }

  [[nodiscard]] std::string apply(std::string_view text) const { return apply(PlainView(text, 0)).text; }
  [[nodiscard]] PlainText apply(PlainView text) const;
  [[nodiscard]] AlignedText apply(AlignedView text) const;

 private:
  struct Replace {
    PatternFinder finder;
    std::string content;
  };
  using Step =
      std::variant<normalizer::Prepend, Replace, normalizer::Unicode, normalizer::Lowercase, normalizer::StripAccents,
                   normalizer::Strip, normalizer::Bert, PrecompiledNormalizer, normalizer::Nmt, normalizer::ByteLevel>;

  template <typename View>
  [[nodiscard]] auto apply_steps(View text) const;

  std::vector<Step> steps_;
};

/// Whether the model of a pipeline sees the bytes of text themselves, where Hugging Face's library spells them in
/// GPT-2's alphabet first: ByteLevel is the last pre-tokenizer, and the model is BPE whose vocabulary has every byte,
/// so that there is no difference.
bool sees_bytes(const TokenizerSpec& spec);

/// Cuts text into the pieces that the model sees. Pieces may lie in a buffer that lasts for the call of `emit` only.
class PreTokenizer {
 public:
  /// `bytes`: a ByteLevel that comes last leaves the bytes as they are (sees_bytes). Throws Error, beginning with
  /// `origin`, for a step that cannot be compiled.
  PreTokenizer(const std::vector<pre_tokenizer::Step>& steps, std::string_view origin, bool bytes = true);

  /// Lets pieces end before every run of `replacement`; for models none of whose tokens continues across such a place.
  void split_before_runs_of(std::string_view replacement);

  /// No piece is empty.
  void apply(PlainView text, FunctionRef<void(PlainView piece)> emit) const;
  void apply(AlignedView text, FunctionRef<void(AlignedView piece)> emit) const;
  /// `at_start`: the text stands at the start of what is encoded.
  void apply(std::string_view text, bool at_start, FunctionRef<void(std::string_view piece)> emit) const;

 private:
  /// A Split with behavior Isolated.
  struct Isolate {
    std::shared_ptr<const Splitter> splitter;
  };
  struct Find {
    PatternFinder finder;
    pre_tokenizer::Behavior behavior;
    bool invert;
  };
  struct PrefixSpace {};
  struct SpellBytes {};
  struct RunsOf {
    std::string replacement;
  };
  using Stage = std::variant<Isolate, Find, pre_tokenizer::Digits, PrefixSpace, SpellBytes, pre_tokenizer::Metaspace,
                             pre_tokenizer::Bert, pre_tokenizer::Whitespace, pre_tokenizer::WhitespaceSplit,
                             pre_tokenizer::Punctuation, pre_tokenizer::CharDelimiterSplit,
                             pre_tokenizer::UnicodeScripts, pre_tokenizer::FixedLength, RunsOf>;

  void add(const pre_tokenizer::ByteLevel& step, bool bytes);
  void add(const pre_tokenizer::Split& split, std::string_view origin);
  template <typename View>
  void apply_from(size_t stage, View text, FunctionRef<void(View)> emit) const;
  template <typename View>
  void apply_stage(const Stage& stage, View text, FunctionRef<void(View)> emit) const;

  std::vector<Stage> stages_;
};

}  // namespace sesame
