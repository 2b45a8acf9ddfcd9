#include <fmt/format.h>

#include <array>
#include <utility>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/text/encode/make_encoder.h"
#include "sesame/text/encode/thread_states.h"
#include "sesame/text/files/image.h"
#include "sesame/text/files/tokenizer_json.h"
#include "sesame/text/sentencepiece/model_file.h"
#include "sesame/text/tokenizer.h"
#include "sesame/text/tokenizer_pipeline.h"

/// The sections of a tokenizer's image: `source`, its file, from which everything can be made; and where its encoder
/// can be made from tables, `stages`, the file without the vocabulary, and the tables.
namespace sesame {
namespace {

std::string_view text_of(const FlatArray<char>& section) { return {section.data(), section.size()}; }

TokenizerSpec read_source(const ImageReader& image, std::string_view origin) {
  const FlatArray<char> source = image.get<char>("source");
  return image.get<uint8_t>("is_sentencepiece")[0] != 0 ? read_sentencepiece_model(text_of(source), origin)
                                                        : parse_tokenizer_json(text_of(source), origin);
}

/// A pipeline without what grows with the vocabulary.
TokenizerSpec without_vocabulary(TokenizerSpec spec) {
  spec.vocabulary.clear();
  if (auto* bpe = std::get_if<model::Bpe>(&spec.model)) bpe->merges.clear();
  return spec;
}

}  // namespace

std::shared_ptr<const Tokenizer::Pipeline> Tokenizer::Pipeline::from_image(const ImageReader& image,
                                                                           const std::string& origin) {
  const FlatArray<uint8_t> kind = image.get<uint8_t>("is_sentencepiece");
  if (kind.size() != 1) image.fail_section("is_sentencepiece", "has more than one element");
  if (!image.has("stages")) return std::make_shared<const Pipeline>(read_source(image, origin), origin);
  const FlatArray<int32_t> unknown = image.get<int32_t>("unknown");
  const FlatArray<uint64_t> fingerprint = image.get<uint64_t>("fingerprint");
  if (unknown.size() != 1 || fingerprint.size() != 1) image.fail_section("unknown", "has more than one element");
  TokenizerSpec stages = parse_tokenizer_json(text_of(image.get<char>("stages")), origin);
  auto pipeline = std::make_shared<Pipeline>(std::move(stages), image, origin);
  if (unknown[0] >= 0) {
    pipeline->table.check(unknown[0]);
    pipeline->unknown = unknown[0];
  }
  std::call_once(pipeline->fingerprint_once, [&] { pipeline->fingerprint = fingerprint[0]; });
  return pipeline;
}

const TokenizerSpec& Tokenizer::Pipeline::full_spec() const {
  if (!image) return spec;
  std::call_once(source_once, [&] { source = std::make_unique<const TokenizerSpec>(read_source(*image, "image")); });
  return *source;
}

void Tokenizer::save_image(const std::filesystem::path& path) const {
  const TokenizerSpec& spec = pipeline_->full_spec();
  const bool is_sentencepiece = std::holds_alternative<model::SentencePiece>(spec.model);
  const std::array<uint8_t, 1> kind = {static_cast<uint8_t>(is_sentencepiece ? 1 : 0)};
  ImageWriter image;
  image.add("is_sentencepiece", std::span<const uint8_t>(kind));
  const std::string source = is_sentencepiece ? format_sentencepiece_model(spec) : format_tokenizer_json(spec);
  image.add("source", std::span<const char>(source));
  if (!is_sentencepiece && pipeline_->encoder->write(image)) {
    const std::string stages = format_tokenizer_json(without_vocabulary(spec));
    image.add("stages", std::span<const char>(stages));
    pipeline_->table.write(image);
    const std::array<int32_t, 1> unknown_id = {unknown().value_or(-1)};
    image.add("unknown", std::span<const int32_t>(unknown_id));
    const std::array<uint64_t, 1> print = {fingerprint()};
    image.add("fingerprint", std::span<const uint64_t>(print));
  }
  write_file_atomically(path, image.finish());
}

}  // namespace sesame
