#include "sesame/text/tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <mutex>
#include <utility>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/base/hash.h"
#include "sesame/base/thread_pool.h"
#include "sesame/text/encode/make_encoder.h"
#include "sesame/text/encode/thread_states.h"
#include "sesame/text/encode/token_table.h"
#include "sesame/text/files/load_tokenizer.h"
#include "sesame/text/files/tokenizer_json.h"
#include "sesame/text/pipeline/added_tokens.h"
#include "sesame/text/pipeline/describe_pipeline.h"
#include "sesame/text/pipeline/post_processor.h"
#include "sesame/text/pipeline/text_stages.h"
#include "sesame/text/tokenizer_pipeline.h"
#include "sesame/text/tokenizer_spec.h"

namespace sesame {
namespace {

/// Longer stretches are encoded block by block, so that ids and buffers stay in the cache.
constexpr size_t block_bytes = size_t{256} << 10;

std::optional<int32_t> first_special(const TokenTable& table, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    const auto id = table.find(name);
    if (id && table.special(*id)) return id;
  }
  return std::nullopt;
}

std::optional<std::string_view> unknown_token(const TokenizerSpec& spec) {
  if (const auto* bpe = std::get_if<model::Bpe>(&spec.model)) {
    return bpe->unk_token ? std::optional<std::string_view>(*bpe->unk_token) : std::nullopt;
  }
  if (const auto* words = std::get_if<model::WordLevel>(&spec.model)) return words->unk_token;
  if (const auto* pieces = std::get_if<model::WordPiece>(&spec.model)) return pieces->unk_token;
  return std::nullopt;
}

std::optional<int32_t> unknown_id(const TokenizerSpec& spec, const TokenTable& table) {
  if (const auto* unigram = std::get_if<model::Unigram>(&spec.model)) return unigram->unk_id;
  if (const auto* pieces = std::get_if<model::SentencePiece>(&spec.model)) return pieces->unk_id;
  const std::optional<std::string_view> token = unknown_token(spec);
  if (!token) return std::nullopt;
  return table.find(*token);
}

std::vector<std::pair<std::string, AddedToken>> added_tokens(const TokenizerSpec& spec, bool normalized) {
  // SentencePiece's normalizer is a part of its model, and its tokens are never normalized.
  std::optional<Normalizer> normalizer;
  std::vector<std::pair<std::string, AddedToken>> tokens;
  for (const AddedToken& token : spec.added_tokens) {
    if (token.normalized != normalized) continue;
    if (normalized && !normalizer) normalizer.emplace(spec.normalizers, "normalizer");
    tokens.emplace_back(normalized ? normalizer->apply(token.content) : token.content, token);
  }
  return tokens;
}

bool is_image(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return false;
  const MappedFile file(path);
  return ImageReader::recognizes(file.text().substr(0, 16));
}

TokenizerSpec without_normalizer(TokenizerSpec spec) {
  spec.normalizers.clear();
  return spec;
}

}  // namespace

Tokenizer::Pipeline::Pipeline(TokenizerSpec given, std::string_view origin)
    : spec(std::move(given)),
      table(spec, origin),
      raw_tokens(added_tokens(spec, false)),
      normalized_tokens(added_tokens(spec, true)),
      around(spec, table, origin),
      decoder(spec, table, origin),
      serial(next_state_serial()) {
  if (!normalized_tokens.empty() && !spec.normalizers.empty()) {
    normalizer.emplace(spec.normalizers, fmt::format("{}: normalizer", origin));
    encoder = make_pipeline_encoder(without_normalizer(spec), origin);
  } else {
    encoder = make_text_encoder(spec, origin);
  }
  unknown = unknown_id(spec, table);
}

Tokenizer::Pipeline::Pipeline(TokenizerSpec stages, const ImageReader& from, std::string_view origin)
    : spec(std::move(stages)),
      table(from),
      raw_tokens(added_tokens(spec, false)),
      normalized_tokens(added_tokens(spec, true)),
      encoder(make_text_encoder(spec, from, origin)),
      around(spec, table, origin),
      decoder(spec, table, origin),
      serial(next_state_serial()),
      image(from) {}

Tokenizer::Pipeline::Sought Tokenizer::Pipeline::seek_tokens(bool special,
                                                             const std::vector<std::string>& named) const {
  return {raw_tokens.seek(special, named), normalized_tokens.seek(special, named)};
}

std::shared_ptr<const Tokenizer::Pipeline::Sought> Tokenizer::Pipeline::seek(const EncodeOptions& options) const {
  const bool special = options.parse_special || options.special == SpecialText::recognize;
  if (!options.allowed_special.empty()) {
    return std::make_shared<const Sought>(seek_tokens(special, options.allowed_special));
  }
  // Owns nothing, and so costs no atomic count that threads would share.
  return {std::shared_ptr<const Sought>(), special ? &all_sought : &ordinary_sought};
}

void Tokenizer::Pipeline::refuse_special(std::string_view text, const EncodeOptions& options) const {
  if (options.parse_special || options.special != SpecialText::refuse) return;
  for (const AddedTokenFinder* finder : {&raw_tokens, &normalized_tokens}) {
    AddedTokenFinder::Sought sought = finder->seek(true, {}, false);
    for (size_t i = 0; i < sought.token.size(); ++i) {
      const auto& allowed = options.allowed_special;
      if (std::find(allowed.begin(), allowed.end(), finder->tokens()[i].content) != allowed.end()) sought.token[i] = 0;
    }
    finder->split(text, sought, [&](std::string_view stretch, const AddedToken* token) {
      if (token == nullptr) return;
      fail(
          fmt::format("byte {} of the text begins the special token '{}', which is not allowed there: allow it, or "
                      "encode special tokens as text",
                      stretch.data() - text.data(), token->content));
    });
  }
}

void Tokenizer::Pipeline::for_each_stretch(
    std::string_view text, const Sought& sought,
    FunctionRef<void(std::string_view stretch, const AddedToken* token, StretchStart start)> visit) const {
  const auto start_of = [](std::string_view stretch, std::string_view whole, bool at_start) {
    return at_start && stretch.data() == whole.data() ? StretchStart::text : StretchStart::stretch;
  };
  raw_tokens.split(text, sought.raw, [&](std::string_view chunk, const AddedToken* token) {
    const bool at_start = chunk.data() == text.data();
    if (token != nullptr) return visit(chunk, token, StretchStart::none);
    const PlainText normal = normalizer ? normalizer->apply(plain_view(chunk, at_start)) : PlainText{};
    if (normalizer) chunk = normal.text;
    const bool starts = at_start && (!normalizer || normal.origin > 0);
    normalized_tokens.split(chunk, sought.normalized, [&](std::string_view stretch, const AddedToken* found) {
      visit(stretch, found, start_of(stretch, chunk, starts));
    });
  });
}

void Tokenizer::Pipeline::encode_stretch(std::string_view stretch, StretchStart start, TextEncoder::State& state,
                                         IdBuffer& ids, FunctionRef<void()> block_done) const {
  while (stretch.size() > block_bytes) {
    const size_t cut = encoder->next_cut(stretch, block_bytes);
    if (cut >= stretch.size()) break;
    encoder->encode(stretch.substr(0, cut), start, state, ids);
    block_done();
    stretch.remove_prefix(cut);
    start = StretchStart::none;
  }
  encoder->encode(stretch, start, state, ids);
  block_done();
}

void Tokenizer::Pipeline::encode(std::string_view text, const EncodeOptions& options, IdBuffer& ids,
                                 FunctionRef<void()> block_done) const {
  refuse_special(text, options);
  TextEncoder::State& state = thread_state(serial, *encoder);
  if (options.add_special) ids.append(around.before());
  for_each_stretch(text, *seek(options), [&](std::string_view stretch, const AddedToken* token, StretchStart start) {
    if (token != nullptr) {
      ids.push(token->id);
    } else {
      encode_stretch(stretch, start, state, ids, block_done);
    }
  });
  if (options.add_special) ids.append(around.after());
  block_done();
}

const FullEncoder& Tokenizer::Pipeline::full_encoder() const {
  std::call_once(full_once, [&] {
    full = std::make_unique<const FullEncoder>(full_spec(), table, raw_tokens, normalized_tokens, around, "tokenizer");
  });
  return *full;
}

Encoding Tokenizer::encode_full(std::string_view text, std::optional<std::string_view> pair,
                                const EncodeOptions& options) const {
  pipeline_->refuse_special(text, options);
  if (pair) pipeline_->refuse_special(*pair, options);
  const auto sought = pipeline_->seek(options);
  return pipeline_->full_encoder().encode(text, pair, {sought->raw, sought->normalized}, options.add_special,
                                          options.truncate_and_pad);
}

std::vector<Encoding> Tokenizer::encode_full_batch(std::span<const std::string_view> texts,
                                                   const EncodeOptions& options) const {
  for (const std::string_view text : texts) pipeline_->refuse_special(text, options);
  const auto sought = pipeline_->seek(options);
  return pipeline_->full_encoder().encode_batch(texts, {sought->raw, sought->normalized}, options.add_special,
                                                options.truncate_and_pad);
}

Tokenizer::Tokenizer(TokenizerSpec spec, std::string_view origin)
    : pipeline_(std::make_shared<const Pipeline>(std::move(spec), origin)) {}

Tokenizer Tokenizer::load(const std::filesystem::path& path, std::string_view pattern) {
  if (pattern.empty() && is_image(path)) {
    Tokenizer tokenizer;
    tokenizer.pipeline_ = Pipeline::from_image(ImageReader(path), path.string());
    return tokenizer;
  }
  return Tokenizer(load_tokenizer_spec(path, pattern), path.string());
}

void Tokenizer::save(const std::filesystem::path& path) const {
  write_file_atomically(std::filesystem::is_directory(path) ? path / "tokenizer.json" : path, to_json());
}

std::string Tokenizer::to_json() const { return format_tokenizer_json(pipeline_->full_spec()); }

std::vector<int32_t> Tokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  std::vector<int32_t> ids;
  encode_append(text, options, ids);
  return ids;
}

void Tokenizer::encode_append(std::string_view text, const EncodeOptions& options, std::vector<int32_t>& ids) const {
  IdBuffer& buffer = thread_ids();
  buffer.clear();
  pipeline_->encode(text, options, buffer, [&] {
    const std::span<const int32_t> block = buffer.ids();
    ids.insert(ids.end(), block.begin(), block.end());
    buffer.clear();
  });
}

void Tokenizer::encode_append(std::string_view text, const EncodeOptions& options, IdBuffer& ids) const {
  pipeline_->encode(text, options, ids, [] {});
}

uint64_t Tokenizer::count(std::string_view text, const EncodeOptions& options) const {
  IdBuffer& buffer = thread_ids();
  buffer.clear();
  uint64_t count = 0;
  pipeline_->encode(text, options, buffer, [&] {
    count += buffer.size();
    buffer.clear();
  });
  return count;
}

std::string Tokenizer::decode(std::span<const int32_t> ids, bool skip_special) const {
  std::string text;
  decode_append(ids, skip_special, text);
  return text;
}

void Tokenizer::decode_append(std::span<const int32_t> ids, bool skip_special, std::string& text) const {
  pipeline_->decoder.decode(ids, skip_special, text);
}

int32_t Tokenizer::vocabulary_size() const noexcept { return pipeline_->table.size(); }

std::string_view Tokenizer::token_bytes(int32_t id) const {
  pipeline_->table.check(id);
  return pipeline_->table.bytes(id);
}

std::string_view Tokenizer::token(int32_t id) const {
  pipeline_->table.check(id);
  return pipeline_->table.spelling(id);
}

std::optional<int32_t> Tokenizer::id_of(std::string_view token) const { return pipeline_->table.find(token); }

bool Tokenizer::contains(int32_t id) const noexcept { return pipeline_->table.contains(id); }

bool Tokenizer::is_special(int32_t id) const noexcept { return pipeline_->table.special(id); }

std::optional<int32_t> Tokenizer::end_of_text() const noexcept {
  return first_special(pipeline_->table, {"<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>", "[SEP]"});
}

std::optional<int32_t> Tokenizer::begin_of_text() const noexcept {
  return first_special(pipeline_->table, {"<s>", "<|begin_of_text|>", "<bos>", "[CLS]"});
}

std::optional<int32_t> Tokenizer::unknown() const noexcept { return pipeline_->unknown; }

const TokenizerSpec& Tokenizer::spec() const { return pipeline_->full_spec(); }

uint64_t Tokenizer::fingerprint() const {
  const Pipeline& p = *pipeline_;
  std::call_once(p.fingerprint_once, [&] { p.fingerprint = xxh3(to_json()); });
  return p.fingerprint;
}

std::string Tokenizer::describe() const { return describe_pipeline(pipeline_->full_spec()); }

}  // namespace sesame
