#include "sesame/text/bpe/byte_level_encoder.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <string>

#include "sesame/text/pipeline/unicode_forms.h"
#include "sesame/text/unicode/unicode.h"

namespace sesame {
namespace {

/// What stands before the merges in pipelines of this family.
struct Stages {
  bool nfc = false;
  bool prefix_space = false;
  std::vector<std::shared_ptr<const Splitter>> splitters;
};

std::optional<Stages> stages_of(const TokenizerSpec& spec, std::string_view origin) {
  Stages stages;
  for (const normalizer::Step& step : spec.normalizers) {
    const auto* form = std::get_if<normalizer::Unicode>(&step);
    if (form == nullptr || form->form != UnicodeForm::nfc) return std::nullopt;
    stages.nfc = true;
  }
  for (const pre_tokenizer::Step& step : spec.pre_tokenizers) {
    if (const auto* split = std::get_if<pre_tokenizer::Split>(&step)) {
      const bool all_match = recognize_split_regex(split->pattern.text).has_value();
      const bool isolates = split->behavior == pre_tokenizer::Behavior::isolated ||
                            (split->behavior == pre_tokenizer::Behavior::removed && split->invert && all_match);
      if (!split->pattern.regex || !isolates) return std::nullopt;
      stages.splitters.push_back(Splitter::compile(split->pattern.text, fmt::format("{}: pre_tokenizer", origin)));
    } else if (const auto* bytes = std::get_if<pre_tokenizer::ByteLevel>(&step)) {
      if (&step != &spec.pre_tokenizers.back()) return std::nullopt;
      // A space before every piece of a Split is of no family.
      if (bytes->add_prefix_space && !stages.splitters.empty()) return std::nullopt;
      stages.prefix_space = bytes->add_prefix_space;
      if (bytes->use_regex) stages.splitters.push_back(Splitter::known(SplitPattern::gpt2));
      return stages;
    } else {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

class ByteLevelEncoder : public TextEncoder {
 public:
  ByteLevelEncoder(Stages stages, std::unique_ptr<const ByteMerger> merger)
      : stages_(std::move(stages)), pieces_(std::move(merger)) {}

  [[nodiscard]] std::unique_ptr<State> make_state() const override { return std::make_unique<ThreadState>(); }

  void encode(std::string_view text, StretchStart start, State& state, IdBuffer& ids) const override {
    if (text.empty()) return;
    std::string buffer;
    if (stages_.nfc) {
      if (auto changed = to_unicode_form(text, UnicodeForm::nfc)) {
        buffer = std::move(*changed);
        text = buffer;
      }
    }
    if (stages_.prefix_space && start != StretchStart::none && text.front() != ' ') {
      std::string spaced = " ";
      spaced += text;
      buffer = std::move(spaced);
      text = buffer;
    }
    encode_from(0, text, static_cast<ThreadState&>(state), ids);
  }

  bool write(ImageWriter& image) const override {
    static_cast<const ByteMerger&>(pieces_.merger()).write(image);
    return true;
  }

  [[nodiscard]] size_t next_cut(std::string_view text, size_t from) const override {
    // The later splitters see one piece of the first one at a time.
    if (stages_.splitters.empty()) return text.size();
    size_t cut = stages_.splitters.front()->next_cut(text, from);
    // No character composes with an ASCII character before it.
    while (stages_.nfc && cut < text.size() && static_cast<uint8_t>(text[cut]) >= 0x80) {
      cut = stages_.splitters.front()->next_cut(text, cut + 1);
    }
    return cut;
  }

 private:
  struct ThreadState : State {
    PieceEncoder::State pieces;
  };

  /// Cuts text by the splitters from number `stage` on.
  void encode_from(size_t stage, std::string_view text, ThreadState& state, IdBuffer& ids) const {
    if (stage == stages_.splitters.size()) {
      const std::array<uint32_t, 1> whole = {static_cast<uint32_t>(text.size())};
      return pieces_.encode(text, 0, whole, state.pieces, ids);
    }
    const Splitter& splitter = *stages_.splitters[stage];
    const bool last = stage + 1 == stages_.splitters.size();
    std::array<uint32_t, PieceEncoder::batch> ends;
    for (size_t begin = 0; begin < text.size();) {
      const size_t count = splitter.find_ends(text, begin, ends);
      if (last) {
        pieces_.encode(text, begin, {ends.data(), count}, state.pieces, ids);
      } else {
        uint32_t from = 0;
        for (size_t i = 0; i < count; ++i) {
          encode_from(stage + 1, text.substr(begin + from, ends[i] - from), state, ids);
          from = ends[i];
        }
      }
      begin += ends[count - 1];
    }
  }

  Stages stages_;
  PieceEncoder pieces_;
};

}  // namespace

std::unique_ptr<TextEncoder> make_byte_level_encoder(const TokenizerSpec& spec, std::string_view origin) {
  const auto* bpe = std::get_if<model::Bpe>(&spec.model);
  if (bpe == nullptr) return nullptr;
  std::optional<Stages> stages = stages_of(spec, origin);
  if (!stages) return nullptr;
  auto merger = ByteMerger::make(*bpe, spec, origin);
  if (merger == nullptr) return nullptr;
  return std::make_unique<ByteLevelEncoder>(std::move(*stages), std::move(merger));
}

std::unique_ptr<TextEncoder> make_byte_level_encoder(const TokenizerSpec& spec, const ImageReader& image,
                                                     std::string_view origin) {
  std::optional<Stages> stages = stages_of(spec, origin);
  if (!stages) return nullptr;
  return std::make_unique<ByteLevelEncoder>(std::move(*stages), std::make_unique<const ByteMerger>(image));
}

}  // namespace sesame
