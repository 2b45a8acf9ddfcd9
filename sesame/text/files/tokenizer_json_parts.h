#pragma once

#include <optional>

#include "sesame/text/files/json_cursor.h"
#include "sesame/text/tokenizer_spec.h"

/// The parts of a tokenizer.json, each read into the spec. Members that a part does not have are refused by name, so
/// that nothing in a file is silently without effect; only models may hold more, as Hugging Face's own files do.
namespace sesame {

void read_normalizers(const std::optional<JsonCursor>& part, TokenizerSpec& spec);
void read_pre_tokenizers(const std::optional<JsonCursor>& part, TokenizerSpec& spec);
void read_post_processors(const std::optional<JsonCursor>& part, TokenizerSpec& spec);
void read_decoders(const std::optional<JsonCursor>& part, TokenizerSpec& spec);
void read_model(const JsonCursor& model, TokenizerSpec& spec);

/// A key by which a stage is known whose file does not name its type, as files from before tokenizers 0.9 do not.
struct StageSign {
  std::string_view key;
  std::string_view type;
};

/// The type that a stage names, or else that of the first sign it shows.
std::string_view stage_type(const JsonCursor& stage, std::initializer_list<StageSign> signs);

[[noreturn]] void refuse_type(const JsonCursor& stage, std::string_view kind, std::string_view type);

}  // namespace sesame
