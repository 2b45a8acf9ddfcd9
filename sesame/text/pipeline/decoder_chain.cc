#include "sesame/text/pipeline/decoder_chain.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <type_traits>
#include <utility>

#include "sesame/base/error.h"
#include "sesame/text/bpe/byte_alphabet.h"
#include "sesame/text/unicode/unicode.h"

namespace sesame {
namespace {

std::string replace_all(std::string_view text, const PatternFinder& finder, std::string_view content) {
  std::string out;
  size_t done = 0;
  finder.for_each_match(text, [&](size_t begin, size_t end) {
    out.append(text.substr(done, begin - done)).append(content);
    done = end;
  });
  return out.append(text.substr(done));
}

std::string replace_all(std::string_view text, std::string_view pattern, std::string_view content) {
  if (text.empty() && pattern.empty()) return std::string(content);
  return replace_all(text, PatternFinder({std::string(pattern), false}, ""), content);
}

/// The spaces that English text does not have: before punctuation and inside contractions.
std::string clean_up(std::string text) {
  constexpr std::pair<std::string_view, std::string_view> rules[] = {
      {" .", "."},   {" ?", "?"},           {" !", "!"},   {" ,", ","},     {" ' ", "'"},   {" n't", "n't"},
      {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  for (const auto& [pattern, content] : rules) {
    if (text.find(pattern) != std::string::npos) text = replace_all(text, pattern, content);
  }
  return text;
}

/// "<0x0A>" as Rust's parser reads it: digits of any case, and a sign before one of them.
std::optional<char> byte_of(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || !token.ends_with('>')) return std::nullopt;
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
  };
  const int high = token[3] == '+' ? 0 : digit(token[3]);
  const int low = digit(token[4]);
  if (high < 0 || low < 0) return std::nullopt;
  return static_cast<char>(static_cast<uint8_t>(high * 16 + low));
}

}  // namespace

DecoderChain::DecoderChain(const std::vector<decoder::Step>& steps, std::string_view origin, InvalidBytes invalid)
    : invalid_(invalid) {
  for (const decoder::Step& step : steps) {
    std::visit(
        [&](const auto& s) {
          using Given = std::decay_t<decltype(s)>;
          if constexpr (std::is_same_v<Given, decoder::Replace>) {
            steps_.emplace_back(Replace{PatternFinder(s.pattern, fmt::format("{}: decoder", origin)), s.content});
          } else if constexpr (std::is_same_v<Given, decoder::SentencePiece>) {
            fail(fmt::format("{}: decoder: SentencePiece's decoder works on ids, not on tokens", origin));
          } else {
            steps_.emplace_back(s);
          }
        },
        step);
  }
}

std::string DecoderChain::decode(std::span<const std::string_view> tokens) const {
  Tokens current(tokens.begin(), tokens.end());
  for (const Step& step : steps_) std::visit([&](const auto& s) { apply(s, current); }, step);
  std::string text;
  for (size_t i = 0; i < current.size(); ++i) {
    if (steps_.empty() && i > 0) text += ' ';
    text += current[i];
  }
  return text;
}

void DecoderChain::apply(const decoder::ByteLevel&, Tokens& tokens) const {
  std::string bytes;
  for (const std::string& token : tokens) {
    const auto unspelled = unspell_bytes(token);
    bytes += unspelled ? *unspelled : token;
  }
  tokens.assign(1, invalid_ == InvalidBytes::replace ? take_whole_utf8(bytes, true) : std::move(bytes));
}

void DecoderChain::apply(const Replace& step, Tokens& tokens) const {
  for (std::string& token : tokens) token = replace_all(token, step.finder, step.content);
}

void DecoderChain::apply(const decoder::ByteFallback&, Tokens& tokens) const {
  Tokens out;
  std::string bytes;
  const auto end_run = [&] {
    if (bytes.empty()) return;
    if (invalid_ == InvalidBytes::keep || find_invalid_utf8(bytes) == bytes.size()) {
      out.push_back(bytes);
    } else {
      out.insert(out.end(), bytes.size(), "\xEF\xBF\xBD");
    }
    bytes.clear();
  };
  for (std::string& token : tokens) {
    if (const auto byte = byte_of(token)) {
      bytes += *byte;
      continue;
    }
    end_run();
    out.push_back(std::move(token));
  }
  end_run();
  tokens = std::move(out);
}

void DecoderChain::apply(const decoder::Fuse&, Tokens& tokens) const {
  std::string fused;
  for (const std::string& token : tokens) fused += token;
  tokens.assign(1, std::move(fused));
}

void DecoderChain::apply(const decoder::Strip& step, Tokens& tokens) const {
  for (std::string& token : tokens) {
    std::string_view rest = token;
    for (int32_t i = 0; i < step.start && rest.starts_with(step.content); ++i) rest.remove_prefix(step.content.size());
    for (int32_t i = 0; i < step.stop && rest.ends_with(step.content); ++i) rest.remove_suffix(step.content.size());
    token = std::string(rest);
  }
}

void DecoderChain::apply(const decoder::Metaspace& step, Tokens& tokens) const {
  const bool drops_first = step.prepend_scheme != pre_tokenizer::PrependScheme::never;
  for (size_t i = 0; i < tokens.size(); ++i) {
    tokens[i] = replace_all(tokens[i], step.replacement, i == 0 && drops_first ? "" : " ");
  }
}

void DecoderChain::apply(const decoder::WordPiece& step, Tokens& tokens) const {
  for (size_t i = 0; i < tokens.size(); ++i) {
    std::string& token = tokens[i];
    if (i > 0 && token.starts_with(step.prefix)) {
      token.erase(0, step.prefix.size());
    } else if (i > 0) {
      token.insert(0, " ");
    }
    if (step.cleanup) token = clean_up(std::move(token));
  }
}

void DecoderChain::apply(const decoder::Bpe& step, Tokens& tokens) const {
  for (size_t i = 0; i < tokens.size(); ++i) {
    tokens[i] = replace_all(tokens[i], step.suffix, i + 1 == tokens.size() ? "" : " ");
  }
}

void DecoderChain::apply(const decoder::Ctc& step, Tokens& tokens) const {
  tokens.erase(std::unique(tokens.begin(), tokens.end()), tokens.end());
  for (std::string& token : tokens) {
    token = replace_all(token, step.pad_token, "");
    if (step.cleanup) token = replace_all(clean_up(std::move(token)), step.word_delimiter_token, " ");
  }
  std::erase(tokens, "");
}

}  // namespace sesame
