#include "sesame/text/files/llama2c_vocabulary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/text/bpe/byte_alphabet.h"
#include "sesame/text/bpe/byte_level_stages.h"
#include "sesame/text/bpe/pair_map.h"
#include "sesame/text/tokenizer_spec.h"
#include "sesame/text/words/string_map.h"

namespace sesame {
namespace {

constexpr uint64_t max_file_bytes = uint64_t{256} << 20;
constexpr std::string_view space_mark = "\xE2\x96\x81";
constexpr int32_t first_byte_id = 3;
/// Finding the merges of a token takes time that grows with the square of its length. Llama-2's longest has 48 bytes.
constexpr int32_t max_token_bytes = 4096;

struct ScoredToken {
  std::string text;
  float score;
};

/// Reads little-endian values and complains about a file that ends too early.
class Llama2cReader {
 public:
  Llama2cReader(std::string_view bytes, std::string path) : bytes_(bytes), path_(std::move(path)) {}

  template <typename T>
  T read(std::string_view what) {
    T value{};
    const std::string_view bytes = take(sizeof value, what);
    std::memcpy(&value, bytes.data(), bytes.size());
    return value;
  }

  std::string_view take(size_t size, std::string_view what) {
    if (size > bytes_.size()) {
      fail(
          fmt::format("{}: the file ends inside {}: it is cut short, or has fewer tokens than asked for", path_, what));
    }
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }

  [[nodiscard]] size_t left() const { return bytes_.size(); }

 private:
  std::string_view bytes_;
  std::string path_;
};

/// The file spells U+2581 as a space, and the two control tokens with newlines around them.
std::string sentencepiece_spelling(std::string_view text, int32_t id) {
  if (id == 0) return "<unk>";
  if (id == 1) return "<s>";
  if (id == 2) return "</s>";
  std::string out;
  for (const char c : text) {
    if (c == ' ') {
      out += space_mark;
    } else {
      out += c;
    }
  }
  return out;
}

/// How many tokens there are: a score, a length and so many bytes each, up to the end of the file.
int32_t count_tokens(Llama2cReader reader) {
  int32_t count = 0;
  for (; reader.left() > 0 && count <= max_token_id; ++count) {
    const std::string what = fmt::format("token {}", count);
    (void)reader.read<float>(what);
    const auto length = reader.read<int32_t>(what);
    (void)reader.take(length < 0 ? SIZE_MAX : static_cast<size_t>(length), what);
  }
  return count;
}

std::vector<ScoredToken> read_tokens(const std::filesystem::path& path, std::optional<int32_t> given_size) {
  const std::string content = read_file(path, max_file_bytes);
  Llama2cReader reader(content, path.string());
  const auto max_length = reader.read<int32_t>("the header");
  const int32_t vocabulary_size = given_size ? *given_size : count_tokens(reader);
  // The shortest token takes 8 bytes: a count that the file cannot hold is refused before anything is allocated for it.
  if (vocabulary_size <= first_byte_id + 256 || static_cast<size_t>(vocabulary_size) > reader.left() / 8) {
    fail(fmt::format(
        "{}: cannot hold {} tokens: expected at least {} (three control tokens and the bytes) and at most {}",
        path.string(), vocabulary_size, first_byte_id + 257, reader.left() / 8));
  }
  std::vector<ScoredToken> tokens;
  for (int32_t id = 0; id < vocabulary_size; ++id) {
    const std::string what = fmt::format("token {} of {}", id, vocabulary_size);
    const auto score = reader.read<float>(what);
    const auto length = reader.read<int32_t>(what);
    if (length < 0 || length > std::clamp(max_length, 16, max_token_bytes) || !std::isfinite(score)) {
      fail(fmt::format("{}: {}: length {} and score {} make no sense: not a tokenizer.bin of llama2.c", path.string(),
                       what, length, score));
    }
    tokens.push_back({sentencepiece_spelling(reader.take(static_cast<size_t>(length), what), id), score});
    if (find_invalid_utf8(tokens.back().text) != tokens.back().text.size()) {
      fail(fmt::format("{}: {}: not UTF-8", path.string(), what));
    }
    if (id >= first_byte_id && id < first_byte_id + 256 &&
        tokens.back().text != byte_token(static_cast<uint8_t>(id - first_byte_id))) {
      fail(fmt::format("{}: {}: expected the byte token {}", path.string(), what,
                       byte_token(static_cast<uint8_t>(id - first_byte_id))));
    }
  }
  if (reader.left() != 0) {
    fail(fmt::format("{}: {} bytes follow the last of {} tokens: the vocabulary is larger than asked for",
                     path.string(), reader.left(), vocabulary_size));
  }
  return tokens;
}

/// All ways to make each token of two others, in the order of Llama-2's tokenizer.json: by falling score of what is
/// made, then by the ids of the two.
std::vector<model::Merge> merges_by_score(const std::vector<ScoredToken>& tokens, const StringMap& ids) {
  struct Scored {
    model::Merge merge;
    float score;
  };
  std::vector<Scored> merges;
  for (size_t id = first_byte_id + 256; id < tokens.size(); ++id) {
    const std::string_view text = tokens[id].text;
    const size_t first = merges.size();
    for (size_t cut = 1; cut < text.size(); ++cut) {
      const auto left = ids.find(text.substr(0, cut));
      const auto right = ids.find(text.substr(cut));
      if (left == ids.end() || right == ids.end()) continue;
      merges.push_back({{left->second, right->second}, tokens[id].score});
    }
    std::sort(merges.begin() + static_cast<ptrdiff_t>(first), merges.end(), [](const Scored& a, const Scored& b) {
      return pair_key(a.merge.left, a.merge.right) < pair_key(b.merge.left, b.merge.right);
    });
  }
  std::stable_sort(merges.begin(), merges.end(), [](const Scored& a, const Scored& b) { return a.score > b.score; });
  std::vector<model::Merge> result;
  result.reserve(merges.size());
  for (const Scored& scored : merges) result.push_back(scored.merge);
  return result;
}

post_processor::Template begin_template() {
  using post_processor::Place;
  const Place begin{"<s>", false, 0};
  return {{begin, {"A", true, 0}}, {begin, {"A", true, 0}, {"<s>", false, 1}, {"B", true, 1}}, {{"<s>", {1}, {"<s>"}}}};
}

}  // namespace

TokenizerSpec read_llama2c(const std::filesystem::path& path, std::optional<int32_t> vocabulary_size) {
  const std::vector<ScoredToken> tokens = read_tokens(path, vocabulary_size);
  TokenizerSpec spec;
  StringMap ids;
  for (const ScoredToken& token : tokens) {
    const auto id = static_cast<int32_t>(spec.vocabulary.size());
    if (!ids.emplace(token.text, id).second) {
      fail(fmt::format("{}: token {}: '{}' appears twice", path.string(), id, token.text));
    }
    spec.vocabulary.push_back({token.text, id});
    if (id < first_byte_id) spec.added_tokens.push_back(special_token(token.text, id));
  }
  model::Bpe bpe;
  bpe.merges = merges_by_score(tokens, ids);
  bpe.unk_token = "<unk>";
  bpe.fuse_unk = true;
  bpe.byte_fallback = true;
  spec.model = std::move(bpe);
  const std::string mark(space_mark);
  spec.normalizers.emplace_back(normalizer::Prepend{mark});
  spec.normalizers.emplace_back(normalizer::Replace{{" ", false}, mark});
  spec.post_processors.emplace_back(begin_template());
  spec.decoders.emplace_back(decoder::Replace{{mark, false}, " "});
  spec.decoders.emplace_back(decoder::ByteFallback{});
  spec.decoders.emplace_back(decoder::Fuse{});
  spec.decoders.emplace_back(decoder::Strip{" ", 1, 0});
  return spec;
}

}  // namespace sesame
