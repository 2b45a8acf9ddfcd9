#include "sesame/text/files/vocab_txt.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/text/bpe/byte_level_stages.h"
#include "sesame/text/files/json_cursor.h"
#include "sesame/text/files/text_lines.h"
#include "sesame/text/unicode/hugging_face_categories.h"
#include "sesame/text/unicode/unicode.h"

namespace sesame {
namespace {

std::string_view trim_end(std::string_view line) {
  while (!line.empty()) {
    size_t begin = line.size() - 1;
    while (begin > 0 && (static_cast<uint8_t>(line[begin]) & 0xC0) == 0x80) --begin;
    if (!hugging_face::is_white_space(decode_utf8(line, begin).code)) break;
    line.remove_suffix(line.size() - begin);
  }
  return line;
}

std::vector<VocabularyEntry> read_tokens(const std::filesystem::path& path) {
  const std::string text = read_file(path, max_vocabulary_file_bytes);
  std::unordered_map<std::string_view, int32_t> ids;
  std::vector<std::string_view> tokens;
  for_each_line(text, [&](size_t number, std::string_view line) {
    if (number > static_cast<size_t>(max_token_id) + 1) {
      fail(fmt::format("{}: line {}: a vocabulary has at most {} tokens", path.string(), number, max_token_id + 1));
    }
    if (find_invalid_utf8(line) != line.size()) {
      fail(fmt::format("{}: line {}: not UTF-8: not a vocab.txt", path.string(), number));
    }
    tokens.push_back(trim_end(line));
    ids[tokens.back()] = static_cast<int32_t>(number - 1);
  });
  std::vector<VocabularyEntry> vocabulary;
  vocabulary.reserve(ids.size());
  for (size_t i = 0; i < tokens.size(); ++i) {
    const auto id = static_cast<int32_t>(i);
    if (!tokens[i].empty() && ids[tokens[i]] == id) vocabulary.push_back({std::string(tokens[i]), id});
  }
  if (vocabulary.empty()) fail(fmt::format("{}: no tokens: expected one a line", path.string()));
  return vocabulary;
}

bool has_capitals(const VocabularyEntry& entry) {
  const std::string_view token = entry.token;
  const bool bracketed =
      (token.starts_with('[') && token.ends_with(']')) || (token.starts_with('<') && token.ends_with('>'));
  return !bracketed && std::any_of(token.begin(), token.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

post_processor::Template bert_template(const AddedToken& cls, const AddedToken& sep) {
  const auto special = [](const AddedToken& token, int32_t type) {
    return post_processor::Place{token.content, false, type};
  };
  post_processor::Template around;
  around.single = {special(cls, 0), {"A", true, 0}, special(sep, 0)};
  around.pair = around.single;
  around.pair.push_back({"B", true, 1});
  around.pair.push_back(special(sep, 1));
  for (const AddedToken* token : {&cls, &sep}) {
    around.special_tokens.push_back({token->content, {token->id}, {token->content}});
  }
  return around;
}

}  // namespace

BertSettings read_bert_settings(const std::filesystem::path& tokenizer_config) {
  BertSettings settings;
  const std::string json = read_file(tokenizer_config, max_vocabulary_file_bytes);
  visit_json(json, tokenizer_config.string(), [&](const JsonCursor& root) {
    if (const auto lower = root.find("do_lower_case")) settings.lowercase = lower->boolean();
    if (const auto strip = root.find("strip_accents")) settings.strip_accents = strip->boolean();
    settings.handle_chinese_chars = root.boolean_or("tokenize_chinese_chars", true);
    for (const auto& [key, token] :
         {std::pair("unk_token", &settings.unk_token), std::pair("cls_token", &settings.cls_token),
          std::pair("sep_token", &settings.sep_token), std::pair("pad_token", &settings.pad_token),
          std::pair("mask_token", &settings.mask_token)}) {
      const auto value = root.find(key);
      if (value) *token = std::string(value->is_object() ? value->at("content").string() : value->string());
    }
  });
  return settings;
}

TokenizerSpec bert_spec(std::vector<VocabularyEntry> given, const BertSettings& settings) {
  TokenizerSpec spec;
  spec.vocabulary = std::move(given);
  const auto& vocabulary = spec.vocabulary;
  for (const std::string* token :
       {&settings.unk_token, &settings.cls_token, &settings.sep_token, &settings.pad_token, &settings.mask_token}) {
    const auto found =
        std::find_if(vocabulary.begin(), vocabulary.end(), [&](const auto& entry) { return entry.token == *token; });
    if (found != vocabulary.end()) spec.added_tokens.push_back(special_token(*token, found->id));
  }
  const auto added = [&](std::string_view content) {
    const auto found = std::find_if(spec.added_tokens.begin(), spec.added_tokens.end(),
                                    [&](const AddedToken& token) { return token.content == content; });
    return found == spec.added_tokens.end() ? nullptr : &*found;
  };
  const AddedToken* cls = added(settings.cls_token);
  const AddedToken* sep = added(settings.sep_token);
  if (cls != nullptr && sep != nullptr) spec.post_processors.emplace_back(bert_template(*cls, *sep));
  std::sort(spec.added_tokens.begin(), spec.added_tokens.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });

  normalizer::Bert normalizer;
  normalizer.lowercase = settings.lowercase.value_or(std::none_of(vocabulary.begin(), vocabulary.end(), has_capitals));
  normalizer.strip_accents = settings.strip_accents;
  normalizer.handle_chinese_chars = settings.handle_chinese_chars;
  spec.normalizers.emplace_back(normalizer);
  spec.pre_tokenizers.emplace_back(pre_tokenizer::Bert{});
  model::WordPiece model;
  model.unk_token = settings.unk_token;
  spec.model = std::move(model);
  spec.decoders.emplace_back(decoder::WordPiece{});
  return spec;
}

TokenizerSpec read_vocab_txt(const std::filesystem::path& path, const BertSettings& settings) {
  return bert_spec(read_tokens(path), settings);
}

TokenizerSpec read_vocab_txt(const std::filesystem::path& path) {
  const std::filesystem::path config = path.parent_path() / "tokenizer_config.json";
  return read_vocab_txt(path, std::filesystem::exists(config) ? read_bert_settings(config) : BertSettings());
}

std::string format_vocab_txt(const TokenizerSpec& spec) {
  const auto* model = std::get_if<model::WordPiece>(&spec.model);
  const bool bert_words =
      spec.pre_tokenizers.size() == 1 && std::holds_alternative<pre_tokenizer::Bert>(spec.pre_tokenizers[0]);
  if (model == nullptr || !bert_words || model->continuing_subword_prefix != "##" ||
      model->max_input_chars_per_word != model::WordPiece().max_input_chars_per_word) {
    fail(
        "vocab.txt holds WordPiece models as BERT's only (words of BertPreTokenizer, ##, 100 characters): write "
        "tokenizer.json");
  }
  std::vector<std::string_view> lines;
  const auto add = [&](std::string_view token, int32_t id) {
    if (trim_end(token) != token || token.find_first_of("\r\n") != std::string_view::npos) {
      fail(
          fmt::format("vocab.txt cannot hold the token '{}' (id {}), which has a line break, or ends in white space: "
                      "write tokenizer.json",
                      token, id));
    }
    const auto line = static_cast<size_t>(id);
    if (lines.size() <= line) lines.resize(line + 1);
    lines[line] = token;
  };
  for (const VocabularyEntry& entry : spec.vocabulary) add(entry.token, entry.id);
  for (const AddedToken& token : spec.added_tokens) add(token.content, token.id);
  std::string text;
  for (const std::string_view line : lines) text.append(line).append("\n");
  return text;
}

}  // namespace sesame
