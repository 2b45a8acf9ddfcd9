#include "sesame/text/unigram/train/unigram_trainer.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>

#include "sesame/base/error.h"
#include "sesame/text/unicode/unicode.h"
#include "sesame/text/unigram/train/expectation.h"
#include "sesame/text/unigram/train/piece_tree.h"
#include "sesame/text/unigram/train/pruning.h"
#include "sesame/text/unigram/train/sentence_intake.h"
#include "sesame/text/unigram/train/trained_model.h"
#include "sesame/text/unigram/train/training_text.h"

namespace sesame {
namespace {

using unigram::PieceTree;
using unigram::ScoredPiece;
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

}  // namespace

struct UnigramTrainer::State {
  explicit State(UnigramTrainerOptions options) : intake(std::move(options)) {}

  void report(Step step, const PieceTree& tree, int32_t iteration, double objective) const {
    if (!intake.options().progress) return;
    intake.options().progress({step, static_cast<int64_t>(tree.pieces.size()), iteration, objective});
  }

  void run_em(const unigram::TrainingText& text, PieceTree& tree) {
    const UnigramTrainerOptions& options = intake.options();
    ThreadPool& threads = intake.threads();
    const auto desired = static_cast<size_t>(options.vocab_size * 1.1);
    const auto check = [this] { intake.check_stop(); };
    unigram::Expector expector(text, threads, check);
    double all_words = 0;
    for (const unigram::TrainingText::Word& word : text.words) all_words += static_cast<double>(word.count);
    for (int32_t iteration = 1;; ++iteration) {
      for (int32_t i = 0; i < options.num_sub_iterations; ++i) {
        intake.check_stop();
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

  unigram::SentenceIntake intake;
};

UnigramTrainer::UnigramTrainer(UnigramTrainerOptions options) : state_(std::make_unique<State>(std::move(options))) {}
UnigramTrainer::~UnigramTrainer() = default;
UnigramTrainer::UnigramTrainer(UnigramTrainer&&) noexcept = default;
UnigramTrainer& UnigramTrainer::operator=(UnigramTrainer&&) noexcept = default;

void UnigramTrainer::add(std::string_view sentence) { state_->intake.add(sentence); }
void UnigramTrainer::add_lines(std::string_view text) { state_->intake.add_lines(text); }
uint64_t UnigramTrainer::sentences() const noexcept { return state_->intake.sentences(); }
uint64_t UnigramTrainer::sentences_left_out() const noexcept { return state_->intake.left_out(); }

TokenizerSpec UnigramTrainer::train() {
  State& s = *state_;
  unigram::SentenceIntake& intake = s.intake;
  const UnigramTrainerOptions& options = intake.options();
  intake.check_stop();
  const unigram::TrainingText text =
      unigram::make_training_text(intake.words(), options.required_chars, options.character_coverage);
  intake.check_any(!text.words.empty());
  intake.check_fits(text.required.size());
  intake.check_stop();
  PieceTree tree =
      unigram::make_seed_pieces(text, intake.piece_rules(), options.seed_sentencepiece_size, intake.threads());
  s.report(Step::seeds, tree, 0, 0);
  s.run_em(text, tree);
  const size_t size = static_cast<size_t>(options.vocab_size) - intake.special().size();
  const std::vector<ScoredPiece> pieces = choose(text, tree, size);
  s.report(Step::finished, tree, 0, 0);
  return unigram::make_trained_model(options, intake.special(), model::SentencePiece::Type::unigram, pieces);
}

}  // namespace sesame
