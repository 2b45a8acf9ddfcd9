#include "sesame/text/unigram/train/unigram_trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>

#include "sesame/base/error.h"
#include "sesame/base/thread_pool.h"
#include "sesame/text/sentencepiece/model_file.h"
#include "sesame/text/sentencepiece/text_normalizer.h"
#include "sesame/text/unicode/unicode.h"
#include "sesame/text/unigram/train/expectation.h"
#include "sesame/text/unigram/train/piece_tree.h"
#include "sesame/text/unigram/train/pruning.h"
#include "sesame/text/unigram/train/sentence_words.h"
#include "sesame/text/unigram/train/special_pieces.h"
#include "sesame/text/unigram/train/training_text.h"

namespace sesame {
namespace {

using unigram::PieceTree;
using unigram::SpecialPiece;
using Step = UnigramTrainerProgress::Step;

/// The derivative of log gamma, by recurrence up to 7 and the asymptotic series behind (Bernardo, "Algorithm AS 103",
/// 1976, about a point half a unit lower).
double digamma(double x) {
  double result = 0;
  for (; x < 7; ++x) result -= 1 / x;
  x -= 0.5;
  const double y = 1 / (x * x);
  return result + std::log(x) + y * (1.0 / 24 - y * (7.0 / 960 - y * (31.0 / 8064 - y * (127.0 / 30720))));
}

/// The maximisation with a sparse prior (Liang & Klein, "Structured Bayesian nonparametric models with variational
/// inference", 2007): pieces that are expected less than half a time go.
std::vector<PieceTree::Piece> maximize(const PieceTree& tree, const std::vector<double>& expected) {
  constexpr double kLeast = 0.5;
  std::vector<PieceTree::Piece> pieces;
  std::vector<double> counts;
  double sum = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    if (expected[i] < kLeast) continue;
    pieces.push_back(tree.pieces[i]);
    counts.push_back(expected[i]);
    sum += expected[i];
  }
  const auto log_sum = static_cast<float>(digamma(sum));
  for (size_t i = 0; i < pieces.size(); ++i) pieces[i].score = static_cast<float>(digamma(counts[i]) - log_sum);
  return pieces;
}

struct ScoredPiece {
  std::string piece;
  float score = 0;
};

bool before(const ScoredPiece& a, const ScoredPiece& b) {
  return a.score != b.score ? a.score > b.score : a.piece < b.piece;
}

/// The required characters, and of all other pieces those with the highest scores, until there are `size`.
std::vector<ScoredPiece> choose(const unigram::TrainingText& text, const PieceTree& tree, size_t size) {
  constexpr float kStep = 0.0001f;
  std::vector<ScoredPiece> pieces;
  for (const PieceTree::Piece& piece : tree.pieces)
    pieces.push_back({text.string_of(tree.positions[piece.node], tree.nodes[piece.node].length), piece.score});
  std::unordered_map<std::string, float> score_of;
  for (const ScoredPiece& piece : pieces) score_of[piece.piece] = piece.score;
  std::vector<ScoredPiece> chosen;
  std::unordered_map<std::string, bool> is_required;
  const float least = tree.min_score();
  float penalty = 0;
  for (const unigram::CharacterCount& character : text.required) {
    std::string piece;
    append_utf8(character.code, piece);
    is_required[piece] = true;
    const auto it = score_of.find(piece);
    // Such characters follow all others, and each other by what sets them apart from a tie.
    chosen.push_back({piece, it != score_of.end() ? it->second : least + penalty});
    if (it == score_of.end()) penalty += kStep;
  }
  std::sort(pieces.begin(), pieces.end(), before);
  for (ScoredPiece& piece : pieces) {
    if (is_required.contains(piece.piece)) continue;
    if (chosen.size() == size) break;
    chosen.push_back(std::move(piece));
  }
  std::sort(chosen.begin(), chosen.end(), before);
  return chosen;
}

/// Special pieces at their ids, the others in the gaps and behind.
TokenizerSpec make_spec(const UnigramTrainerOptions& options, const std::map<int32_t, SpecialPiece>& special,
                        std::vector<ScoredPiece> pieces) {
  TokenizerSpec spec;
  model::SentencePiece model;
  size_t next = 0;
  for (int32_t id = 0; id < options.vocab_size; ++id) {
    const auto it = special.find(id);
    if (it == special.end() && next == pieces.size()) break;
    const bool is_special = it != special.end();
    spec.vocabulary.push_back({is_special ? it->second.piece : std::move(pieces[next].piece), id});
    model.scores.push_back(is_special ? 0 : pieces[next].score);
    model.types.push_back(is_special ? it->second.type : model::PieceType::normal);
    if (!is_special) ++next;
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
  model.type = model::SentencePiece::Type::unigram;
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

}  // namespace

struct UnigramTrainer::State {
  explicit State(UnigramTrainerOptions o)
      : options((unigram::check_options(o), std::move(o))),
        special(unigram::special_pieces(options)),
        normalizer(options.normalizer, {}, "the trainer's normalizer"),
        threads(options.threads),
        words(count_options(), threads) {}

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

  void check_stop() const {
    if (options.stop && options.stop()) fail("the training of the tokenizer was stopped");
  }

  void report(Step step, const PieceTree& tree, int32_t iteration, double objective) const {
    if (!options.progress) return;
    options.progress({step, static_cast<int64_t>(tree.pieces.size()), iteration, objective});
  }

  void run_em(const unigram::TrainingText& text, PieceTree& tree) {
    const auto desired = static_cast<size_t>(options.vocab_size * 1.1);
    const auto check = [this] { check_stop(); };
    unigram::Expector expector(text, threads, check);
    double all_words = 0;
    for (const unigram::TrainingText::Word& word : text.words) all_words += static_cast<double>(word.count);
    for (int32_t iteration = 1;; ++iteration) {
      for (int32_t i = 0; i < options.num_sub_iterations; ++i) {
        check_stop();
        const unigram::Expectation expectation = expector.run(tree);
        std::vector<PieceTree::Piece> pieces = maximize(tree, expectation.counts);
        if (pieces.empty()) fail("the text is too small: no piece is expected even once");
        tree.keep(std::move(pieces), threads);
        report(Step::maximized, tree, iteration, -expectation.log_likelihood / all_words);
      }
      if (tree.pieces.size() <= desired) return;
      const auto shrunk = static_cast<size_t>(options.shrinking_factor * static_cast<float>(tree.pieces.size()));
      tree.keep(unigram::prune(text, tree, std::max(desired, shrunk), options.loss, threads, check), threads);
      report(Step::pruned, tree, iteration, 0);
    }
  }

  UnigramTrainerOptions options;
  std::map<int32_t, SpecialPiece> special;
  SentencePieceNormalizer normalizer;
  ThreadPool threads;
  unigram::SentenceWords words;
  uint64_t left_out = 0;
};

UnigramTrainer::UnigramTrainer(UnigramTrainerOptions options) : state_(std::make_unique<State>(std::move(options))) {}
UnigramTrainer::~UnigramTrainer() = default;
UnigramTrainer::UnigramTrainer(UnigramTrainer&&) noexcept = default;
UnigramTrainer& UnigramTrainer::operator=(UnigramTrainer&&) noexcept = default;

void UnigramTrainer::add(std::string_view sentence) {
  constexpr std::string_view kUnknownMark = "\xE2\x96\x85";
  if (sentence.empty()) return;
  if (sentence.size() > static_cast<uint64_t>(state_->options.max_sentence_length) ||
      sentence.find(kUnknownMark) != std::string_view::npos) {
    ++state_->left_out;
    return;
  }
  state_->words.add(sentence);
}

void UnigramTrainer::add_lines(std::string_view text) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    add(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

uint64_t UnigramTrainer::sentences() const noexcept { return state_->words.sentences(); }
uint64_t UnigramTrainer::sentences_left_out() const noexcept { return state_->left_out; }

TokenizerSpec UnigramTrainer::train() {
  State& s = *state_;
  const UnigramTrainerOptions& options = s.options;
  s.check_stop();
  const unigram::TrainingText text =
      unigram::make_training_text(s.words, options.required_chars, options.character_coverage);
  if (text.words.empty()) {
    fail(
        fmt::format("there is nothing to train on: {} sentences were added, {} were left out because they are longer "
                    "than max_sentence_length {} or contain U+2585",
                    s.words.sentences(), s.left_out, options.max_sentence_length));
  }
  if (text.required.size() + s.special.size() > static_cast<size_t>(options.vocab_size)) {
    fail(fmt::format(
        "vocab_size {} is too small for {} required characters and {} special pieces: raise it to {} or "
        "more, or lower character_coverage",
        options.vocab_size, text.required.size(), s.special.size(), text.required.size() + s.special.size()));
  }
  s.check_stop();
  PieceTree tree = unigram::make_seed_pieces(text, s.piece_rules(), options.seed_sentencepiece_size, s.threads);
  s.report(Step::seeds, tree, 0, 0);
  s.run_em(text, tree);
  std::vector<ScoredPiece> pieces = choose(text, tree, static_cast<size_t>(options.vocab_size) - s.special.size());
  s.report(Step::finished, tree, 0, 0);
  return make_spec(options, s.special, std::move(pieces));
}

}  // namespace sesame
