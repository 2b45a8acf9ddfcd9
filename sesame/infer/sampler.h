#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace sesame {

/// How the next token is drawn from logits. The steps, in transformers' order:
/// 1. repetition penalty p: logits of tokens in the context are divided by p where positive, multiplied where negative
///    (Keskar et al. 2019);
/// 2. temperature: logits / temperature; 0 means the largest logit (the lowest id among equals), and 3 to 5 have no
/// effect;
/// 3. top-k: the k largest stay (with those equal to the k-th); 0 is off;
/// 4. top-p: the fewest most probable tokens whose probabilities reach p stay (Holtzman et al. 2020); 1 is off;
/// 5. min-p: tokens with at least min_p times the largest probability stay (Nguyen et al. 2024); 0 is off;
/// 6. one draw from what is left.
struct SamplingOptions {
  double temperature = 1;
  int64_t top_k = 0;
  double top_p = 1;
  double min_p = 0;
  double repetition_penalty = 1;
};

/// Throws usage Error naming the option that is out of range.
void check(const SamplingOptions& options);

/// Draws tokens; holds the memory that this takes.
class Sampler {
 public:
  explicit Sampler(SamplingOptions options);

  /// The next token. `logits` are changed. `context` holds the tokens that the penalty concerns; `uniform` in [0, 1) is
  /// the draw.
  int32_t sample(std::span<float> logits, std::span<const int32_t> context, double uniform);

 private:
  struct Candidate {
    double weight;  // probability relative to the most probable token's
    int32_t id;
  };
  static bool before(const Candidate& a, const Candidate& b) {
    return a.weight != b.weight ? a.weight > b.weight : a.id < b.id;
  }

  void keep_top_k();
  void keep_top_p();
  [[nodiscard]] int32_t draw(double uniform) const;

  SamplingOptions options_;
  std::vector<Candidate> candidates_;
  std::vector<bool> seen_;
};

}  // namespace sesame
