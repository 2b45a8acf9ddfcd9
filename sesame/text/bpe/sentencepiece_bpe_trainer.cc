#include "sesame/text/bpe/sentencepiece_bpe_trainer.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "sesame/text/bpe/train/merge_trainer.h"
#include "sesame/text/unicode/unicode.h"
#include "sesame/text/unigram/train/piece_rules.h"
#include "sesame/text/unigram/train/sentence_intake.h"
#include "sesame/text/unigram/train/trained_model.h"
#include "sesame/text/unigram/train/training_text.h"
#include "sesame/text/words/byte_arena.h"

namespace sesame {
namespace {

using unigram::CharacterCount;

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
  State(UnigramTrainerOptions options, std::function<void(const BpeTrainerProgress&)> report)
      : intake(std::move(options)), progress(std::move(report)) {}

  /// The merged pieces in order.
  std::vector<std::string> learn(const Words& words, const std::vector<CharacterCount>& required);
  unigram::SentenceIntake intake;
  std::function<void(const BpeTrainerProgress&)> progress;
};

std::vector<std::string> SentencePieceBpeTrainer::State::learn(const Words& words,
                                                               const std::vector<CharacterCount>& required) {
  const UnigramTrainerOptions& options = intake.options();
  const auto special_pieces = static_cast<int32_t>(intake.special().size());
  TokenList tokens;
  const Symbols symbols(required, tokens);
  const auto symbolize = [&](std::string_view word, uint32_t* out) { return symbols.symbolize(word, out); };
  SymbolText text(words.words, symbolize, true, intake.threads());
  const unigram::PieceValidator validator(intake.piece_rules(), symbols.codes());
  std::vector<uint32_t> letters;
  MergeRules rules;
  rules.tie = BpeTie::shortest_text;
  rules.equal_token = EqualToken::refused;
  rules.vocabulary_size = options.vocab_size - special_pieces;
  rules.min_frequency = 0;
  rules.allowed = [&](const std::string& piece) {
    letters.clear();
    for_each_code(piece, [&](uint32_t code) { letters.push_back(symbols.id_of(code)); });
    return validator.valid(letters);
  };
  if (progress || options.stop) {
    rules.progress = [&](int64_t pair_count, uint64_t memory_bytes) {
      intake.check_stop();
      if (progress) progress({tokens.size() + special_pieces, options.vocab_size, pair_count, memory_bytes});
    };
  }
  MergeTrainer(text, tokens, rules, intake.threads()).run();
  std::vector<std::string> pieces;
  for (auto id = static_cast<int32_t>(required.size()); id < tokens.size(); ++id) pieces.push_back(tokens.text(id));
  return pieces;
}

SentencePieceBpeTrainer::SentencePieceBpeTrainer(UnigramTrainerOptions options,
                                                 std::function<void(const BpeTrainerProgress&)> progress)
    : state_(std::make_unique<State>(std::move(options), std::move(progress))) {}
SentencePieceBpeTrainer::~SentencePieceBpeTrainer() = default;
SentencePieceBpeTrainer::SentencePieceBpeTrainer(SentencePieceBpeTrainer&&) noexcept = default;
SentencePieceBpeTrainer& SentencePieceBpeTrainer::operator=(SentencePieceBpeTrainer&&) noexcept = default;

void SentencePieceBpeTrainer::add(std::string_view sentence) { state_->intake.add(sentence); }
void SentencePieceBpeTrainer::add_lines(std::string_view text) { state_->intake.add_lines(text); }
uint64_t SentencePieceBpeTrainer::sentences() const noexcept { return state_->intake.sentences(); }
uint64_t SentencePieceBpeTrainer::sentences_left_out() const noexcept { return state_->intake.left_out(); }

TokenizerSpec SentencePieceBpeTrainer::train() {
  State& s = *state_;
  const UnigramTrainerOptions& options = s.intake.options();
  const Words words(s.intake.words());
  s.intake.check_any(!words.words.empty());
  const std::vector<CharacterCount> required =
      unigram::required_characters(words.code_counts, options.required_chars, options.character_coverage);
  s.intake.check_fits(required.size());
  std::vector<std::string> learnt = s.learn(words, required);
  for (const CharacterCount& character : required) learnt.push_back(utf8(character.code));
  std::vector<unigram::ScoredPiece> pieces;
  for (std::string& piece : learnt) pieces.push_back({std::move(piece), -static_cast<float>(pieces.size())});
  return unigram::make_trained_model(options, s.intake.special(), model::SentencePiece::Type::bpe, pieces);
}

}  // namespace sesame
