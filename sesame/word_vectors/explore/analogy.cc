#include "sesame/word_vectors/explore/analogy.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "sesame/base/error.h"

namespace sesame {
namespace {

void check_dim(const VectorSearch& search, const std::vector<std::vector<float>>& terms) {
  for (const std::vector<float>& term : terms) {
    if (static_cast<int64_t>(term.size()) != search.dim()) {
      fail(fmt::format("analogy: a vector of {} numbers among vectors of {}", term.size(), search.dim()));
    }
  }
}

std::vector<Neighbor> solve_by_sum(const VectorSearch& search, const AnalogyTerms& terms, int64_t count) {
  std::vector<float> sum(static_cast<size_t>(search.dim()));
  const auto add = [&](const std::vector<float>& term, float sign) {
    const std::vector<float> unit = unit_vector(term);
    for (size_t d = 0; d < sum.size(); ++d) sum[d] += sign * unit[d];
  };
  for (const std::vector<float>& term : terms.positive) add(term, 1);
  for (const std::vector<float>& term : terms.negative) add(term, -1);
  if (std::all_of(sum.begin(), sum.end(), [](float x) { return x == 0; })) {
    fail("analogy: the words cancel each other out; nothing is left to look for");
  }
  return search.nearest(sum, count, terms.excluded);
}

std::vector<Neighbor> solve_by_product(const VectorSearch& search, const AnalogyTerms& terms, int64_t count) {
  const auto shifted = [&](const std::vector<float>& term) {
    std::vector<float> cosines(static_cast<size_t>(search.size()));
    search.cosines(unit_vector(term), 1, cosines);
    shift_cosines(cosines);
    return cosines;
  };
  std::vector<float> scores(static_cast<size_t>(search.size()), 1.0F), divisor = scores;
  for (const std::vector<float>& term : terms.positive) {
    const std::vector<float> factor = shifted(term);
    for (size_t i = 0; i < scores.size(); ++i) scores[i] *= factor[i];
  }
  for (const std::vector<float>& term : terms.negative) {
    const std::vector<float> factor = shifted(term);
    for (size_t i = 0; i < scores.size(); ++i) divisor[i] *= factor[i];
  }
  for (size_t i = 0; i < scores.size(); ++i) scores[i] /= divisor[i] + kMultiplyEpsilon;
  return best_scores(scores, count, terms.excluded, search.threads());
}

/// The words of many questions, each once, and the questions in terms of them.
struct DistinctWords {
  RowTable units;  // [words, dim]
  std::vector<AnalogyRows> questions;
};

DistinctWords distinct_words(const VectorSearch& search, std::span<const AnalogyIds> questions) {
  std::vector<int32_t> row_of(static_cast<size_t>(search.size()), -1);
  std::vector<int32_t> ids;
  DistinctWords words;
  const auto row = [&](int32_t id) {
    if (id < 0 || id >= search.size()) fail(fmt::format("analogy: {} is no id of {} words", id, search.size()));
    int32_t& at = row_of[static_cast<size_t>(id)];
    if (at < 0) {
      at = static_cast<int32_t>(ids.size());
      ids.push_back(id);
    }
    return at;
  };
  words.questions.reserve(questions.size());
  for (const AnalogyIds& q : questions) {
    const int32_t a = row(q.a), b = row(q.b);
    words.questions.push_back({a, b, row(q.c)});
  }
  words.units = RowTable(static_cast<int64_t>(ids.size()), search.dim());
  for (size_t i = 0; i < ids.size(); ++i) {
    const std::span<const float> unit = search.unit(ids[i]);
    std::copy(unit.begin(), unit.end(), words.units.row(static_cast<int64_t>(i)));
  }
  return words;
}

/// Columns of a tile: so many that the cosines of all words with them take about half of a usual L2 cache.
int64_t tile_columns(int64_t words) {
  constexpr int64_t kTileFloats = int64_t{128} << 10;
  return std::clamp<int64_t>(kTileFloats / words / kMostPanelColumns * kMostPanelColumns, kMostPanelColumns, 512);
}

/// What one thread has found, and its room to work in.
struct Answers {
  std::vector<float> score;  // a question each
  std::vector<int32_t> id;
  std::vector<int32_t> reaching;
  std::vector<float> tile, panel, scores;

  Answers(size_t questions, int64_t words, int64_t columns, int64_t dim)
      : score(questions, -std::numeric_limits<float>::infinity()),
        id(questions, -1),
        reaching(questions),
        tile(static_cast<size_t>(words * columns)),
        panel(static_cast<size_t>(row_stride(dim) * kMostPanelColumns)),
        scores(static_cast<size_t>(columns)) {}

  void offer(size_t question, float new_score, int32_t new_id) {
    if (comes_before({new_id, new_score}, {id[question], score[question]})) {
      score[question] = new_score;
      id[question] = new_id;
    }
  }
};

/// Moves the answers on by the vocabulary's words [first, first + count).
void search_tile(const VectorSearch& search, const DistinctWords& words, std::span<const AnalogyIds> questions,
                 AnalogyRule rule, int64_t first, int64_t count, int64_t columns, Answers& answers) {
  const RowSpan units{words.units.row(0), words.units.rows, words.units.dim, words.units.stride};
  multiply_rows(units, search.view(first, count), answers.panel.data(), answers.tile.data(), columns);
  if (rule == AnalogyRule::multiply) shift_cosines(answers.tile);
  const CosineTile tile{answers.tile.data(), columns};
  const int64_t reaching =
      questions_reaching(tile, rule, words.questions, answers.score.data(), answers.reaching.data());
  for (int64_t r = 0; r < reaching; ++r) {
    const auto q = static_cast<size_t>(answers.reaching[static_cast<size_t>(r)]);
    analogy_scores(tile, rule, words.questions[q], answers.scores.data());
    for (int64_t i = 0; i < count; ++i) {
      const float score = answers.scores[static_cast<size_t>(i)];
      const auto id = static_cast<int32_t>(first + i);
      if (score < answers.score[q] || id == questions[q].a || id == questions[q].b || id == questions[q].c) continue;
      answers.offer(q, score, id);
    }
  }
}

}  // namespace

AnalogyRule parse_analogy_rule(std::string_view text) {
  if (text == "add") return AnalogyRule::add;
  if (text == "mul") return AnalogyRule::multiply;
  fail_usage(fmt::format("\"{}\" is no rule for analogies; there are add (3CosAdd) and mul (3CosMul)", text));
}

std::string_view name_of(AnalogyRule rule) { return rule == AnalogyRule::add ? "add" : "mul"; }

std::vector<Neighbor> solve_analogy(const VectorSearch& search, const AnalogyTerms& terms, AnalogyRule rule,
                                    int64_t count) {
  if (terms.positive.empty() && terms.negative.empty()) fail("analogy: there is no word to start from");
  check_dim(search, terms.positive);
  check_dim(search, terms.negative);
  return rule == AnalogyRule::add ? solve_by_sum(search, terms, count) : solve_by_product(search, terms, count);
}

std::vector<int32_t> solve_analogies(const VectorSearch& search, std::span<const AnalogyIds> questions,
                                     AnalogyRule rule) {
  if (questions.empty()) return {};
  const DistinctWords words = distinct_words(search, questions);
  const int64_t columns = tile_columns(words.units.rows);
  ThreadPool& threads = search.threads();
  std::vector<Answers> answers(static_cast<size_t>(threads.threads()),
                               Answers(questions.size(), words.units.rows, columns, search.dim()));
  threads.run((search.size() + columns - 1) / columns, [&](int64_t block, int thread) {
    const int64_t first = block * columns;
    search_tile(search, words, questions, rule, first, std::min(columns, search.size() - first), columns,
                answers[static_cast<size_t>(thread)]);
  });
  Answers& best = answers.front();
  for (const Answers& other : answers) {
    for (size_t q = 0; q < questions.size(); ++q) {
      if (other.id[q] >= 0) best.offer(q, other.score[q], other.id[q]);
    }
  }
  for (size_t q = 0; q < questions.size(); ++q) {
    if (!(best.score[q] > 0)) best.id[q] = -1;
  }
  return best.id;
}

}  // namespace sesame
