#include <fmt/format.h>

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sesame/base/error.h"
#include "sesame/text/files/base64.h"
#include "sesame/text/files/tokenizer_json.h"
#include "sesame/text/sentencepiece/to_hugging_face.h"
#include "sesame/text/tokenizer_spec.h"

namespace sesame {
namespace {

template <typename... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};
template <typename... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;

std::string quoted(std::string_view text) {
  if (find_invalid_utf8(text) != text.size()) {
    fail("a tokenizer holds a token that is not UTF-8, which tokenizer.json cannot express");
  }
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<uint8_t>(c) < 0x20 || c == 0x7F) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out += '"';
}

std::string_view boolean(bool value) { return value ? "true" : "false"; }

/// The items, each by `format`, between brackets and on lines of their own.
template <typename Items, typename Format>
std::string list(const Items& items, std::string_view brackets, std::string_view indent, Format format) {
  std::string out(1, brackets[0]);
  bool first = true;
  for (const auto& item : items) {
    out += first ? "\n" : ",\n";
    out += indent;
    out += "  ";
    out += format(item);
    first = false;
  }
  if (!first) {
    out += '\n';
    out += indent;
  }
  return out += brackets[1];
}

std::string format_pattern(const Pattern& pattern) {
  return fmt::format(R"({{"{}": {}}})", pattern.regex ? "Regex" : "String", quoted(pattern.text));
}

std::string format_replace(const Pattern& pattern, std::string_view content) {
  return fmt::format(R"({{"type": "Replace", "pattern": {}, "content": {}}})", format_pattern(pattern),
                     quoted(content));
}

std::string format_byte_level(bool add_prefix_space, bool trim_offsets, bool use_regex) {
  return fmt::format(R"({{"type": "ByteLevel", "add_prefix_space": {}, "trim_offsets": {}, "use_regex": {}}})",
                     boolean(add_prefix_space), boolean(trim_offsets), boolean(use_regex));
}

std::string format_metaspace(std::string_view replacement, pre_tokenizer::PrependScheme scheme, bool split) {
  using pre_tokenizer::PrependScheme;
  const std::string_view name = scheme == PrependScheme::always  ? "always"
                                : scheme == PrependScheme::first ? "first"
                                                                 : "never";
  return fmt::format(R"({{"type": "Metaspace", "replacement": {}, "prepend_scheme": "{}", "split": {}}})",
                     quoted(replacement), name, boolean(split));
}

[[noreturn]] void fail_sentencepiece() {
  fail("tokenizer.json has no form for a SentencePiece model's own rules: save it as tokenizer.model");
}

std::string only_type(std::string_view type) { return fmt::format(R"({{"type": "{}"}})", type); }

std::string format_step(const normalizer::Step& step) {
  return std::visit(
      Overloaded{
          [](const normalizer::Prepend& s) {
            return fmt::format(R"({{"type": "Prepend", "prepend": {}}})", quoted(s.prepend));
          },
          [](const normalizer::Replace& s) { return format_replace(s.pattern, s.content); },
          [](const normalizer::Unicode& s) {
            constexpr std::string_view forms[] = {"NFC", "NFD", "NFKC", "NFKD"};
            return only_type(forms[static_cast<size_t>(s.form)]);
          },
          [](const normalizer::Lowercase&) { return only_type("Lowercase"); },
          [](const normalizer::StripAccents&) { return only_type("StripAccents"); },
          [](const normalizer::Strip& s) {
            return fmt::format(R"({{"type": "Strip", "strip_left": {}, "strip_right": {}}})", boolean(s.left),
                               boolean(s.right));
          },
          [](const normalizer::Bert& s) {
            return fmt::format(R"({{"type": "BertNormalizer", "clean_text": {}, "handle_chinese_chars": {}, )"
                               R"("strip_accents": {}, "lowercase": {}}})",
                               boolean(s.clean_text), boolean(s.handle_chinese_chars),
                               s.strip_accents ? boolean(*s.strip_accents) : "null", boolean(s.lowercase));
          },
          [](const normalizer::Precompiled& s) {
            return fmt::format(R"({{"type": "Precompiled", "precompiled_charsmap": "{}"}})", encode_base64(s.charsmap));
          },
          [](const normalizer::Nmt&) { return only_type("Nmt"); },
          [](const normalizer::ByteLevel&) { return only_type("ByteLevel"); },
          [](const normalizer::SentencePiece&) -> std::string { fail_sentencepiece(); },
      },
      step);
}

std::string_view behavior_name(pre_tokenizer::Behavior behavior) {
  constexpr std::string_view names[] = {"Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"};
  return names[static_cast<size_t>(behavior)];
}

std::string format_step(const pre_tokenizer::Step& step) {
  return std::visit(
      Overloaded{
          [](const pre_tokenizer::ByteLevel& s) {
            return format_byte_level(s.add_prefix_space, s.trim_offsets, s.use_regex);
          },
          [](const pre_tokenizer::Split& s) {
            return fmt::format(R"({{"type": "Split", "pattern": {}, "behavior": "{}", "invert": {}}})",
                               format_pattern(s.pattern), behavior_name(s.behavior), boolean(s.invert));
          },
          [](const pre_tokenizer::Digits& s) {
            return fmt::format(R"({{"type": "Digits", "individual_digits": {}}})", boolean(s.individual));
          },
          [](const pre_tokenizer::Metaspace& s) { return format_metaspace(s.replacement, s.prepend_scheme, s.split); },
          [](const pre_tokenizer::Bert&) { return only_type("BertPreTokenizer"); },
          [](const pre_tokenizer::Whitespace&) { return only_type("Whitespace"); },
          [](const pre_tokenizer::WhitespaceSplit&) { return only_type("WhitespaceSplit"); },
          [](const pre_tokenizer::Punctuation& s) {
            return fmt::format(R"({{"type": "Punctuation", "behavior": "{}"}})", behavior_name(s.behavior));
          },
          [](const pre_tokenizer::CharDelimiterSplit& s) {
            std::string delimiter;
            append_utf8(s.delimiter, delimiter);
            return fmt::format(R"({{"type": "CharDelimiterSplit", "delimiter": {}}})", quoted(delimiter));
          },
          [](const pre_tokenizer::UnicodeScripts&) { return only_type("UnicodeScripts"); },
          [](const pre_tokenizer::FixedLength& s) {
            return fmt::format(R"({{"type": "FixedLength", "length": {}}})", s.length);
          },
      },
      step);
}

std::string format_step(const decoder::Step& step) {
  return std::visit(
      Overloaded{
          [](const decoder::ByteLevel& s) {
            return format_byte_level(s.add_prefix_space, s.trim_offsets, s.use_regex);
          },
          [](const decoder::Replace& s) { return format_replace(s.pattern, s.content); },
          [](const decoder::ByteFallback&) { return only_type("ByteFallback"); },
          [](const decoder::Fuse&) { return only_type("Fuse"); },
          [](const decoder::Strip& s) {
            return fmt::format(R"({{"type": "Strip", "content": {}, "start": {}, "stop": {}}})", quoted(s.content),
                               s.start, s.stop);
          },
          [](const decoder::Metaspace& s) { return format_metaspace(s.replacement, s.prepend_scheme, s.split); },
          [](const decoder::WordPiece& s) {
            return fmt::format(R"({{"type": "WordPiece", "prefix": {}, "cleanup": {}}})", quoted(s.prefix),
                               boolean(s.cleanup));
          },
          [](const decoder::Bpe& s) {
            return fmt::format(R"({{"type": "BPEDecoder", "suffix": {}}})", quoted(s.suffix));
          },
          [](const decoder::Ctc& s) {
            return fmt::format(R"({{"type": "CTC", "pad_token": {}, "word_delimiter_token": {}, "cleanup": {}}})",
                               quoted(s.pad_token), quoted(s.word_delimiter_token), boolean(s.cleanup));
          },
          [](const decoder::SentencePiece&) -> std::string { fail_sentencepiece(); },
      },
      step);
}

std::string format_places(const std::vector<post_processor::Place>& places) {
  std::string out = "[";
  for (const post_processor::Place& place : places) {
    out += out.size() > 1 ? ", " : "";
    out += fmt::format(R"({{"{}": {{"id": {}, "type_id": {}}}}})", place.sequence ? "Sequence" : "SpecialToken",
                       quoted(place.id), place.type_id);
  }
  return out += "]";
}

std::string format_template_token(const post_processor::TemplateToken& token) {
  std::string tokens;
  for (const std::string& t : token.tokens) tokens += (tokens.empty() ? "" : ", ") + quoted(t);
  return fmt::format(R"({0}: {{"id": {0}, "ids": [{1}], "tokens": [{2}]}})", quoted(token.id),
                     fmt::join(token.ids, ", "), tokens);
}

std::string format_token(const post_processor::Token& token) {
  return fmt::format("[{}, {}]", quoted(token.token), token.id);
}

std::string format_step(const post_processor::Step& step) {
  return std::visit(
      Overloaded{
          [](const post_processor::ByteLevel& s) {
            return format_byte_level(s.add_prefix_space, s.trim_offsets, s.use_regex);
          },
          [](const post_processor::Template& s) {
            return fmt::format(R"({{"type": "TemplateProcessing", "single": {}, "pair": {}, "special_tokens": {}}})",
                               format_places(s.single), format_places(s.pair),
                               list(s.special_tokens, "{}", "  ", format_template_token));
          },
          [](const post_processor::Bert& s) {
            return fmt::format(R"({{"type": "BertProcessing", "sep": {}, "cls": {}}})", format_token(s.sep),
                               format_token(s.cls));
          },
          [](const post_processor::Roberta& s) {
            return fmt::format(R"({{"type": "RobertaProcessing", "sep": {}, "cls": {}, "trim_offsets": {}, )"
                               R"("add_prefix_space": {}}})",
                               format_token(s.sep), format_token(s.cls), boolean(s.trim_offsets),
                               boolean(s.add_prefix_space));
          },
      },
      step);
}

/// One stage as itself, several as a Sequence, none as null.
template <typename Step>
std::string format_stages(const std::vector<Step>& steps, std::string_view list_key) {
  if (steps.empty()) return "null";
  const auto format = [](const Step& step) { return format_step(step); };
  if (steps.size() == 1) return format(steps.front());
  return fmt::format(R"({{"type": "Sequence", "{}": {}}})", list_key, list(steps, "[]", "  ", format));
}

std::string format_added_token(const AddedToken& t) {
  return fmt::format(R"({{"id": {}, "content": {}, "single_word": {}, "lstrip": {}, "rstrip": {}, "normalized": {}, )"
                     R"("special": {}}})",
                     t.id, quoted(t.content), boolean(t.single_word), boolean(t.lstrip), boolean(t.rstrip),
                     boolean(t.normalized), boolean(t.special));
}

std::string format_vocabulary(const std::vector<VocabularyEntry>& vocabulary) {
  return list(vocabulary, "{}", "    ",
              [](const VocabularyEntry& entry) { return fmt::format("{}: {}", quoted(entry.token), entry.id); });
}

/// Merges as "left right", which every version of Hugging Face's library reads, unless a token holds a space or looks
/// like the first line of merges.txt, which that library skips.
std::string format_merges(const TokenizerSpec& spec, const model::Bpe& bpe) {
  std::vector<std::string_view> tokens;
  bool ambiguous = false;
  for (const VocabularyEntry& entry : spec.vocabulary) {
    const auto id = static_cast<size_t>(entry.id);
    if (tokens.size() <= id) tokens.resize(id + 1);
    tokens[id] = entry.token;
    ambiguous = ambiguous || entry.token.find(' ') != std::string::npos || entry.token.starts_with("#version");
  }
  return list(bpe.merges, "[]", "    ", [&](const model::Merge& merge) {
    const std::string_view left = tokens.at(static_cast<size_t>(merge.left));
    const std::string_view right = tokens.at(static_cast<size_t>(merge.right));
    if (!ambiguous) return quoted(fmt::format("{} {}", left, right));
    return fmt::format("[{}, {}]", quoted(left), quoted(right));
  });
}

std::string or_null(const std::string& text) { return text.empty() ? "null" : quoted(text); }

std::string format_model(const TokenizerSpec& spec, const model::Bpe& bpe) {
  return fmt::format(
      "{{\n    \"type\": \"BPE\",\n    \"dropout\": null,\n    \"unk_token\": {},\n"
      "    \"continuing_subword_prefix\": {},\n    \"end_of_word_suffix\": {},\n"
      "    \"fuse_unk\": {},\n    \"byte_fallback\": {},\n    \"ignore_merges\": {},\n"
      "    \"vocab\": {},\n    \"merges\": {}\n  }}",
      bpe.unk_token ? quoted(*bpe.unk_token) : "null", or_null(bpe.continuing_subword_prefix),
      or_null(bpe.end_of_word_suffix), boolean(bpe.fuse_unk), boolean(bpe.byte_fallback), boolean(bpe.ignore_merges),
      format_vocabulary(spec.vocabulary), format_merges(spec, bpe));
}

std::string format_model(const TokenizerSpec& spec, const model::WordLevel& words) {
  return fmt::format("{{\n    \"type\": \"WordLevel\",\n    \"vocab\": {},\n    \"unk_token\": {}\n  }}",
                     format_vocabulary(spec.vocabulary), quoted(words.unk_token));
}

std::string format_model(const TokenizerSpec& spec, const model::WordPiece& pieces) {
  return fmt::format(
      "{{\n    \"type\": \"WordPiece\",\n    \"unk_token\": {},\n    \"continuing_subword_prefix\": {},\n"
      "    \"max_input_chars_per_word\": {},\n    \"vocab\": {}\n  }}",
      quoted(pieces.unk_token), quoted(pieces.continuing_subword_prefix), pieces.max_input_chars_per_word,
      format_vocabulary(spec.vocabulary));
}

/// Scores as the shortest decimals that are read as the same doubles.
std::string format_model(const TokenizerSpec& spec, const model::Unigram& unigram) {
  const auto format_piece = [&](const VocabularyEntry& entry) {
    return fmt::format("[{}, {}]", quoted(entry.token), unigram.scores.at(static_cast<size_t>(entry.id)));
  };
  return fmt::format(
      "{{\n    \"type\": \"Unigram\",\n    \"unk_id\": {},\n    \"vocab\": {},\n    \"byte_fallback\": {}\n  }}",
      unigram.unk_id ? std::to_string(*unigram.unk_id) : "null", list(spec.vocabulary, "[]", "    ", format_piece),
      boolean(unigram.byte_fallback));
}

std::string format_model(const TokenizerSpec&, const model::SentencePiece&) { fail_sentencepiece(); }

std::string_view direction_name(Direction direction) { return direction == Direction::left ? "Left" : "Right"; }

std::string format_truncation(const std::optional<Truncation>& truncation) {
  if (!truncation) return "null";
  constexpr std::string_view strategies[] = {"LongestFirst", "OnlyFirst", "OnlySecond"};
  return fmt::format(R"({{"direction": "{}", "max_length": {}, "strategy": "{}", "stride": {}}})",
                     direction_name(truncation->direction), truncation->max_length,
                     strategies[static_cast<size_t>(truncation->strategy)], truncation->stride);
}

std::string format_padding(const std::optional<Padding>& padding) {
  if (!padding) return "null";
  const auto number_or = [](const std::optional<uint64_t>& number, std::string_view otherwise) {
    return number ? std::to_string(*number) : std::string(otherwise);
  };
  const std::string strategy =
      padding->fixed_length ? fmt::format(R"({{"Fixed": {}}})", *padding->fixed_length) : R"("BatchLongest")";
  return fmt::format(R"({{"strategy": {}, "direction": "{}", "pad_to_multiple_of": {}, "pad_id": {}, )"
                     R"("pad_type_id": {}, "pad_token": {}}})",
                     strategy, direction_name(padding->direction), number_or(padding->pad_to_multiple_of, "null"),
                     padding->pad_id, padding->pad_type_id, quoted(padding->pad_token));
}

}  // namespace

std::string format_tokenizer_json(const TokenizerSpec& spec) {
  if (std::holds_alternative<model::SentencePiece>(spec.model)) return format_tokenizer_json(to_hugging_face(spec));
  return fmt::format(
      "{{\n  \"version\": \"1.0\",\n  \"truncation\": {},\n  \"padding\": {},\n  \"added_tokens\": {},\n"
      "  \"normalizer\": {},\n  \"pre_tokenizer\": {},\n  \"post_processor\": {},\n  \"decoder\": {},\n"
      "  \"model\": {}\n}}\n",
      format_truncation(spec.truncation), format_padding(spec.padding),
      list(spec.added_tokens, "[]", "  ", format_added_token), format_stages(spec.normalizers, "normalizers"),
      format_stages(spec.pre_tokenizers, "pretokenizers"), format_stages(spec.post_processors, "processors"),
      format_stages(spec.decoders, "decoders"),
      std::visit([&](const auto& model) { return format_model(spec, model); }, spec.model));
}

}  // namespace sesame
