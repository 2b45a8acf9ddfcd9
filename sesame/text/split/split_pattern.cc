#include "sesame/text/split/split_pattern.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <string>

#include "sesame/base/error.h"
#include "sesame/text/split/mask_splitter.h"
#include "sesame/text/split/split_automaton.h"

namespace sesame {
namespace {

struct NamedPattern {
  std::string_view name;
  SplitPattern pattern;
};

constexpr std::array names = {
    NamedPattern{"gpt2", SplitPattern::gpt2},         NamedPattern{"cl100k", SplitPattern::cl100k},
    NamedPattern{"llama3", SplitPattern::cl100k},     NamedPattern{"cl100k_tiktoken", SplitPattern::cl100k_tiktoken},
    NamedPattern{"qwen2", SplitPattern::qwen2},       NamedPattern{"o200k", SplitPattern::o200k},
    NamedPattern{"qwen3.5", SplitPattern::qwen3_5},   NamedPattern{"tekken", SplitPattern::tekken},
    NamedPattern{"nanochat", SplitPattern::nanochat}, NamedPattern{"deepseek_v3", SplitPattern::deepseek_v3},
};

struct PublishedRegex {
  SplitPattern pattern;
  std::string_view regex;
};

// As tokenizer.json holds them. cl100k_tiktoken is written so that Oniguruma, PCRE2 and Rust agree on it: `{1,3}+` is
// possessive in two of them and a repetition in the third.
constexpr std::array published = {
    PublishedRegex{SplitPattern::gpt2, R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)"},
    PublishedRegex{
        SplitPattern::cl100k,
        R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
    PublishedRegex{
        SplitPattern::cl100k_tiktoken,
        R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s++$|\s*[\r\n]+|\s+(?!\S)|\s+)"},
    PublishedRegex{
        SplitPattern::qwen2,
        R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
    PublishedRegex{
        SplitPattern::o200k,
        R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
    PublishedRegex{
        SplitPattern::qwen3_5,
        R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
    PublishedRegex{
        SplitPattern::tekken,
        R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
    PublishedRegex{
        SplitPattern::nanochat,
        R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,2}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+)"},
    // What the second Split takes cannot be part of a match of the third, and the text before a match of the first two
    // is at an end for the third: `\s+(?!\S)` takes all white space there.
    PublishedRegex{
        SplitPattern::deepseek_v3,
        R"(\p{N}{1,3}|[\x{4E00}-\x{9FA5}\x{3040}-\x{30FF}]+|[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|(?:(?![\x{4E00}-\x{9FA5}\x{3040}-\x{30FF}])[^\r\n\p{L}\p{P}\p{S}\p{N}])?(?:(?![\x{4E00}-\x{9FA5}\x{3040}-\x{30FF}])[\p{L}\p{M}])+| ?(?:(?![\x{4E00}-\x{9FA5}\x{3040}-\x{30FF}])[\p{P}\p{S}])+[\r\n]*|\s*[\r\n]+|\s+(?![^\s\p{N}\x{4E00}-\x{9FA5}\x{3040}-\x{30FF}])|\s+)"},
};

constexpr std::array<std::string_view, 3> deepseek_v3_splits = {R"(\p{N}{1,3})",
                                                                "[\u4E00-\u9FA5\u3040-\u309F\u30A0-\u30FF]+",
                                                                R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^)"
                                                                "\r\n"
                                                                R"(\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[)"
                                                                "\r\n"
                                                                R"(]*|\s*[)"
                                                                "\r\n"
                                                                R"(]+|\s+(?!\S)|\s+)"};

}  // namespace

std::string_view split_regex(SplitPattern pattern) {
  return std::find_if(published.begin(), published.end(), [&](const PublishedRegex& p) { return p.pattern == pattern; })
      ->regex;
}

const SplitAutomaton& split_automaton(SplitPattern pattern) {
  static std::array<std::once_flag, published.size()> compiled;
  static std::array<std::shared_ptr<const SplitAutomaton>, published.size()> automata;
  const auto i = static_cast<size_t>(pattern);
  std::call_once(compiled[i],
                 [&] { automata[i] = SplitAutomaton::compile(split_regex(pattern), RegexSyntax::oniguruma); });
  return *automata[i];
}

std::optional<SplitPattern> recognize_split_regex(std::string_view regex, RegexSyntax syntax) {
  if (syntax == RegexSyntax::oniguruma) {
    for (const PublishedRegex& p : published) {
      if (p.regex == regex) return p.pattern;
    }
  }
  const auto automaton = SplitAutomaton::compile(regex, syntax);
  if (!automaton) return std::nullopt;
  for (const PublishedRegex& p : published) {
    if (automaton->equivalent(split_automaton(p.pattern))) return p.pattern;
  }
  return std::nullopt;
}

std::optional<SplitPattern> recognize_split_sequence(std::span<const std::string_view> regexes) {
  if (regexes.size() == 1) return recognize_split_regex(regexes.front());
  const auto alike = [](std::string_view a, std::string_view b) {
    if (a == b) return true;
    const auto automaton = SplitAutomaton::compile(a, RegexSyntax::oniguruma);
    return automaton && automaton->equivalent(*SplitAutomaton::compile(b, RegexSyntax::oniguruma));
  };
  const auto& deepseek = deepseek_v3_splits;
  const bool is_deepseek = std::equal(regexes.begin(), regexes.end(), deepseek.begin(), deepseek.end(), alike);
  return is_deepseek ? std::optional(SplitPattern::deepseek_v3) : std::nullopt;
}

SplitPattern split_pattern(std::string_view name) {
  std::string known;
  for (const NamedPattern& n : names) {
    if (n.name == name) return n.pattern;
    known += known.empty() ? "" : ", ";
    known += n.name;
  }
  fail_usage(fmt::format("unknown pre-tokenizer pattern '{}': choose one of {}", name, known));
}

std::string_view split_pattern_name(SplitPattern pattern) {
  return std::find_if(names.begin(), names.end(), [&](const NamedPattern& n) { return n.pattern == pattern; })->name;
}

void split(SplitPattern pattern, std::string_view text, size_t begin, size_t end,
           FunctionRef<void(std::string_view piece)> emit) {
  std::array<uint32_t, 1024>
      ends;  // NOLINT(cppcoreguidelines-pro-type-member-init): find_ends writes before it is read
  for (size_t p = begin; p < end;) {
    const size_t count = find_ends_by_masks(pattern, text, p, ends);
    size_t piece = p;
    for (size_t i = 0; i < count && piece < end; ++i) {
      emit(text.substr(piece, p + ends[i] - piece));
      piece = p + ends[i];
    }
    p = piece;
  }
}

size_t safe_cut(std::string_view text, size_t from) {
  const auto is_ascii_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  for (size_t p = std::max<size_t>(from, 1); p < text.size(); ++p) {
    if (text[p - 1] == '\n' && is_ascii_letter(text[p])) return p;
  }
  return text.size();
}

}  // namespace sesame
