#include "sesame/text/files/tiktoken_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <unordered_set>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/text/bpe/byte_alphabet.h"
#include "sesame/text/bpe/byte_level_stages.h"
#include "sesame/text/encode/string_index.h"
#include "sesame/text/files/base64.h"
#include "sesame/text/files/ranked_vocabulary.h"
#include "sesame/text/files/text_lines.h"

namespace sesame {
namespace {

using SpecialTokens = std::vector<std::pair<std::string, int32_t>>;

/// `<|PREFIX i|>` for ids from `first` to `last`, numbered from `number`.
void add_reserved(SpecialTokens& tokens, std::string_view prefix, int32_t number, int32_t first, int32_t last) {
  for (int32_t id = first; id <= last; ++id) tokens.emplace_back(fmt::format("<|{}{}|>", prefix, number++), id);
}

SpecialTokens harmony_tokens() {
  SpecialTokens tokens = {{"<|startoftext|>", 199998}, {"<|endoftext|>", 199999}};
  add_reserved(tokens, "reserved_", 200000, 200000, 200001);
  tokens.insert(tokens.end(), {{"<|return|>", 200002}, {"<|constrain|>", 200003}});
  add_reserved(tokens, "reserved_", 200004, 200004, 200004);
  tokens.insert(tokens.end(),
                {{"<|channel|>", 200005}, {"<|start|>", 200006}, {"<|end|>", 200007}, {"<|message|>", 200008}});
  add_reserved(tokens, "reserved_", 200009, 200009, 200011);
  tokens.emplace_back("<|call|>", 200012);
  add_reserved(tokens, "reserved_", 200013, 200013, 200017);
  tokens.emplace_back("<|endofprompt|>", 200018);
  add_reserved(tokens, "reserved_", 200019, 200019, 201087);
  return tokens;
}

SpecialTokens llama3_tokens() {
  SpecialTokens tokens = {{"<|begin_of_text|>", 128000}, {"<|end_of_text|>", 128001}};
  add_reserved(tokens, "reserved_special_token_", 0, 128002, 128005);
  tokens.insert(tokens.end(), {{"<|start_header_id|>", 128006}, {"<|end_header_id|>", 128007}});
  add_reserved(tokens, "reserved_special_token_", 4, 128008, 128008);
  tokens.emplace_back("<|eot_id|>", 128009);
  add_reserved(tokens, "reserved_special_token_", 5, 128010, 128255);
  return tokens;
}

/// The number of ranks by which a file is known whose name says nothing.
struct KnownSize {
  size_t ranks;
  std::string_view encoding;
};
constexpr std::array known_sizes = {KnownSize{50256, "r50k_base"}, KnownSize{50280, "p50k_base"},
                                    KnownSize{100256, "cl100k_base"}, KnownSize{128000, "llama3"},
                                    KnownSize{199998, "o200k_base"}};
constexpr std::array known_names = {"r50k_base",   "p50k_base",  "p50k_edit",
                                    "cl100k_base", "o200k_base", "o200k_harmony"};

/// The tokens of a rank file, by rank.
std::vector<RankedToken> read_ranks(const std::filesystem::path& path) {
  std::vector<RankedToken> tokens;
  const std::string text = read_file(path, max_vocabulary_file_bytes);
  const auto lines = static_cast<size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  tokens.reserve(lines);
  StringIndex::Builder known(lines);
  const auto bytes_of = [&](uint32_t number) { return std::string_view(tokens[number].bytes); };
  const auto fail_line = [&](size_t number, std::string_view why) {
    fail(fmt::format("{}: line {}: {}", path.string(), number, why));
  };
  for_each_line(text, [&](size_t number, std::string_view line) {
    if (line.empty()) return;
    const size_t space = line.find(' ');
    if (space == std::string_view::npos) fail_line(number, "expected base64 bytes, a space and a rank");
    auto bytes = decode_base64(line.substr(0, space));
    if (!bytes || bytes->empty()) fail_line(number, "the token is not base64");
    if (bytes->size() > max_ranked_bytes) {
      fail_line(number, fmt::format("a token of {} bytes, expected at most {}", bytes->size(), max_ranked_bytes));
    }
    int32_t rank = -1;
    const std::string_view digits = line.substr(space + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), rank);
    if (error != std::errc() || end != digits.data() + digits.size() || rank < 0 || rank > max_token_id) {
      fail_line(number, fmt::format("expected a rank from 0 to {}", max_token_id));
    }
    const auto next = static_cast<uint32_t>(tokens.size());
    if (known.add(*bytes, next, bytes_of) != next) fail_line(number, "the token appears twice");
    if (!tokens.empty() && tokens.back().id == rank) fail_line(number, "the rank appears twice");
    tokens.push_back({std::move(*bytes), rank});
  });
  const auto by_rank = [](const RankedToken& a, const RankedToken& b) { return a.id < b.id; };
  if (!std::is_sorted(tokens.begin(), tokens.end(), by_rank)) std::sort(tokens.begin(), tokens.end(), by_rank);
  const auto twice =
      std::adjacent_find(tokens.begin(), tokens.end(), [](const auto& a, const auto& b) { return a.id == b.id; });
  if (twice != tokens.end()) fail(fmt::format("{}: the rank {} appears twice", path.string(), twice->id));
  if (tokens.empty())
    fail(fmt::format("{}: no ranks: expected lines of base64 bytes, a space and a rank", path.string()));
  return tokens;
}

TokenizerSpec make_spec(const std::vector<RankedToken>& tokens, const TiktokenEncoding& encoding) {
  TokenizerSpec spec;
  set_ranked_model(tokens, spec);
  // In the vocabulary as well: Hugging Face's library gives added tokens that are not there the next free ids.
  for (const auto& [content, id] : encoding.special_tokens) {
    spec.added_tokens.push_back(special_token(content, id));
    spec.vocabulary.push_back({content, id});
  }
  const auto by_id = [](const auto& a, const auto& b) { return a.id < b.id; };
  std::sort(spec.vocabulary.begin(), spec.vocabulary.end(), by_id);
  std::sort(spec.added_tokens.begin(), spec.added_tokens.end(), by_id);
  set_byte_level_stages(spec, encoding.pattern);
  return spec;
}

}  // namespace

std::optional<TiktokenEncoding> tiktoken_encoding(std::string_view name) {
  const std::string_view end = "<|endoftext|>";
  const auto make = [&](SplitPattern pattern, SpecialTokens tokens) {
    return TiktokenEncoding{name, pattern, std::move(tokens)};
  };
  const SpecialTokens only_end = {{std::string(end), 50256}};
  if (name == "gpt2" || name == "r50k_base" || name == "p50k_base") return make(SplitPattern::gpt2, only_end);
  if (name == "p50k_edit") {
    return make(
        SplitPattern::gpt2,
        {{std::string(end), 50256}, {"<|fim_prefix|>", 50281}, {"<|fim_middle|>", 50282}, {"<|fim_suffix|>", 50283}});
  }
  if (name == "cl100k_base") {
    return make(SplitPattern::cl100k_tiktoken, {{std::string(end), 100257},
                                                {"<|fim_prefix|>", 100258},
                                                {"<|fim_middle|>", 100259},
                                                {"<|fim_suffix|>", 100260},
                                                {"<|endofprompt|>", 100276}});
  }
  if (name == "o200k_base") return make(SplitPattern::o200k, {{std::string(end), 199999}, {"<|endofprompt|>", 200018}});
  if (name == "o200k_harmony") return make(SplitPattern::o200k, harmony_tokens());
  if (name == "llama3") return make(SplitPattern::cl100k, llama3_tokens());
  return std::nullopt;
}

TokenizerSpec read_tiktoken(const std::filesystem::path& path, const TiktokenEncoding& encoding) {
  return make_spec(read_ranks(path), encoding);
}

TokenizerSpec read_tiktoken(const std::filesystem::path& path) {
  const std::vector<RankedToken> tokens = read_ranks(path);
  const std::string file = path.filename().string();
  for (const std::string_view name : known_names) {
    if (file.find(name) != std::string::npos) return make_spec(tokens, *tiktoken_encoding(name));
  }
  for (const KnownSize& known : known_sizes) {
    if (known.ranks == tokens.size()) return make_spec(tokens, *tiktoken_encoding(known.encoding));
  }
  fail(
      fmt::format("{}: {} ranks are those of no known encoding, and the file does not say by what pattern its text is "
                  "split: give --pattern (cl100k_base, o200k, ...)",
                  path.string(), tokens.size()));
}

bool is_tiktoken(std::string_view first_bytes) noexcept {
  const std::string_view line = first_bytes.substr(0, first_bytes.find_first_of("\r\n"));
  const size_t space = line.find(' ');
  if (space == std::string_view::npos || space % 4 != 0 || space == 0 || space + 1 == line.size()) return false;
  const auto is_base64 = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/' ||
           c == '=';
  };
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return std::all_of(line.begin(), line.begin() + static_cast<ptrdiff_t>(space), is_base64) &&
         std::all_of(line.begin() + static_cast<ptrdiff_t>(space) + 1, line.end(), is_digit);
}

std::string format_tiktoken(const TokenizerSpec& spec) {
  const auto refuse = [](std::string_view why) {
    fail(fmt::format("a rank file of tiktoken cannot hold this tokenizer: {}: write tokenizer.json", why));
  };
  const auto* bpe = std::get_if<model::Bpe>(&spec.model);
  const bool byte_level =
      !spec.pre_tokenizers.empty() && std::holds_alternative<pre_tokenizer::ByteLevel>(spec.pre_tokenizers.back());
  if (bpe == nullptr || !byte_level) refuse("it is no byte-level BPE");
  if (!spec.normalizers.empty()) refuse("it normalizes text");
  if (!bpe->ignore_merges) refuse("pieces that are tokens are merged all the same");
  std::unordered_set<int32_t> added;
  for (const AddedToken& token : spec.added_tokens) added.insert(token.id);
  std::vector<RankedToken> tokens;
  for (const VocabularyEntry& entry : spec.vocabulary) {
    if (added.contains(entry.id)) continue;
    auto bytes = unspell_bytes(entry.token);
    if (!bytes || bytes->empty()) refuse(fmt::format("the token '{}' spells no bytes", entry.token));
    tokens.push_back({std::move(*bytes), entry.id});
  }
  std::sort(tokens.begin(), tokens.end(), [](const RankedToken& a, const RankedToken& b) { return a.id < b.id; });
  TokenizerSpec again;
  set_ranked_model(tokens, again);
  const auto same = [](const model::Merge& a, const model::Merge& b) { return a.left == b.left && a.right == b.right; };
  const auto& merges = std::get<model::Bpe>(again.model).merges;
  if (!std::equal(merges.begin(), merges.end(), bpe->merges.begin(), bpe->merges.end(), same)) {
    refuse("its merges are not those that follow from the order of its tokens");
  }
  std::string text;
  for (const RankedToken& token : tokens) text += fmt::format("{} {}\n", encode_base64(token.bytes), token.id);
  return text;
}

}  // namespace sesame
