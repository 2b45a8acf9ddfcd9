#include <fmt/format.h>

#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>

#include "sesame/base/error.h"
#include "sesame/text/files/tokenizer_json.h"
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

std::string format_step(const normalizer::Step& step) {
  return std::visit(Overloaded{
                        [](const normalizer::Prepend& s) {
                          return fmt::format(R"({{"type": "Prepend", "prepend": {}}})", quoted(s.prepend));
                        },
                        [](const normalizer::Replace& s) { return format_replace(s.pattern, s.content); },
                        [](const normalizer::Unicode& s) {
                          constexpr std::string_view forms[] = {"NFC", "NFD", "NFKC", "NFKD"};
                          return fmt::format(R"({{"type": "{}"}})", forms[static_cast<size_t>(s.form)]);
                        },
                        [](const normalizer::Lowercase&) { return std::string(R"({"type": "Lowercase"})"); },
                        [](const normalizer::StripAccents&) { return std::string(R"({"type": "StripAccents"})"); },
                        [](const normalizer::Strip& s) {
                          return fmt::format(R"({{"type": "Strip", "strip_left": {}, "strip_right": {}}})",
                                             boolean(s.left), boolean(s.right));
                        },
                        [](const auto&) -> std::string { fail("tokenizer.json: this stage cannot be written"); },
                    },
                    step);
}

std::string format_step(const pre_tokenizer::Step& step) {
  return std::visit(
      Overloaded{
          [](const pre_tokenizer::ByteLevel& s) {
            return format_byte_level(s.add_prefix_space, s.trim_offsets, s.use_regex);
          },
          [](const pre_tokenizer::Split& s) {
            constexpr std::string_view behaviors[] = {"Removed", "Isolated", "MergedWithPrevious", "MergedWithNext",
                                                      "Contiguous"};
            return fmt::format(R"({{"type": "Split", "pattern": {}, "behavior": "{}", "invert": {}}})",
                               format_pattern(s.pattern), behaviors[static_cast<size_t>(s.behavior)],
                               boolean(s.invert));
          },
          [](const pre_tokenizer::Digits& s) {
            return fmt::format(R"({{"type": "Digits", "individual_digits": {}}})", boolean(s.individual));
          },
          [](const pre_tokenizer::Metaspace& s) { return format_metaspace(s.replacement, s.prepend_scheme, s.split); },
          [](const auto&) -> std::string { fail("tokenizer.json: this stage cannot be written"); },
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
          [](const decoder::ByteFallback&) { return std::string(R"({"type": "ByteFallback"})"); },
          [](const decoder::Fuse&) { return std::string(R"({"type": "Fuse"})"); },
          [](const decoder::Strip& s) {
            return fmt::format(R"({{"type": "Strip", "content": {}, "start": {}, "stop": {}}})", quoted(s.content),
                               s.start, s.stop);
          },
          [](const decoder::Metaspace& s) { return format_metaspace(s.replacement, s.prepend_scheme, s.split); },
          [](const auto&) -> std::string { fail("tokenizer.json: this stage cannot be written"); },
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

std::string format_step(const post_processor::Step& step) {
  return std::visit(Overloaded{
                        [](const post_processor::ByteLevel& s) {
                          return format_byte_level(s.add_prefix_space, s.trim_offsets, s.use_regex);
                        },
                        [](const post_processor::Template& s) {
                          return fmt::format(
                              R"({{"type": "TemplateProcessing", "single": {}, "pair": {}, "special_tokens": {}}})",
                              format_places(s.single), format_places(s.pair),
                              list(s.special_tokens, "{}", "  ", format_template_token));
                        },
                        [](const auto&) -> std::string { fail("tokenizer.json: this stage cannot be written"); },
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

/// Merges as "left right", which every version of Hugging Face's library reads, unless a token holds a space.
std::string format_merges(const TokenizerSpec& spec, const model::Bpe& bpe) {
  std::unordered_map<int32_t, std::string_view> tokens;
  bool spaces = false;
  for (const VocabularyEntry& entry : spec.vocabulary) {
    tokens.emplace(entry.id, entry.token);
    spaces = spaces || entry.token.find(' ') != std::string::npos;
  }
  return list(bpe.merges, "[]", "    ", [&](const model::Merge& merge) {
    const std::string_view left = tokens.at(merge.left);
    const std::string_view right = tokens.at(merge.right);
    if (!spaces) return quoted(fmt::format("{} {}", left, right));
    return fmt::format("[{}, {}]", quoted(left), quoted(right));
  });
}

std::string format_model(const TokenizerSpec& spec) {
  return std::visit(
      Overloaded{
          [&](const model::Bpe& bpe) {
            return fmt::format(
                "{{\n    \"type\": \"BPE\",\n    \"dropout\": null,\n    \"unk_token\": {},\n"
                "    \"continuing_subword_prefix\": null,\n    \"end_of_word_suffix\": null,\n"
                "    \"fuse_unk\": {},\n    \"byte_fallback\": {},\n    \"ignore_merges\": {},\n"
                "    \"vocab\": {},\n    \"merges\": {}\n  }}",
                bpe.unk_token ? quoted(*bpe.unk_token) : "null", boolean(bpe.fuse_unk), boolean(bpe.byte_fallback),
                boolean(bpe.ignore_merges), format_vocabulary(spec.vocabulary), format_merges(spec, bpe));
          },
          [&](const model::WordLevel& words) {
            return fmt::format("{{\n    \"type\": \"WordLevel\",\n    \"vocab\": {},\n    \"unk_token\": {}\n  }}",
                               format_vocabulary(spec.vocabulary), quoted(words.unk_token));
          },
          [](const auto&) -> std::string { fail("tokenizer.json: this stage cannot be written"); },
      },
      spec.model);
}

}  // namespace

std::string format_tokenizer_json(const TokenizerSpec& spec) {
  return fmt::format(
      "{{\n  \"version\": \"1.0\",\n  \"truncation\": null,\n  \"padding\": null,\n  \"added_tokens\": {},\n"
      "  \"normalizer\": {},\n  \"pre_tokenizer\": {},\n  \"post_processor\": {},\n  \"decoder\": {},\n"
      "  \"model\": {}\n}}\n",
      list(spec.added_tokens, "[]", "  ", format_added_token), format_stages(spec.normalizers, "normalizers"),
      format_stages(spec.pre_tokenizers, "pretokenizers"), format_stages(spec.post_processors, "processors"),
      format_stages(spec.decoders, "decoders"), format_model(spec));
}

}  // namespace sesame
