#pragma once

#include <filesystem>

namespace sesame {

/// Turns a checkpoint of llama2.c (model.bin, "version 0": a header of seven int32 and float32 tensors) and its
/// tokenizer.bin into a model directory. Its rotary positions turn pairs (2j, 2j+1); query and key rows are reordered
/// to the pairs (j, j + head_dim/2) of Hugging Face's layout. Throws Error for a header that makes no sense, a file of
/// another length, or a tokenizer that does not fit; nothing is written then.
void convert_llama2c(const std::filesystem::path& checkpoint, const std::filesystem::path& tokenizer,
                     const std::filesystem::path& directory);

}  // namespace sesame
