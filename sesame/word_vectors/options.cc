#include "sesame/word_vectors/options.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "sesame/base/error.h"
#include "sesame/word_vectors/train/block.h"

namespace sesame {
namespace {

void require(bool holds, std::string_view flag, const auto& value, std::string_view allowed) {
  if (!holds) fail_usage(fmt::format("--{}: {} is not {}", flag, value, allowed));
}

template <typename Enum, size_t n>
Enum find(const std::array<Enum, n>& values, std::string_view text, std::string_view flag) {
  std::string allowed;
  for (const Enum value : values) {
    if (name_of(value) == text) return value;
    if (!allowed.empty()) allowed += ", ";
    allowed += name_of(value);
  }
  fail_usage(fmt::format("--{}: \"{}\" is not one of {}", flag, text, allowed));
}

double default_rate(const VectorOptions& options) {
  if (options.architecture == Architecture::skipgram) return 0.025;
  return options.cbow_gradient == CbowGradient::mean ? 0.15 : 0.05;
}

void check_subwords(const VectorOptions& o) {
  require(o.max_n >= 0 && o.max_n <= 64, "max-n", o.max_n, "from 0 to 64");
  if (o.max_n == 0) return;
  require(o.min_n >= 1 && o.min_n <= o.max_n, "min-n", o.min_n, fmt::format("from 1 to --max-n, {}", o.max_n));
  require(o.buckets >= 1 && o.buckets <= 1'000'000'000, "buckets", o.buckets, "from 1 to 1000000000");
}

void check_shortcuts(const VectorOptions& o) {
  require(o.block >= 0 && o.block <= Block::kMaxCentres, "block", o.block,
          fmt::format("from 0 to {}", Block::kMaxCentres));
  require(o.shared_negatives >= 0 && o.shared_negatives <= Block::kMaxNegatives, "shared-negatives", o.shared_negatives,
          fmt::format("from 0 to {}", Block::kMaxNegatives));
  require(o.hot_rows >= 0, "hot-rows", o.hot_rows, "0 or more");
}

}  // namespace

VectorOptions resolved(VectorOptions o) {
  require(o.dim >= 1 && o.dim <= 65536, "dim", o.dim, "from 1 to 65536");
  require(o.window >= 1 && o.window <= 64, "window", o.window, "from 1 to 64");
  require(o.negative >= 1 && o.negative <= 1000, "negative", o.negative, "from 1 to 1000");
  require(std::isfinite(o.sample) && o.sample >= 0, "sample", o.sample, "0 or more");
  require(std::isfinite(o.noise_exponent) && std::abs(o.noise_exponent) <= 10, "noise-exponent", o.noise_exponent,
          "from -10 to 10");
  require(std::isfinite(o.rate) && o.rate >= 0 && o.rate <= 10, "rate", o.rate, "from 0 to 10");
  require(o.epochs >= 1 && o.epochs <= 1'000'000, "epochs", o.epochs, "from 1 to 1000000");
  check_subwords(o);
  check_shortcuts(o);
  if (o.block == 0) o.block = o.architecture == Architecture::skipgram ? 16 : 4;
  if (o.rate == 0) o.rate = default_rate(o);
  if (o.max_n == 0) o.buckets = 0;
  return o;
}

std::string describe(const VectorOptions& o) {
  std::string text = fmt::format("model={} loss={} dim={} window={}{} negative={} sample={} subsampling={}",
                                 name_of(o.architecture), name_of(o.loss), o.dim, o.window,
                                 o.fixed_window ? " fixed-window" : "", o.negative, o.sample, name_of(o.subsampling));
  text += fmt::format(" noise-exponent={} rate={} epochs={} seed={}", o.noise_exponent, o.rate, o.epochs, o.seed);
  if (o.architecture == Architecture::cbow)
    text += o.cbow_gradient == CbowGradient::mean ? " gradient=mean" : " gradient=full";
  if (o.max_n > 0) text += fmt::format(" min-n={} max-n={} buckets={}", o.min_n, o.max_n, o.buckets);
  text += fmt::format(" block={} shared-negatives={} hot-rows={}", o.block, o.shared_negatives, o.hot_rows);
  if (o.deterministic) text += " deterministic";
  return text;
}

Architecture parse_architecture(std::string_view text) {
  return find(std::array{Architecture::skipgram, Architecture::cbow}, text, "model");
}

VectorLoss parse_vector_loss(std::string_view text) {
  return find(std::array{VectorLoss::negative_sampling, VectorLoss::hierarchical_softmax}, text, "loss");
}

SubsamplingRule parse_subsampling_rule(std::string_view text) {
  return find(std::array{SubsamplingRule::code, SubsamplingRule::paper}, text, "subsampling");
}

std::string_view name_of(Architecture architecture) {
  return architecture == Architecture::skipgram ? "skipgram" : "cbow";
}

std::string_view name_of(VectorLoss loss) { return loss == VectorLoss::negative_sampling ? "ns" : "hs"; }

std::string_view name_of(SubsamplingRule rule) { return rule == SubsamplingRule::code ? "code" : "paper"; }

}  // namespace sesame
