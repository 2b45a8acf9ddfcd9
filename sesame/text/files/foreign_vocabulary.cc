#include "sesame/text/files/foreign_vocabulary.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/text/bpe/byte_alphabet.h"
#include "sesame/text/bpe/byte_level_stages.h"
#include "sesame/text/files/base64.h"
#include "sesame/text/files/json_cursor.h"
#include "sesame/text/tokenizer_spec.h"
#include "sesame/text/words/string_map.h"

namespace sesame {
namespace {

constexpr uint64_t max_file_bytes = uint64_t{256} << 20;
/// Finding a token's merge takes time that grows with the square of its length. tiktoken's longest has 128 bytes.
constexpr size_t max_ranked_bytes = 4096;

/// Calls `visit` for every line without its line end, numbered from 1.
void for_each_line(std::string_view text, FunctionRef<void(size_t number, std::string_view line)> visit) {
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    visit(number, line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

/// The two tokens that make up a token when only lower ranks are merged, if they are two.
///
/// A rank file names no merges: any two neighbours that form a token merge, lowest rank first. Between two fixed places
/// of a text the result depends on what lies between them alone, so just before rank r a token of rank r stands as it
/// would by itself, and the one merge that makes it is the one found here.
std::optional<std::pair<int32_t, int32_t>> parts_of(std::string_view bytes, int32_t rank, const StringMap& ranks) {
  const auto find = [&](size_t begin, size_t end) {
    const auto found = ranks.find(bytes.substr(begin, end - begin));
    return found == ranks.end() ? INT32_MAX : found->second;
  };
  struct Part {
    size_t begin;
    size_t end;
    int32_t joined;  // the rank of this part with the next
  };
  std::vector<Part> parts;
  for (size_t i = 0; i < bytes.size(); ++i) {
    parts.push_back({i, i + 1, i + 1 < bytes.size() ? find(i, i + 2) : INT32_MAX});
  }
  while (parts.size() > 2) {
    const auto least =
        std::min_element(parts.begin(), parts.end(), [](const Part& a, const Part& b) { return a.joined < b.joined; });
    if (least->joined >= rank) return std::nullopt;
    least->end = (least + 1)->end;
    const auto next = parts.erase(least + 1);
    least->joined = next == parts.end() ? INT32_MAX : find(least->begin, next->end);
    if (least != parts.begin()) (least - 1)->joined = find((least - 1)->begin, least->end);
  }
  const int32_t left = find(parts[0].begin, parts[0].end);
  const int32_t right = find(parts[1].begin, parts[1].end);
  if (left == INT32_MAX || right == INT32_MAX) return std::nullopt;
  return std::pair(left, right);
}

StringMap read_ranks(const std::filesystem::path& path) {
  StringMap ranks;
  const std::string text = read_file(path, max_file_bytes);
  for_each_line(text, [&](size_t number, std::string_view line) {
    if (line.empty()) return;
    const auto fail_line = [&](std::string_view why) {
      fail(fmt::format("{}: line {}: {}", path.string(), number, why));
    };
    const size_t space = line.find(' ');
    if (space == std::string_view::npos) fail_line("expected base64 bytes, a space and a rank");
    const auto bytes = decode_base64(line.substr(0, space));
    if (!bytes || bytes->empty()) fail_line("the token is not base64");
    if (bytes->size() > max_ranked_bytes) {
      fail_line(fmt::format("a token of {} bytes, expected at most {}", bytes->size(), max_ranked_bytes));
    }
    int32_t rank = -1;
    const std::string_view digits = line.substr(space + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), rank);
    if (error != std::errc() || end != digits.data() + digits.size() || rank < 0 || rank > max_token_id) {
      fail_line(fmt::format("expected a rank from 0 to {}", max_token_id));
    }
    if (!ranks.emplace(*bytes, rank).second) fail_line("the token appears twice");
  });
  return ranks;
}

}  // namespace

Tokenizer from_tiktoken(const std::filesystem::path& path, SplitPattern pattern,
                        const std::vector<std::pair<std::string, int32_t>>& special_tokens) {
  const StringMap ranks = read_ranks(path);
  TokenizerSpec spec;
  model::Bpe bpe;
  bpe.ignore_merges = true;
  std::vector<std::pair<int32_t, std::string_view>> tokens;
  for (const auto& [bytes, rank] : ranks) tokens.emplace_back(rank, bytes);
  std::sort(tokens.begin(), tokens.end());
  for (const auto& [rank, bytes] : tokens) {
    spec.vocabulary.push_back({spell_bytes(bytes), rank});
    if (bytes.size() < 2) continue;
    if (const auto parts = parts_of(bytes, rank, ranks)) bpe.merges.push_back({parts->first, parts->second});
  }
  spec.model = std::move(bpe);
  // In the vocabulary as well: Hugging Face's library gives added tokens that are not there the next free ids.
  for (const auto& [content, id] : special_tokens) {
    spec.added_tokens.push_back(special_token(content, id));
    spec.vocabulary.push_back({content, id});
  }
  const auto by_id = [](const auto& a, const auto& b) { return a.id < b.id; };
  std::sort(spec.vocabulary.begin(), spec.vocabulary.end(), by_id);
  std::sort(spec.added_tokens.begin(), spec.added_tokens.end(), by_id);
  set_byte_level_stages(spec, pattern);
  return Tokenizer(std::move(spec), path.string());
}

Tokenizer from_vocab_and_merges(const std::filesystem::path& vocab, const std::filesystem::path& merges,
                                SplitPattern pattern, const std::vector<std::string>& special_tokens) {
  TokenizerSpec spec;
  StringMap ids;
  const std::string json = read_file(vocab, max_file_bytes);
  visit_json(json, vocab.string(), [&](const JsonCursor& root) {
    root.for_each_member([&](std::string_view token, const JsonCursor& id) {
      const auto value = static_cast<int32_t>(id.integer(0, max_token_id));
      if (!ids.emplace(token, value).second) id.fail_here("the token appears twice");
      spec.vocabulary.push_back({std::string(token), value});
    });
  });
  std::sort(spec.vocabulary.begin(), spec.vocabulary.end(),
            [](const VocabularyEntry& a, const VocabularyEntry& b) { return a.id < b.id; });

  model::Bpe bpe;
  const std::string text = read_file(merges, max_file_bytes);
  for_each_line(text, [&](size_t number, std::string_view line) {
    if (line.empty() || (number == 1 && line.starts_with("#version"))) return;
    const auto token = [&](std::string_view part) {
      const auto found = ids.find(part);
      if (found != ids.end()) return found->second;
      fail(fmt::format("{}: line {}: '{}' is not in {}", merges.string(), number, part, vocab.string()));
    };
    const size_t space = line.find(' ');
    if (space == std::string_view::npos) {
      fail(fmt::format("{}: line {}: expected two tokens with a space between them", merges.string(), number));
    }
    bpe.merges.push_back({token(line.substr(0, space)), token(line.substr(space + 1))});
  });
  spec.model = std::move(bpe);
  for (const std::string& content : special_tokens) {
    const auto found = ids.find(content);
    if (found == ids.end()) fail(fmt::format("{}: the special token '{}' is missing", vocab.string(), content));
    spec.added_tokens.push_back(special_token(content, found->second));
  }
  set_byte_level_stages(spec, pattern);
  return Tokenizer(std::move(spec), vocab.string());
}

}  // namespace sesame
