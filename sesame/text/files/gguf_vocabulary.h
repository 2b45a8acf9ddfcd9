#pragma once

#include <filesystem>
#include <string_view>

#include "sesame/text/tokenizer_spec.h"

namespace sesame {

/// The tokenizer in a GGUF file of llama.cpp: its metadata `tokenizer.ggml.*`. model `gpt2` is byte-level BPE split as
/// `pre` says, `llama` and `t5` are SentencePiece's BPE and unigram, `bert` is WordPiece (whether it lower-cases is
/// seen by its vocabulary, as the file does not say). Throws Error naming the file and the key, also for a model or
/// `pre` that Sesame does not know.
TokenizerSpec read_gguf_vocabulary(const std::filesystem::path& path);
TokenizerSpec parse_gguf_vocabulary(std::string_view bytes, std::string_view origin);

/// Whether a file begins as GGUF does.
bool is_gguf(std::string_view first_bytes) noexcept;

}  // namespace sesame
