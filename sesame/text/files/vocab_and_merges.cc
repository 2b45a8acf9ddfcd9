#include "sesame/text/files/vocab_and_merges.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/text/bpe/byte_level_stages.h"
#include "sesame/text/files/json_cursor.h"
#include "sesame/text/files/text_lines.h"
#include "sesame/text/words/string_map.h"

namespace sesame {
namespace {

using Path = std::filesystem::path;

std::vector<VocabularyEntry> read_vocab(const Path& vocab, StringMap& ids) {
  std::vector<VocabularyEntry> entries;
  const std::string json = read_file(vocab, max_vocabulary_file_bytes);
  visit_json(json, vocab.string(), [&](const JsonCursor& root) {
    ids.reserve(root.size());
    root.for_each_member([&](std::string_view token, const JsonCursor& id) {
      const auto value = static_cast<int32_t>(id.integer(0, max_token_id));
      if (!ids.emplace(token, value).second) id.fail_here("the token appears twice");
      entries.push_back({std::string(token), value});
    });
  });
  std::sort(entries.begin(), entries.end(),
            [](const VocabularyEntry& a, const VocabularyEntry& b) { return a.id < b.id; });
  return entries;
}

std::vector<model::Merge> read_merges(const Path& merges, const Path& vocab, const StringMap& ids) {
  std::vector<model::Merge> rules;
  const std::string text = read_file(merges, max_vocabulary_file_bytes);
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
    rules.push_back({token(line.substr(0, space)), token(line.substr(space + 1))});
  });
  return rules;
}

TokenizerSpec make_spec(const Path& vocab, const Path& merges, SplitPattern pattern,
                        const std::vector<std::string>& special_tokens, bool all_needed) {
  TokenizerSpec spec;
  StringMap ids;
  spec.vocabulary = read_vocab(vocab, ids);
  model::Bpe bpe;
  bpe.merges = read_merges(merges, vocab, ids);
  spec.model = std::move(bpe);
  for (const std::string& content : special_tokens) {
    const auto found = ids.find(content);
    if (found != ids.end()) {
      spec.added_tokens.push_back(special_token(content, found->second));
    } else if (all_needed) {
      fail(fmt::format("{}: the special token '{}' is missing", vocab.string(), content));
    }
  }
  std::sort(spec.added_tokens.begin(), spec.added_tokens.end(),
            [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
  set_byte_level_stages(spec, pattern);
  return spec;
}

[[noreturn]] void refuse(std::string_view why) {
  fail(fmt::format("vocab.json and merges.txt cannot hold this tokenizer: {}: write tokenizer.json", why));
}

}  // namespace

TokenizerSpec read_vocab_and_merges(const Path& vocab, const Path& merges, SplitPattern pattern,
                                    const std::vector<std::string>& special_tokens) {
  return make_spec(vocab, merges, pattern, special_tokens, true);
}

TokenizerSpec read_vocab_and_merges(const Path& vocab, const Path& merges) {
  return make_spec(vocab, merges, SplitPattern::gpt2, {"<|endoftext|>", "<s>", "<pad>", "</s>", "<unk>", "<mask>"},
                   false);
}

VocabAndMerges format_vocab_and_merges(const TokenizerSpec& spec) {
  const auto* bpe = std::get_if<model::Bpe>(&spec.model);
  const pre_tokenizer::ByteLevel* bytes = nullptr;
  if (spec.pre_tokenizers.size() == 1) bytes = std::get_if<pre_tokenizer::ByteLevel>(&spec.pre_tokenizers[0]);
  if (bpe == nullptr || bytes == nullptr || !bytes->use_regex || bytes->add_prefix_space) {
    refuse("it is no byte-level BPE that splits text as GPT-2 does");
  }
  if (!spec.normalizers.empty()) refuse("it normalizes text");
  if (bpe->ignore_merges) refuse("pieces that are tokens are not merged");
  if (bpe->unk_token || bpe->byte_fallback || !bpe->continuing_subword_prefix.empty() ||
      !bpe->end_of_word_suffix.empty()) {
    refuse("its BPE has an unknown token, byte fallback, a prefix or a suffix");
  }
  VocabAndMerges files;
  std::unordered_map<int32_t, std::string_view> tokens;
  const auto add = [&](std::string_view token, int32_t id) {
    if (!tokens.emplace(id, token).second) return;
    files.vocab += fmt::format("{}{}: {}", files.vocab.empty() ? "{" : ", ", nlohmann::json(token).dump(), id);
  };
  for (const VocabularyEntry& entry : spec.vocabulary) add(entry.token, entry.id);
  for (const AddedToken& token : spec.added_tokens) add(token.content, token.id);
  files.vocab += "}";
  files.merges = "#version: 0.2\n";
  for (const model::Merge& merge : bpe->merges) {
    for (const int32_t id : {merge.left, merge.right}) {
      if (tokens[id].find_first_of(" \r\n") != std::string_view::npos) {
        refuse(fmt::format("the token '{}' of a merge holds white space", tokens[id]));
      }
    }
    files.merges.append(tokens[merge.left]).append(" ").append(tokens[merge.right]).append("\n");
  }
  return files;
}

}  // namespace sesame
