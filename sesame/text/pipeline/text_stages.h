#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sesame/base/function_ref.h"
#include "sesame/text/split/regex.h"
#include "sesame/text/tokenizer_spec.h"

/// The stages of a pipeline that come before the model, compiled: normalizer, pre-tokenizer.
namespace sesame {

/// A Pattern ready to be found in text.
class PatternFinder {
 public:
  PatternFinder(const Pattern& pattern, std::string_view origin);
  void for_each_match(std::string_view text, FunctionRef<void(size_t begin, size_t end)> visit) const;

 private:
  std::string literal_;
  std::optional<Regex> regex_;
};

class Normalizer {
 public:
  Normalizer(const std::vector<normalizer::Step>& steps, std::string_view origin);
  [[nodiscard]] bool empty() const noexcept { return steps_.empty(); }
  [[nodiscard]] std::string apply(std::string_view text) const;

 private:
  struct Replace {
    PatternFinder finder;
    std::string content;
  };
  using Step = std::variant<normalizer::Prepend, Replace, normalizer::Unicode, normalizer::Lowercase,
                            normalizer::StripAccents, normalizer::Strip>;
  std::vector<Step> steps_;
};

/// Cuts text into the pieces that the model sees. Pieces may lie in a buffer that lasts for the call of `emit` only.
class PreTokenizer {
 public:
  PreTokenizer(const std::vector<pre_tokenizer::Step>& steps, std::string_view origin);

  /// Lets pieces end before every run of `replacement`; for models none of whose tokens continues across such a place.
  void split_before_runs_of(std::string_view replacement);

  [[nodiscard]] bool byte_level() const noexcept { return byte_level_; }

  /// `at_start`: the text stands at the start of what is encoded.
  void apply(std::string_view text, bool at_start, FunctionRef<void(std::string_view piece)> emit) const;

 private:
  struct Known {
    SplitPattern pattern;
  };
  struct Characters {};
  struct Found {
    PatternFinder finder;
    pre_tokenizer::Behavior behavior;
    bool invert;
  };
  struct PrefixSpace {};
  struct RunsOf {
    std::string replacement;
  };
  using Stage =
      std::variant<Known, Characters, Found, pre_tokenizer::Digits, PrefixSpace, pre_tokenizer::Metaspace, RunsOf>;

  void add(const pre_tokenizer::Split& split, std::string_view origin);
  void apply_from(size_t stage, std::string_view text, bool at_start, FunctionRef<void(std::string_view)> emit) const;

  std::vector<Stage> stages_;
  bool byte_level_ = false;
};

}  // namespace sesame
