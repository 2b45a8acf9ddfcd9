#include "sesame/text/bpe/sentencepiece_bpe_trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "sesame/base/error.h"
#include "sesame/base/thread_pool.h"
#include "sesame/text/bpe/train/merge_trainer.h"
#include "sesame/text/sentencepiece/model_file.h"
#include "sesame/text/sentencepiece/text_normalizer.h"
#include "sesame/text/unicode/unicode.h"
#include "sesame/text/unigram/train/piece_rules.h"
#include "sesame/text/unigram/train/sentence_words.h"
#include "sesame/text/unigram/train/special_pieces.h"
#include "sesame/text/unigram/train/training_text.h"
#include "sesame/text/words/byte_arena.h"

namespace sesame {
namespace {

using unigram::CharacterCount;
using unigram::SpecialPiece;

constexpr uint32_t code_points = 0x110000;
constexpr uint32_t no_symbol = 0xFFFFFFFF;

template <typename Visit>
void for_each_code(std::string_view text, Visit visit) {
  for (size_t i = 0; i < text.size();) {
    const Utf8Char c = decode_utf8(text, i);
    visit(c.code);
    i += c.length;
  }
}

std::string utf8(uint32_t code) {
  std::string text;
  append_utf8(code, text);
  return text;
}

/// The distinct words of the sentences.
struct Words {
  explicit Words(unigram::SentenceWords& sentences) {
    sentences.for_each([&](std::string_view word, uint32_t, uint64_t count) {
      for_each_code(word, [&](uint32_t code) { code_counts[code] += count; });
      if (!words.empty() && words.back().word == word) {
        words.back().count += count;
      } else {
        words.push_back({arena.keep(word), count});
      }
    });
  }

  ByteArena arena;
  std::vector<WordCount> words;
  std::vector<uint64_t> code_counts = std::vector<uint64_t>(code_points);
};

/// Required characters as symbols; others separate what stands around them.
class Symbols {
 public:
  Symbols(const std::vector<CharacterCount>& required, TokenList& tokens) : ids_(code_points, no_symbol) {
    for (const CharacterCount& character : required) {
      ids_[character.code] = static_cast<uint32_t>(tokens.add(utf8(character.code)));
      codes_.push_back(character.code);
    }
  }

  size_t symbolize(std::string_view word, uint32_t* symbols) const {
    uint32_t* next = symbols;
    for_each_code(word, [&](uint32_t code) {
      const uint32_t id = ids_[code];
      *next++ = id == no_symbol ? SymbolText::end : id;
    });
    return static_cast<size_t>(next - symbols);
  }

  [[nodiscard]] const std::vector<uint32_t>& codes() const { return codes_; }  // by id
  [[nodiscard]] uint32_t id_of(uint32_t code) const { return ids_[code]; }

 private:
  std::vector<uint32_t> ids_;
  std::vector<uint32_t> codes_;
};

}  // namespace

struct SentencePieceBpeTrainer::State {
  State(UnigramTrainerOptions o, std::function<void(const BpeTrainerProgress&)> report)
      : options((unigram::check_options(o), std::move(o))),
        progress(std::move(report)),
        special(unigram::special_pieces(options)),
        normalizer(options.normalizer, {}, "the trainer's normalizer"),
        threads(options.threads),
        sentences(count_options(), threads) {}

  [[nodiscard]] unigram::SentenceWords::Options count_options() const {
    unigram::SentenceWords::Options result;
    result.rules = {options.split_by_whitespace, options.normalizer.treat_whitespace_as_suffix,
                    options.allow_whitespace_only_pieces};
    result.normalize = [this](std::string_view line, std::string& buffer) -> std::string_view {
      buffer = normalizer.apply(line);
      return buffer;
    };
    for (const auto& [id, piece] : special) result.reserved.push_back(piece.piece);
    result.memory_bytes = options.count_bytes;
    result.directory = options.temporary_directory;
    return result;
  }

  [[nodiscard]] unigram::PieceRules piece_rules() const {
    return {options.max_sentencepiece_length,
            options.split_by_unicode_script,
            options.split_by_number,
            options.split_by_whitespace,
            options.split_digits,
            options.normalizer.treat_whitespace_as_suffix,
            options.allow_whitespace_only_pieces};
  }

  void check_fits(size_t required) const {
    if (required + special.size() <= static_cast<size_t>(options.vocab_size)) return;
    fail_usage(
        fmt::format("vocab_size {} is too small for {} required characters and {} special pieces: raise it to {} or "
                    "more, or lower character_coverage",
                    options.vocab_size, required, special.size(), required + special.size()));
  }

  /// The merged pieces in order.
  std::vector<std::string> learn(const Words& words, const std::vector<CharacterCount>& required);
  TokenizerSpec make_spec(const std::vector<std::string>& pieces) const;

  UnigramTrainerOptions options;
  std::function<void(const BpeTrainerProgress&)> progress;
  std::map<int32_t, SpecialPiece> special;
  SentencePieceNormalizer normalizer;
  ThreadPool threads;
  unigram::SentenceWords sentences;
  uint64_t left_out = 0;
};

std::vector<std::string> SentencePieceBpeTrainer::State::learn(const Words& words,
                                                               const std::vector<CharacterCount>& required) {
  TokenList tokens;
  const Symbols symbols(required, tokens);
  const auto symbolize = [&](std::string_view word, uint32_t* out) { return symbols.symbolize(word, out); };
  SymbolText text(words.words, symbolize, true, threads);
  const unigram::PieceValidator validator(piece_rules(), symbols.codes());
  std::vector<uint32_t> letters;
  MergeRules rules;
  rules.tie = BpeTie::shortest_text;
  rules.equal_token = EqualToken::refused;
  rules.vocabulary_size = options.vocab_size - static_cast<int32_t>(special.size());
  rules.min_frequency = 0;
  rules.allowed = [&](const std::string& piece) {
    letters.clear();
    for_each_code(piece, [&](uint32_t code) { letters.push_back(symbols.id_of(code)); });
    return validator.valid(letters);
  };
  if (progress || options.stop) {
    rules.progress = [&](int64_t pair_count, uint64_t memory_bytes) {
      if (options.stop && options.stop()) fail("the training of the tokenizer was stopped");
      const auto special_pieces = static_cast<int32_t>(special.size());
      if (progress) progress({tokens.size() + special_pieces, options.vocab_size, pair_count, memory_bytes});
    };
  }
  MergeTrainer(text, tokens, rules, threads).run();
  std::vector<std::string> pieces;
  for (auto id = static_cast<int32_t>(required.size()); id < tokens.size(); ++id) pieces.push_back(tokens.text(id));
  return pieces;
}

/// Special pieces at their ids, the others in the gaps and behind.
TokenizerSpec SentencePieceBpeTrainer::State::make_spec(const std::vector<std::string>& pieces) const {
  TokenizerSpec spec;
  model::SentencePiece model;
  size_t next = 0;
  for (int32_t id = 0; id < options.vocab_size; ++id) {
    const auto it = special.find(id);
    const bool is_special = it != special.end();
    if (!is_special && next == pieces.size()) break;
    spec.vocabulary.push_back({is_special ? it->second.piece : pieces[next], id});
    model.scores.push_back(is_special ? 0.0f : -static_cast<float>(next));
    model.types.push_back(is_special ? it->second.type : model::PieceType::normal);
    next += is_special ? 0 : 1;
  }
  const auto size = static_cast<int32_t>(spec.vocabulary.size());
  if (special.rbegin()->first >= size) {
    fail(fmt::format("the text gives only {} pieces, too few for the id {} of '{}'", next, special.rbegin()->first,
                     special.rbegin()->second.piece));
  }
  if (options.hard_vocab_limit && size != options.vocab_size) {
    fail(
        fmt::format("vocab_size {} is too large for this text: the largest possible is {} (or set hard_vocab_limit to "
                    "false for a smaller vocabulary)",
                    options.vocab_size, size));
  }
  model.type = model::SentencePiece::Type::bpe;
  model.byte_fallback = options.byte_fallback;
  model.unk_id = options.unk_id;
  model.bos_id = options.bos_id;
  model.eos_id = options.eos_id;
  model.pad_id = options.pad_id;
  model.unk_surface = options.unk_surface;
  spec.model = std::move(model);
  spec.normalizers.emplace_back(options.normalizer);
  spec.decoders.emplace_back(decoder::SentencePiece{});
  // Through the file's form, so that what was trained is what will be loaded.
  return read_sentencepiece_model(format_sentencepiece_model(spec), "the trained model");
}

SentencePieceBpeTrainer::SentencePieceBpeTrainer(UnigramTrainerOptions options,
                                                 std::function<void(const BpeTrainerProgress&)> progress)
    : state_(std::make_unique<State>(std::move(options), std::move(progress))) {}
SentencePieceBpeTrainer::~SentencePieceBpeTrainer() = default;
SentencePieceBpeTrainer::SentencePieceBpeTrainer(SentencePieceBpeTrainer&&) noexcept = default;
SentencePieceBpeTrainer& SentencePieceBpeTrainer::operator=(SentencePieceBpeTrainer&&) noexcept = default;

void SentencePieceBpeTrainer::add(std::string_view sentence) {
  constexpr std::string_view unknown_mark = "\xE2\x96\x85";
  if (sentence.empty()) return;
  if (sentence.size() > static_cast<uint64_t>(state_->options.max_sentence_length) ||
      sentence.find(unknown_mark) != std::string_view::npos) {
    ++state_->left_out;
    return;
  }
  state_->sentences.add(sentence);
}

void SentencePieceBpeTrainer::add_lines(std::string_view text) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    add(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

uint64_t SentencePieceBpeTrainer::sentences() const noexcept { return state_->sentences.sentences(); }
uint64_t SentencePieceBpeTrainer::sentences_left_out() const noexcept { return state_->left_out; }

TokenizerSpec SentencePieceBpeTrainer::train() {
  State& s = *state_;
  const Words words(s.sentences);
  if (words.words.empty()) {
    fail(
        fmt::format("there is nothing to train on: {} sentences were added, {} were left out because they are longer "
                    "than max_sentence_length {} or contain U+2585",
                    sentences(), s.left_out, s.options.max_sentence_length));
  }
  const std::vector<CharacterCount> required =
      unigram::required_characters(words.code_counts, s.options.required_chars, s.options.character_coverage);
  s.check_fits(required.size());
  std::vector<std::string> pieces = s.learn(words, required);
  for (const CharacterCount& character : required) pieces.push_back(utf8(character.code));
  return s.make_spec(pieces);
}

}  // namespace sesame
