#pragma once

#include <filesystem>
#include <string_view>

#include "sesame/text/tokenizer_spec.h"

namespace sesame {

/// Reads a tokenizer in any of these formats, which it knows by their content, and by their names where that says
/// nothing:
///   tokenizer.json (Hugging Face)
///   tokenizer.model, spiece.model, *.model (SentencePiece; Llama 3's is a rank file)
///   *.tiktoken (rank files)
///   tekken.json (Mistral)
///   vocab.txt (BERT), with tokenizer_config.json beside it
///   vocab.json or encoder.json, with merges.txt or vocab.bpe beside it (GPT-2); either may be named
///   *.gguf (the vocabulary in llama.cpp's files)
///   tokenizer.bin (llama2.c)
/// Of a directory the first of these that it holds, in this order.
///
/// `pattern` says what rank files do not: an encoding ("cl100k_base", tiktoken_file.h), which has special tokens as
/// well, or a split pattern ("llama3", split_pattern.h); empty: what the file's name or its number of ranks says.
/// Throws Error naming the file, what is wrong and where; a usage Error for a pattern that other formats have no use
/// for.
TokenizerSpec load_tokenizer_spec(const std::filesystem::path& path, std::string_view pattern = "");

}  // namespace sesame
