#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/text/tokenizer_spec.h"

namespace sesame {

/// How text becomes words before it meets a vocab.txt, which does not say it itself.
struct BertSettings {
  std::optional<bool> lowercase;      // none: whether no token but bracketed ones has an ASCII capital
  std::optional<bool> strip_accents;  // none: as lowercase
  bool handle_chinese_chars = true;
  std::string unk_token = "[UNK]";
  std::string cls_token = "[CLS]";
  std::string sep_token = "[SEP]";
  std::string pad_token = "[PAD]";
  std::string mask_token = "[MASK]";
};

/// The settings that a tokenizer_config.json holds (do_lower_case, strip_accents, tokenize_chinese_chars, *_token).
BertSettings read_bert_settings(const std::filesystem::path& tokenizer_config);

/// BERT's pipeline around a vocabulary, which is sorted by id: its normalizer and pre-tokenizer, WordPiece, the special
/// tokens that are there, and [CLS] A [SEP] B [SEP] where both are.
TokenizerSpec bert_spec(std::vector<VocabularyEntry> vocabulary, const BertSettings& settings);

/// BERT's vocab.txt: one token a line, its id the number of the line from 0, white space at its end not counted; of
/// equal lines the last counts, as in Hugging Face's library. Gives BERT's pipeline: its normalizer and pre-tokenizer,
/// WordPiece, the special tokens that are there, and [CLS] A [SEP] B [SEP] where both are. Throws Error naming file and
/// line.
TokenizerSpec read_vocab_txt(const std::filesystem::path& path, const BertSettings& settings);

/// As above, with the settings of the tokenizer_config.json beside it, if there is one.
TokenizerSpec read_vocab_txt(const std::filesystem::path& path);

/// vocab.txt as text. Throws Error, saying why, for a tokenizer that the file cannot hold: another model than
/// WordPiece, a line break or space at the end of a token. Ids that no token has are empty lines.
std::string format_vocab_txt(const TokenizerSpec& spec);

}  // namespace sesame
