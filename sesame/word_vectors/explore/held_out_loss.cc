#include "sesame/word_vectors/explore/held_out_loss.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "sesame/base/error.h"
#include "sesame/base/philox.h"
#include "sesame/word_vectors/words/id_source.h"

namespace sesame {

namespace {

constexpr int64_t kPositionsOfBlock = 512;
enum Stream : uint64_t { kKeep, kWindow, kNoise };

/// Noise words by the inverse of their cumulative distribution.
class NoiseWords {
 public:
  NoiseWords(const Vocabulary& vocabulary, double exponent) {
    double sum = 0;
    for (int32_t id = 0; id < vocabulary.size(); ++id) {
      if (vocabulary.word(id) != "</s>") sum += std::pow(static_cast<double>(vocabulary.count(id)), exponent);
      cumulative_.push_back(sum);
    }
  }
  /// `word`: uniform in 32 bits.
  [[nodiscard]] int32_t draw(uint32_t word) const {
    const double at = (word + 0.5) * 0x1p-32 * cumulative_.back();
    return static_cast<int32_t>(std::upper_bound(cumulative_.begin(), cumulative_.end(), at) - cumulative_.begin());
  }

 private:
  std::vector<double> cumulative_;
};

/// The text without what subsampling drops.
std::vector<int32_t> subsampled(const HeldOutOptions& options, const Vocabulary& vocabulary,
                                const std::vector<int32_t>& ids) {
  if (options.sample <= 0) return ids;
  const Philox random(options.seed, kKeep);
  const double threshold = options.sample * static_cast<double>(vocabulary.total());
  std::vector<int32_t> kept;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] != IdChunk::kSentenceEnd) {
      const double ratio = threshold / static_cast<double>(std::max<uint64_t>(vocabulary.count(ids[i]), 1));
      if (std::sqrt(ratio) + ratio < Philox::uniform(random.word(i, 0))) continue;
    }
    kept.push_back(ids[i]);
  }
  return kept;
}

/// log(1 + exp(-x)) without overflow.
double minus_log_sigmoid(double x) { return x > 0 ? std::log1p(std::exp(-x)) : std::log1p(std::exp(x)) - x; }

double dot(const float* a, const float* b, int64_t dim) {
  double sum = 0;
  for (int64_t d = 0; d < dim; ++d) sum += static_cast<double>(a[d]) * b[d];
  return sum;
}

/// The loss of the pairs whose centre lies in one stretch of the text.
class PairLoss {
 public:
  PairLoss(const HeldOutOptions& options, const NoiseWords& noise, const std::vector<int32_t>& ids,
           const RowTable& input, const RowTable& output)
      : options_(options), noise_(noise), ids_(ids), input_(input), output_(output) {}

  [[nodiscard]] HeldOutLoss sum(int64_t first, int64_t last) const {
    HeldOutLoss sum;
    std::vector<int64_t> contexts;
    std::vector<float> mean(static_cast<size_t>(input_.dim));
    for (int64_t centre = first; centre < last; ++centre) {
      if (id(centre) == IdChunk::kSentenceEnd) continue;
      find_contexts(centre, contexts);
      if (contexts.empty()) continue;
      if (options_.architecture == Architecture::skipgram) {
        for (const int64_t context : contexts) add_pair(centre, context, input_.row(id(context)), sum);
      } else {
        average(contexts, mean);
        add_pair(centre, centre, mean.data(), sum);
      }
    }
    return sum;
  }

 private:
  [[nodiscard]] int32_t id(int64_t position) const { return ids_[static_cast<size_t>(position)]; }

  void find_contexts(int64_t centre, std::vector<int64_t>& contexts) const {
    contexts.clear();
    const auto window = static_cast<uint64_t>(options_.window);
    const uint32_t word = Philox(options_.seed, kWindow).word(static_cast<uint64_t>(centre), 0);
    const auto half_width = static_cast<int64_t>(1 + ((word * window) >> 32));
    for (const int64_t step : {-1, 1}) {
      for (int64_t distance = 1; distance <= half_width; ++distance) {
        const int64_t at = centre + step * distance;
        if (at < 0 || at >= static_cast<int64_t>(ids_.size()) || id(at) == IdChunk::kSentenceEnd) break;
        contexts.push_back(at);
      }
    }
  }

  void average(const std::vector<int64_t>& contexts, std::vector<float>& mean) const {
    for (size_t d = 0; d < mean.size(); ++d) {
      double sum = 0;
      for (const int64_t context : contexts) sum += input_.row(id(context))[d];
      mean[d] = static_cast<float>(sum / static_cast<double>(contexts.size()));
    }
  }

  /// `context` - `centre` tells apart the draws of a centre's pairs.
  void add_pair(int64_t centre, int64_t context, const float* hidden, HeldOutLoss& sum) const {
    const Philox random(options_.seed, kNoise);
    const auto pair = static_cast<uint64_t>(context - centre + options_.window);
    sum.loss += minus_log_sigmoid(dot(hidden, output_.row(id(centre)), input_.dim));
    for (int64_t n = 0; n < options_.negative; ++n) {
      const uint64_t element = pair * static_cast<uint64_t>(options_.negative) + static_cast<uint64_t>(n);
      const int32_t word = noise_.draw(random.word(element, static_cast<uint64_t>(centre)));
      if (word != id(centre)) sum.loss += minus_log_sigmoid(-dot(hidden, output_.row(word), input_.dim));
    }
    ++sum.pairs;
  }

  const HeldOutOptions& options_;
  const NoiseWords& noise_;
  const std::vector<int32_t>& ids_;
  const RowTable& input_;
  const RowTable& output_;
};

void check_tables(const HeldOutOptions& options, const Vocabulary& vocabulary, const RowTable& input,
                  const RowTable& output) {
  if (input.rows != vocabulary.size() || output.rows != vocabulary.size() || input.dim != output.dim) {
    fail(fmt::format(
        "held-out loss: input rows [{}, {}] and output rows [{}, {}] must both be [{}, dim], a row for each "
        "word of the vocabulary; give the output rows that were saved with these vectors",
        input.rows, input.dim, output.rows, output.dim, vocabulary.size()));
  }
  if (vocabulary.total() == 0) {
    fail(
        "held-out loss: the vocabulary has no counts, which decide the noise words; give the one that was trained "
        "with");
  }
  if (options.window < 1 || options.negative < 0) {
    fail_usage(fmt::format("held-out loss: window {} must be at least 1 and negative {} at least 0", options.window,
                           options.negative));
  }
}

}  // namespace

HeldOutText read_held_out_text(const WordSourceOptions& source, const Vocabulary& vocabulary) {
  TextBlocks blocks(source);
  WordSplitter splitter(source);
  HeldOutText text;
  const auto end_sentence = [&] {
    if (!text.ids.empty() && text.ids.back() != IdChunk::kSentenceEnd) text.ids.push_back(IdChunk::kSentenceEnd);
  };
  TextBlock block;
  while (blocks.next(block)) {
    splitter.split(
        block,
        [&](std::string_view word) {
          const int32_t id = vocabulary.find(word);
          ++(id < 0 ? text.unknown_words : text.words);
          if (id >= 0) text.ids.push_back(id);
        },
        end_sentence);
  }
  end_sentence();
  if (text.words == 0) {
    fail(fmt::format("held-out text {}: none of its {} words is in the vocabulary of {} words",
                     fmt::join(source.sources, " "), text.unknown_words, vocabulary.size()));
  }
  return text;
}

RowTable rows_in_order(const WordVectors& model, const Vocabulary& vocabulary) {
  RowTable rows(vocabulary.size(), model.dim());
  for (int32_t id = 0; id < vocabulary.size(); ++id) {
    const int32_t found = model.vocabulary.find(vocabulary.word(id));
    if (found < 0) {
      if (vocabulary.word(id) == "</s>") continue;
      fail(fmt::format("the vectors have no row for \"{}\", word {} of the vocabulary", vocabulary.word(id), id));
    }
    std::memcpy(rows.row(id), model.vectors.row(found), static_cast<size_t>(model.dim()) * sizeof(float));
  }
  return rows;
}

HeldOutLoss held_out_loss(const HeldOutOptions& options, const Vocabulary& vocabulary, const HeldOutText& text,
                          const RowTable& input, const RowTable& output, ThreadPool& threads) {
  check_tables(options, vocabulary, input, output);
  const NoiseWords noise(vocabulary, options.noise_exponent);
  const std::vector<int32_t> ids = subsampled(options, vocabulary, text.ids);
  const PairLoss pairs(options, noise, ids, input, output);

  const auto positions = static_cast<int64_t>(ids.size());
  std::vector<HeldOutLoss> sums(static_cast<size_t>((positions + kPositionsOfBlock - 1) / kPositionsOfBlock));
  threads.run(static_cast<int64_t>(sums.size()), [&](int64_t block, int) {
    const int64_t first = block * kPositionsOfBlock;
    sums[static_cast<size_t>(block)] = pairs.sum(first, std::min(first + kPositionsOfBlock, positions));
  });

  HeldOutLoss total;
  for (const HeldOutLoss& sum : sums) {
    total.loss += sum.loss;
    total.pairs += sum.pairs;
  }
  if (total.pairs == 0) fail("held-out loss: no two words of the text stand in one sentence");
  total.loss /= static_cast<double>(total.pairs);
  return total;
}

}  // namespace sesame
