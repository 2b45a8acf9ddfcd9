#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "sesame/text/split/split_pattern.h"
#include "sesame/text/tokenizer_spec.h"

namespace sesame {

/// GPT-2's vocab.json (encoder.json): an object from tokens to ids; and merges.txt (vocab.bpe): two tokens a line, in
/// order of rank, behind a first line that may begin with `#version`. `special_tokens` must be in the vocabulary.
/// Throws Error naming the file and the line or token.
TokenizerSpec read_vocab_and_merges(const std::filesystem::path& vocab, const std::filesystem::path& merges,
                                    SplitPattern pattern, const std::vector<std::string>& special_tokens);

/// As above, split as GPT-2 does; <|endoftext|> and RoBERTa's <s> <pad> </s> <unk> <mask> are special where they are in
/// the vocabulary.
TokenizerSpec read_vocab_and_merges(const std::filesystem::path& vocab, const std::filesystem::path& merges);

/// The two files as text. Throws Error, saying why, for a tokenizer that they cannot hold: another model than
/// byte-level BPE without unknown token, prefixes and suffixes, or a token with white space in a merge.
struct VocabAndMerges {
  std::string vocab;
  std::string merges;
};
VocabAndMerges format_vocab_and_merges(const TokenizerSpec& spec);

}  // namespace sesame
