#include "sesame/text/unigram/unigram_encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <variant>

#include "sesame/text/encode/pipeline_encoder.h"
#include "sesame/text/pipeline/text_stages.h"
#include "sesame/text/sentencepiece/segment_cache.h"
#include "sesame/text/sentencepiece/word_reader.h"
#include "sesame/text/unicode/unicode.h"
#include "sesame/text/unigram/unigram_model.h"

namespace sesame {
namespace {

bool has_white_space(std::string_view text) {
  const CharClasses& classes = CharClasses::get();
  for (size_t i = 0; i < text.size();) {
    const auto [bits, length] = classify_utf8(classes, text, i);
    if ((bits & char_space) != 0 || text.substr(i, length) == "\xE2\x96\x81") return true;
    i += length;
  }
  return false;
}

/// Whether a step looks at no more of the text around a single space between ASCII characters than the space.
bool stops_at_single_spaces(const normalizer::Step& step) {
  if (const auto* replace = std::get_if<normalizer::Replace>(&step)) {
    if (replace->pattern.regex) return replace->pattern.text == " {2,}";
    return !has_white_space(replace->pattern.text) && !has_white_space(replace->content);
  }
  if (const auto* strip = std::get_if<normalizer::Strip>(&step)) return !strip->left;
  return std::holds_alternative<normalizer::Precompiled>(step) || std::holds_alternative<normalizer::Unicode>(step) ||
         std::holds_alternative<normalizer::Lowercase>(step) || std::holds_alternative<normalizer::Nmt>(step) ||
         std::holds_alternative<normalizer::StripAccents>(step);
}

bool splits_at_spaces(const std::vector<pre_tokenizer::Step>& steps) {
  if (steps.empty() || steps.size() > 2) return false;
  const auto* const metaspace = std::get_if<pre_tokenizer::Metaspace>(&steps.back());
  if (metaspace == nullptr || !metaspace->split || metaspace->replacement != "\xE2\x96\x81") return false;
  return steps.size() == 1 || std::holds_alternative<pre_tokenizer::WhitespaceSplit>(steps.front());
}

class UnigramEncoder : public TextEncoder {
 public:
  UnigramEncoder(const TokenizerSpec& spec, const model::Unigram& model, std::string_view origin)
      : pipeline_(spec, std::make_unique<UnigramModel>(model, spec, origin), origin),
        has_narrow_ids_(model.scores.size() <= (size_t{1} << 16)) {
    const Normalizer normalizer(spec.normalizers, fmt::format("{}: normalizer", origin));
    for (char c = 0x21; c < 0x7F; ++c) {
      const std::string normalized = normalizer.apply(std::string_view(&c, 1));
      plain_[static_cast<uint8_t>(c)] = !normalized.empty() && !has_white_space(normalized) ? 1 : 0;
    }
  }

  [[nodiscard]] std::unique_ptr<State> make_state() const override {
    auto buffers = std::make_unique<Buffers>();
    buffers->pipeline = pipeline_.make_state();
    return buffers;
  }

  void encode(std::string_view text, StretchStart start, State& state, IdBuffer& ids) const override {
    auto& buffers = static_cast<Buffers&>(state);
    size_t i = 0;
    if (start != StretchStart::none) {
      i = text.empty() ? 0 : next_cut(text, 1);
      pipeline_.encode(text.substr(0, i), start, *buffers.pipeline, ids);
    }
    if (i == text.size()) return;
    WordReader reader(text);
    while (i < text.size()) i = encode_batch(text, reader.read(i, buffers.words), buffers, ids);
  }

  [[nodiscard]] size_t next_cut(std::string_view text, size_t from) const override {
    for (size_t cut = text.find(' ', from); cut < text.size(); cut = text.find(' ', cut + 1)) {
      if (cut + 1 < text.size() && is_plain(text[cut - 1]) && is_plain(text[cut + 1])) return cut;
    }
    return text.size();
  }

 private:
  struct Buffers : State {
    SegmentCache words{16};
    std::unique_ptr<State> pipeline;
  };

  [[nodiscard]] bool is_plain(char c) const noexcept { return plain_[static_cast<uint8_t>(c)] != 0; }

  /// The words begin at a cut. Those that are in the cache are plain, so that what follows one is a cut too if the next
  /// begins with a single space and a plain character. Returns the cut, or the end of the text, that was reached.
  size_t encode_batch(std::string_view text, std::span<const WordReader::Word> words, Buffers& buffers,
                      IdBuffer& ids) const {
    const size_t room = words.size() * SegmentIds::most_of_any;
    int32_t* out = ids.reserve(room);
    int32_t* first = out;
    for (const WordReader::Word& word : words) {
      const bool cut_follows = word.end == text.size() || (word.end + 1 < text.size() && is_plain(text[word.end + 1]));
      const SegmentCache::Entry* const entry = cut_follows ? buffers.words.find(word.key, word.place) : nullptr;
      if (entry != nullptr && entry->count != 0) {
        if (has_narrow_ids_) {
          entry->write<uint16_t>(0, out);
        } else {
          entry->write<int32_t>(0, out);
        }
        out += entry->count;
        continue;
      }
      ids.commit(static_cast<size_t>(out - first));
      const std::string_view characters = text.substr(word.begin + 1, word.end - word.begin - 1);
      const bool plain =
          cut_follows && std::all_of(characters.begin(), characters.end(), [this](char c) { return is_plain(c); });
      const size_t end = plain ? word.end : word.begin + next_cut(text.substr(word.begin), 1);
      encode_stretch(text.substr(word.begin, end - word.begin), plain, buffers, ids);
      if (end != word.end) return end;
      out = first = ids.reserve(room);
    }
    ids.commit(static_cast<size_t>(out - first));
    return words.back().end;
  }

  void encode_stretch(std::string_view stretch, bool is_word, Buffers& buffers, IdBuffer& ids) const {
    const size_t before = ids.size();
    pipeline_.encode(stretch, StretchStart::none, *buffers.pipeline, ids);
    if (!is_word || stretch.size() > SegmentCache::max_bytes || ids.size() == before) return;
    SegmentCache::Entry entry;
    entry.key = SegmentCache::key_of(stretch);
    const std::span<const int32_t> added = std::as_const(ids).ids().subspan(before);
    if (!(has_narrow_ids_ ? entry.take<uint16_t>(added) : entry.take<int32_t>(added))) return;
    buffers.words.put(entry);
  }

  PipelineEncoder pipeline_;
  bool has_narrow_ids_;               // all below 2^16
  std::array<uint8_t, 256> plain_{};  // ASCII characters that become something other than white space
};

}  // namespace

std::unique_ptr<TextEncoder> make_unigram_encoder(const TokenizerSpec& spec, std::string_view origin) {
  const auto* const model = std::get_if<model::Unigram>(&spec.model);
  if (model == nullptr || !splits_at_spaces(spec.pre_tokenizers) ||
      !std::all_of(spec.normalizers.begin(), spec.normalizers.end(), stops_at_single_spaces)) {
    return nullptr;
  }
  return std::make_unique<UnigramEncoder>(spec, *model, origin);
}

}  // namespace sesame
