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

template <typename... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};
template <typename... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;

std::string describe(const normalizer::Step& step) {
  return std::visit(
      Overloaded{
          [](const normalizer::Prepend& s) { return fmt::format("prepend {}", quoted(s.prepend)); },
          [](const normalizer::Replace& s) {
            return fmt::format("replace {} by {}", pattern_text(s.pattern), quoted(s.content));
          },
          [](const normalizer::Unicode& s) {
            constexpr std::string_view forms[] = {"NFC", "NFD", "NFKC", "NFKD"};
            return fmt::format("Unicode form {}", forms[static_cast<size_t>(s.form)]);
          },
          [](const normalizer::Lowercase&) { return std::string("lower case"); },
          [](const normalizer::StripAccents&) { return std::string("strip marks"); },
          [](const normalizer::Strip& s) {
            const std::string_view where = s.left && s.right ? "" : s.left ? " at the start" : " at the end";
            return s.left || s.right ? fmt::format("strip white space{}", where) : std::string("strip nothing");
          },
          [](const normalizer::Bert& s) {
            std::string out = "BERT:";
            if (s.clean_text) out += " clean,";
            if (s.handle_chinese_chars) out += " spaces around Chinese,";
            if (s.strip_accents.value_or(s.lowercase)) out += " strip accents,";
            if (s.lowercase) out += " lower case,";
            out.pop_back();
            return out;
          },
          [](const normalizer::Precompiled& s) {
            return fmt::format("SentencePiece's rules, {} bytes, by grapheme clusters", s.charsmap.size());
          },
          [](const normalizer::Nmt&) { return std::string("control characters out, white space as spaces"); },
          [](const normalizer::ByteLevel&) { return std::string("bytes, spelled in GPT-2's alphabet"); },
          [](const normalizer::SentencePiece& s) {
            return fmt::format("SentencePiece: rules of {} bytes{}{}{}{}", s.charsmap.size(),
                               s.remove_extra_whitespaces ? ", extra spaces out" : "",
                               s.escape_whitespaces ? ", spaces as U+2581" : "",
                               s.add_dummy_prefix ? ", with a space added" : "",
                               s.treat_whitespace_as_suffix ? " behind" : "");
          },
      },
      step);
}

std::string_view behavior_text(pre_tokenizer::Behavior behavior) {
  constexpr std::string_view texts[] = {"removed", "by itself", "with what is before", "with what follows",
                                        "runs together"};
  return texts[static_cast<size_t>(behavior)];
}

std::string describe(const pre_tokenizer::Split& s) {
  if (s.pattern.regex && s.pattern.text == pre_tokenizer::every_character_regex) return "split at every character";
  const auto known = s.pattern.regex ? recognize_split_regex(s.pattern.text) : std::nullopt;
  const std::string by = known ? fmt::format("the pattern {}", split_pattern_name(*known)) : pattern_text(s.pattern);
  const bool plain = s.behavior == pre_tokenizer::Behavior::isolated ||
                     (s.behavior == pre_tokenizer::Behavior::removed && s.invert && known);
  if (plain) return "split by " + by;
  return fmt::format("split by {}{}, {}", s.invert ? "what is not " : "", by, behavior_text(s.behavior));
}

std::string describe(const pre_tokenizer::Step& step) {
  return std::visit(
      Overloaded{
          [](const pre_tokenizer::ByteLevel& s) {
            return fmt::format("bytes{}{}", s.use_regex ? ", split by the pattern gpt2" : "",
                               s.add_prefix_space ? ", with a space before the text" : "");
          },
          [](const pre_tokenizer::Split& s) { return describe(s); },
          [](const pre_tokenizer::Digits& s) {
            return std::string(s.individual ? "split digits one by one" : "split runs of digits");
          },
          [](const pre_tokenizer::Metaspace& s) {
            constexpr std::string_view schemes[] = {", one before every text", ", one before the first text", ""};
            return fmt::format("spaces as {}{}{}", quoted(s.replacement),
                               schemes[static_cast<size_t>(s.prepend_scheme)], s.split ? "" : ", not split");
          },
          [](const pre_tokenizer::Bert&) { return std::string("split at white space and punctuation"); },
          [](const pre_tokenizer::Whitespace&) {
            return std::string("split into words and what is neither word nor space");
          },
          [](const pre_tokenizer::WhitespaceSplit&) { return std::string("split at white space"); },
          [](const pre_tokenizer::Punctuation& s) {
            return fmt::format("split by punctuation, {}", behavior_text(s.behavior));
          },
          [](const pre_tokenizer::CharDelimiterSplit& s) {
            std::string delimiter;
            append_utf8(s.delimiter, delimiter);
            return "split at " + quoted(delimiter);
          },
          [](const pre_tokenizer::UnicodeScripts&) { return std::string("split where the script changes"); },
          [](const pre_tokenizer::FixedLength& s) { return fmt::format("split every {} characters", s.length); },
      },
      step);
}

std::string describe(const post_processor::Step& step) {
  return std::visit(
      Overloaded{
          [](const post_processor::ByteLevel& s) {
            return std::string(s.trim_offsets ? "byte offsets, without white space" : "byte offsets");
          },
          [](const post_processor::Template& s) {
            std::string out = "template";
            for (const post_processor::Place& place : s.single) out += (place.sequence ? " $" : " ") + place.id;
            return out;
          },
          [](const post_processor::Bert& s) { return fmt::format("{} $A {}", s.cls.token, s.sep.token); },
          [](const post_processor::Roberta& s) { return fmt::format("{} $A {}", s.cls.token, s.sep.token); },
      },
      step);
}

std::string describe(const decoder::Step& step) {
  return std::visit(
      Overloaded{
          [](const decoder::ByteLevel&) { return std::string("bytes"); },
          [](const decoder::Replace& s) {
            return fmt::format("replace {} by {}", pattern_text(s.pattern), quoted(s.content));
          },
          [](const decoder::ByteFallback&) { return std::string("byte fallback"); },
          [](const decoder::Fuse&) { return std::string("fuse"); },
          [](const decoder::Strip& s) {
            return fmt::format("strip {} {} and {} times at the ends", quoted(s.content), s.start, s.stop);
          },
          [](const decoder::Metaspace& s) { return "spaces from " + quoted(s.replacement); },
          [](const decoder::WordPiece& s) {
            return fmt::format("words from pieces with {}{}", quoted(s.prefix), s.cleanup ? ", cleaned up" : "");
          },
          [](const decoder::Bpe& s) { return fmt::format("spaces from {}", quoted(s.suffix)); },
          [](const decoder::Ctc& s) {
            return fmt::format("CTC: repeats and {} out, spaces from {}", quoted(s.pad_token),
                               quoted(s.word_delimiter_token));
          },
          [](const decoder::SentencePiece&) { return std::string("SentencePiece"); },
      },
      step);
}

template <typename Step>
std::string stage(std::string_view name, const std::vector<Step>& steps, std::string_view none) {
  std::string text;
  for (const Step& step : steps) text += (text.empty() ? "" : "; ") + describe(step);
  return fmt::format("{:<15} {}\n", name, text.empty() ? none : text);
}

std::string describe_model(const TokenizerSpec& spec) {
  const size_t tokens = spec.vocabulary.size();
  return std::visit(
      Overloaded{
          [&](const model::Bpe& s) {
            return fmt::format("BPE, {} tokens, {} merges{}{}", tokens, s.merges.size(),
                               s.byte_fallback ? ", byte fallback" : "",
                               s.ignore_merges ? ", whole tokens before merges" : "");
          },
          [&](const model::WordLevel&) { return fmt::format("whole words, {} in the vocabulary", tokens); },
          [&](const model::WordPiece& s) {
            return fmt::format("WordPiece, {} tokens, words of at most {} characters", tokens,
                               s.max_input_chars_per_word);
          },
          [&](const model::Unigram& s) {
            return fmt::format("Unigram, {} pieces{}", tokens, s.byte_fallback ? ", byte fallback" : "");
          },
          [&](const model::SentencePiece& s) {
            constexpr std::string_view types[] = {"Unigram", "BPE", "words", "characters"};
            return fmt::format("SentencePiece {}, {} pieces{}", types[static_cast<size_t>(s.type) - 1], tokens,
                               s.byte_fallback ? ", byte fallback" : "");
          },
      },
      spec.model);
}

std::string describe_limits(const TokenizerSpec& spec) {
  std::string out;
  if (spec.truncation) {
    out += fmt::format("{:<15} to {} tokens, windows overlap by {}\n", "truncation", spec.truncation->max_length,
                       spec.truncation->stride);
  }
  if (spec.padding) {
    const std::string length = spec.padding->fixed_length ? std::to_string(*spec.padding->fixed_length) + " tokens"
                                                          : std::string("the longest of a batch");
    out += fmt::format("{:<15} to {} with {}\n", "padding", length, quoted(spec.padding->pad_token));
  }
  return out;
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
         stage("decoder", spec.decoders, "spaces between tokens") + describe_limits(spec);
}

}  // namespace sesame
