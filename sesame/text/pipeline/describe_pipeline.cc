#include "sesame/text/pipeline/describe_pipeline.h"

#include <fmt/format.h>

#include <string>
#include <variant>

#include "sesame/text/tokenizer_spec.h"

namespace sesame {
namespace {

std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else {
      out += c;
    }
  }
  return out += '\'';
}

std::string pattern_text(const Pattern& pattern) {
  return (pattern.regex ? "the pattern " : "the text ") + quoted(pattern.text);
}

std::string describe(const normalizer::Step& step) {
  if (const auto* s = std::get_if<normalizer::Prepend>(&step)) return fmt::format("prepend {}", quoted(s->prepend));
  if (const auto* s = std::get_if<normalizer::Replace>(&step)) {
    return fmt::format("replace {} by {}", pattern_text(s->pattern), quoted(s->content));
  }
  if (const auto* s = std::get_if<normalizer::Unicode>(&step)) {
    constexpr std::string_view forms[] = {"NFC", "NFD", "NFKC", "NFKD"};
    return fmt::format("Unicode form {}", forms[static_cast<size_t>(s->form)]);
  }
  if (std::holds_alternative<normalizer::Lowercase>(step)) return "lower case";
  if (std::holds_alternative<normalizer::StripAccents>(step)) return "strip accents";
  return "strip white space";
}

std::string describe(const pre_tokenizer::Step& step) {
  if (const auto* s = std::get_if<pre_tokenizer::ByteLevel>(&step)) {
    return fmt::format("bytes{}{}", s->use_regex ? ", split by the pattern gpt2" : "",
                       s->add_prefix_space ? ", with a space before the text" : "");
  }
  if (const auto* s = std::get_if<pre_tokenizer::Split>(&step)) {
    if (s->pattern.regex && s->pattern.text == pre_tokenizer::every_character_regex) return "split at every character";
    if (const auto known = s->pattern.regex ? recognize_split_regex(s->pattern.text) : std::nullopt) {
      return fmt::format("split by the pattern {}", split_pattern_name(*known));
    }
    return fmt::format("split by {}", pattern_text(s->pattern));
  }
  if (const auto* s = std::get_if<pre_tokenizer::Digits>(&step)) {
    return s->individual ? "split digits one by one" : "split runs of digits";
  }
  return "spaces as " + quoted(std::get<pre_tokenizer::Metaspace>(step).replacement);
}

std::string describe(const post_processor::Step& step) {
  const auto* text_template = std::get_if<post_processor::Template>(&step);
  if (text_template == nullptr) return "byte offsets";
  std::string out = "template";
  for (const post_processor::Place& place : text_template->single) out += (place.sequence ? " $" : " ") + place.id;
  return out;
}

std::string describe(const decoder::Step& step) {
  if (std::holds_alternative<decoder::ByteLevel>(step)) return "bytes";
  if (const auto* s = std::get_if<decoder::Replace>(&step)) {
    return fmt::format("replace {} by {}", pattern_text(s->pattern), quoted(s->content));
  }
  if (std::holds_alternative<decoder::ByteFallback>(step)) return "byte fallback";
  if (std::holds_alternative<decoder::Fuse>(step)) return "fuse";
  if (const auto* s = std::get_if<decoder::Strip>(&step)) {
    return fmt::format("strip {} {} and {} times at the ends", quoted(s->content), s->start, s->stop);
  }
  return "spaces from " + quoted(std::get<decoder::Metaspace>(step).replacement);
}

template <typename Step>
std::string stage(std::string_view name, const std::vector<Step>& steps, std::string_view none) {
  std::string text;
  for (const Step& step : steps) text += (text.empty() ? "" : "; ") + describe(step);
  return fmt::format("{:<15} {}\n", name, text.empty() ? none : text);
}

std::string describe_model(const TokenizerSpec& spec) {
  const auto* bpe = std::get_if<model::Bpe>(&spec.model);
  if (bpe == nullptr) return fmt::format("whole words, {} in the vocabulary", spec.vocabulary.size());
  return fmt::format("BPE, {} tokens, {} merges{}{}", spec.vocabulary.size(), bpe->merges.size(),
                     bpe->byte_fallback ? ", byte fallback" : "",
                     bpe->ignore_merges ? ", whole tokens before merges" : "");
}

}  // namespace

std::string describe_pipeline(const TokenizerSpec& spec) {
  std::string added;
  constexpr size_t shown = 8;
  for (size_t i = 0; i < spec.added_tokens.size() && i < shown; ++i) {
    added +=
        fmt::format("{}{} = {}", i == 0 ? "" : ", ", quoted(spec.added_tokens[i].content), spec.added_tokens[i].id);
  }
  if (spec.added_tokens.size() > shown) added += fmt::format(" and {} more", spec.added_tokens.size() - shown);
  return fmt::format("{:<15} {}\n", "added tokens", added.empty() ? "none" : added) +
         stage("normalizer", spec.normalizers, "none") + stage("pre-tokenizer", spec.pre_tokenizers, "none") +
         fmt::format("{:<15} {}\n", "model", describe_model(spec)) +
         stage("post-processor", spec.post_processors, "none") +
         stage("decoder", spec.decoders, "spaces between tokens");
}

}  // namespace sesame
