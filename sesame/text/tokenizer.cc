#include "sesame/text/tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <initializer_list>
#include <mutex>
#include <utility>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/base/hash.h"
#include "sesame/text/bpe_encoder.h"
#include "sesame/text/text_stages.h"
#include "sesame/text/token_table.h"
#include "sesame/text/word_cache.h"

namespace sesame {
namespace {

constexpr uint64_t max_file_bytes = uint64_t{256} << 20;

/// What encoding keeps between calls, one per thread. The cache is of the tokenizer that used it last.
struct ThreadState {
  uint64_t owner = 0;
  WordCache cache;
  BpeScratch scratch;
};

ThreadState& thread_state(uint64_t owner) {
  thread_local ThreadState state;
  if (state.owner != owner) {
    if (state.owner != 0) state.cache.clear();
    state.owner = owner;
  }
  return state;
}

uint64_t next_serial() {
  static std::atomic<uint64_t> serial{0};
  return ++serial;
}

std::optional<int32_t> first_special(const TokenTable& table, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    const auto found = table.ids().find(name);
    if (found != table.ids().end() && table.special(found->second)) return found->second;
  }
  return std::nullopt;
}

/// Whether no token holds U+2581 after another character: then no merge crosses the place before a run of U+2581.
bool cuts_before_runs(const TokenizerSpec& spec) {
  const auto continues = [](const VocabularyEntry& entry) {
    bool other = false;
    for (size_t i = 0; i < entry.token.size();) {
      const Utf8Char c = decode_utf8(entry.token, i);
      if (c.code == 0x2581 && other) return true;
      other = other || c.code != 0x2581;
      i += c.length;
    }
    return false;
  };
  const auto is_mark = [](const VocabularyEntry& entry) { return entry.token == "\xE2\x96\x81"; };
  return std::any_of(spec.vocabulary.begin(), spec.vocabulary.end(), is_mark) &&
         std::none_of(spec.vocabulary.begin(), spec.vocabulary.end(), continues);
}

std::vector<std::pair<std::string, AddedToken>> added_tokens(const TokenizerSpec& spec, bool normalized,
                                                             const Normalizer& normalizer) {
  std::vector<std::pair<std::string, AddedToken>> tokens;
  for (const AddedToken& token : spec.added_tokens) {
    if (token.normalized != normalized) continue;
    tokens.emplace_back(normalized ? normalizer.apply(token.content) : token.content, token);
  }
  return tokens;
}

/// The ids that a template puts before and after the text.
struct Surround {
  std::vector<int32_t> before;
  std::vector<int32_t> after;
};

Surround surround(const TokenizerSpec& spec, const TokenTable& table, std::string_view origin) {
  Surround result;
  bool found_template = false;
  for (const post_processor::Step& step : spec.post_processors) {
    const auto* text_template = std::get_if<post_processor::Template>(&step);
    if (text_template == nullptr) continue;
    if (std::exchange(found_template, true)) {
      fail(fmt::format("{}: post_processor: Sesame supports one TemplateProcessing", origin));
    }
    bool after = false;
    for (const post_processor::Place& place : text_template->single) {
      if (place.sequence) {
        if (after || place.id != "A") {
          fail(fmt::format("{}: post_processor.single: expected the sequence A once", origin));
        }
        after = true;
        continue;
      }
      const auto token = std::find_if(text_template->special_tokens.begin(), text_template->special_tokens.end(),
                                      [&](const post_processor::TemplateToken& t) { return t.id == place.id; });
      if (token == text_template->special_tokens.end()) {
        fail(fmt::format("{}: post_processor.special_tokens: '{}' is missing", origin, place.id));
      }
      for (const int32_t id : token->ids) {
        if (!table.contains(id)) {
          fail(fmt::format("{}: post_processor.special_tokens: the id {} is not in the vocabulary", origin, id));
        }
        (after ? result.after : result.before).push_back(id);
      }
    }
    if (!after) fail(fmt::format("{}: post_processor.single: the sequence A is missing", origin));
  }
  return result;
}

}  // namespace

struct Tokenizer::Pipeline {
  Pipeline(TokenizerSpec given, std::string_view origin)
      : spec(std::move(given)),
        table(spec, origin),
        normalizer(spec.normalizers, fmt::format("{}: normalizer", origin)),
        raw_tokens(added_tokens(spec, false, normalizer)),
        normalized_tokens(added_tokens(spec, true, normalizer)),
        pre_tokenizer(spec.pre_tokenizers, origin),
        around(surround(spec, table, origin)),
        serial(next_serial()) {
    if (const auto* bpe = std::get_if<model::Bpe>(&spec.model)) {
      encoder.emplace(*bpe, spec, pre_tokenizer.byte_level(), origin);
      if (bpe->unk_token) unknown = table.ids().find(*bpe->unk_token)->second;
      if (!pre_tokenizer.byte_level() && cuts_before_runs(spec)) pre_tokenizer.split_before_runs_of("\xE2\x96\x81");
      return;
    }
    if (pre_tokenizer.byte_level()) {
      fail(fmt::format("{}: pre_tokenizer: Sesame supports ByteLevel with a BPE model only", origin));
    }
    const auto found = table.ids().find(std::get<model::WordLevel>(spec.model).unk_token);
    if (found != table.ids().end()) unknown = found->second;
    for (const VocabularyEntry& entry : spec.vocabulary) {
      if (!table.special(entry.id)) words.emplace(entry.token, entry.id);
    }
  }

  void encode_piece(std::string_view piece, ThreadState& state, std::vector<int32_t>& ids) const {
    if (!encoder) {
      const auto word = words.find(piece);
      if (word == words.end() && !unknown) fail_unknown_character(piece);
      ids.push_back(word == words.end() ? *unknown : word->second);
      return;
    }
    if (piece.size() > WordCache::max_word) return encoder->encode(piece, state.scratch, ids);
    const WordCache::Key key = WordCache::key(piece);
    if (const auto known = state.cache.find(key); !known.empty()) {
      // Most words are one token.
      ids.push_back(known[0]);
      for (size_t i = 1; i < known.size(); ++i) ids.push_back(known[i]);
      return;
    }
    const size_t before = ids.size();
    encoder->encode(piece, state.scratch, ids);
    state.cache.put(key, std::span(ids).subspan(before));
  }

  void encode_text(std::string_view text, bool at_start, bool parse_special, std::vector<int32_t>& ids) const {
    std::string buffer;
    if (!normalizer.empty()) {
      buffer = normalizer.apply(text);
      text = buffer;
    }
    ThreadState& state = thread_state(serial);
    normalized_tokens.split(text, parse_special, [&](std::string_view stretch, const AddedToken* token) {
      if (token != nullptr) {
        ids.push_back(token->id);
      } else {
        pre_tokenizer.apply(stretch, at_start && stretch.data() == text.data(),
                            [&](std::string_view piece) { encode_piece(piece, state, ids); });
      }
    });
  }

  TokenizerSpec spec;
  TokenTable table;
  Normalizer normalizer;
  AddedTokenFinder raw_tokens;
  AddedTokenFinder normalized_tokens;
  PreTokenizer pre_tokenizer;
  std::optional<BpeEncoder> encoder;  // else a WordLevel model
  StringMap words;
  std::optional<int32_t> unknown;
  Surround around;
  uint64_t serial;
  mutable std::once_flag fingerprint_once;
  mutable uint64_t fingerprint = 0;
};

Tokenizer::Tokenizer(TokenizerSpec spec, std::string_view origin)
    : pipeline_(std::make_shared<const Pipeline>(std::move(spec), origin)) {}

Tokenizer Tokenizer::load(const std::filesystem::path& path) {
  const std::filesystem::path file = std::filesystem::is_directory(path) ? path / "tokenizer.json" : path;
  const std::string json = read_file(file, max_file_bytes);
  return Tokenizer(parse_tokenizer_json(json, file.string()), file.string());
}

void Tokenizer::save(const std::filesystem::path& path) const {
  write_file_atomically(std::filesystem::is_directory(path) ? path / "tokenizer.json" : path, to_json());
}

std::string Tokenizer::to_json() const { return format_tokenizer_json(pipeline_->spec); }

std::vector<int32_t> Tokenizer::encode(std::string_view text, EncodeOptions options) const {
  std::vector<int32_t> ids;
  ids.reserve(text.size() / 3 + 8);
  encode_append(text, options, ids);
  return ids;
}

void Tokenizer::encode_append(std::string_view text, EncodeOptions options, std::vector<int32_t>& ids) const {
  const Pipeline& p = *pipeline_;
  if (options.add_special) ids.insert(ids.end(), p.around.before.begin(), p.around.before.end());
  p.raw_tokens.split(text, options.parse_special, [&](std::string_view stretch, const AddedToken* token) {
    if (token != nullptr) {
      ids.push_back(token->id);
    } else {
      p.encode_text(stretch, stretch.data() == text.data(), options.parse_special, ids);
    }
  });
  if (options.add_special) ids.insert(ids.end(), p.around.after.begin(), p.around.after.end());
}

std::string Tokenizer::decode(std::span<const int32_t> ids, bool skip_special) const {
  const TokenTable& table = pipeline_->table;
  const TokenTable::Start& start = table.start();
  std::string text;
  bool first = true;
  for (const int32_t id : ids) {
    table.check(id);
    if (skip_special && table.special(id)) continue;
    if (!first && start.spaced) text += ' ';
    if (first) {
      text += table.first_bytes(id);
    } else {
      text += table.bytes(id);
    }
    first = false;
  }
  size_t strip = 0;
  while (strip < text.size() && strip < static_cast<size_t>(start.strip_count) && text[strip] == start.strip) ++strip;
  text.erase(0, strip);
  return text;
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

std::optional<int32_t> Tokenizer::id_of(std::string_view token) const {
  const auto found = pipeline_->table.ids().find(token);
  return found == pipeline_->table.ids().end() ? std::nullopt : std::optional(found->second);
}

bool Tokenizer::contains(int32_t id) const noexcept { return pipeline_->table.contains(id); }

bool Tokenizer::is_special(int32_t id) const noexcept { return pipeline_->table.special(id); }

std::optional<int32_t> Tokenizer::end_of_text() const noexcept {
  return first_special(pipeline_->table, {"<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>", "[SEP]"});
}

std::optional<int32_t> Tokenizer::begin_of_text() const noexcept {
  return first_special(pipeline_->table, {"<s>", "<|begin_of_text|>", "<bos>", "[CLS]"});
}

std::optional<int32_t> Tokenizer::unknown() const noexcept { return pipeline_->unknown; }

uint64_t Tokenizer::fingerprint() const {
  const Pipeline& p = *pipeline_;
  std::call_once(p.fingerprint_once, [&] { p.fingerprint = xxh3(to_json()); });
  return p.fingerprint;
}

std::string Tokenizer::describe() const { return describe_pipeline(pipeline_->spec); }

StreamDecoder::StreamDecoder(Tokenizer tokenizer) : StreamDecoder(std::move(tokenizer), Options{}) {}

StreamDecoder::StreamDecoder(Tokenizer tokenizer, Options options)
    : tokenizer_(std::move(tokenizer)), options_(options) {
  restart();
}

std::string StreamDecoder::push(int32_t id) {
  const TokenTable& table = tokenizer_.pipeline_->table;
  const TokenTable::Start& start = table.start();
  table.check(id);
  if (options_.skip_special && table.special(id)) return {};
  const bool first = !std::exchange(started_, true);
  std::string bytes = first ? table.first_bytes(id) : std::string(table.bytes(id));
  // The characters to strip may come in several tokens; the first other one ends them.
  size_t strip = 0;
  while (strip < bytes.size() && strips_left_ > 0 && bytes[strip] == start.strip) {
    ++strip;
    --strips_left_;
  }
  if (strip < bytes.size()) strips_left_ = 0;
  bytes.erase(0, strip);
  if (!first && start.spaced) bytes.insert(0, " ");
  pending_ += bytes;
  return take_whole_utf8(pending_, false);
}

std::string StreamDecoder::finish() {
  std::string rest = take_whole_utf8(pending_, true);
  restart();
  return rest;
}

void StreamDecoder::restart() {
  pending_.clear();
  started_ = options_.continuation;
  strips_left_ = options_.continuation ? 0 : tokenizer_.pipeline_->table.start().strip_count;
}

}  // namespace sesame
