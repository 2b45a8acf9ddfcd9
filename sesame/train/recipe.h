#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "sesame/train/option.h"

namespace sesame {

/// What to learn from.
struct DataOptions {
  std::vector<std::string> train;
  std::vector<std::string> validation;
  double validation_fraction = 0.1;
  std::string format = "auto";
  std::string boundary = "file";
  std::string text_field = "text";

  static constexpr auto options = std::make_tuple(
      Option{"train", &DataOptions::train,
             "text to learn from: a file, a glob, \"-\" (standard input) or a list of them"},
      Option{"validation", &DataOptions::validation,
             "text to evaluate on; empty: the last validation_fraction of the training tokens"},
      Option{"validation_fraction", &DataOptions::validation_fraction,
             "share of the tokens that is kept for evaluation when `validation` is empty", Bounds{0, 1, true}},
      Option{"format", &DataOptions::format, "form of the files; auto goes by their names", Bounds{}, "auto|txt|jsonl"},
      Option{"boundary", &DataOptions::boundary, "where a document of a text file ends", Bounds{},
             "file|line|blank-line"},
      Option{"text_field", &DataOptions::text_field, "field of a jsonl line that holds the text"});
};

/// How text becomes tokens.
struct TokenizerOptions {
  std::string path;
  std::string type = "byte-bpe";
  int64_t vocab_size = 4096;
  std::string pattern = "gpt2";

  static constexpr auto options = std::make_tuple(
      Option{"path", &TokenizerOptions::path, "an existing tokenizer.json or model directory; empty: train one"},
      Option{"type", &TokenizerOptions::type, "kind of tokenizer to train", Bounds{}, "byte-bpe|character"},
      Option{"vocab_size", &TokenizerOptions::vocab_size, "tokens of a byte-bpe, special tokens and bytes included",
             Bounds{257, 1 << 21}},
      Option{"pattern", &TokenizerOptions::pattern, "pre-tokenizer of a byte-bpe: whose rule for splitting words",
             Bounds{}, "gpt2|cl100k|o200k|llama3|qwen2"});
};

/// The network, in Hugging Face's names. Where the two families name one thing differently, a recipe may use either
/// name (not both); a key that only the other family has is an error. 0 stands for the default that the line's text
/// names.
struct ModelOptions {
  std::string model_type = "gpt2";
  int64_t vocab_size = 0;
  int64_t n_positions = 0;
  int64_t n_embd = 384;
  int64_t n_layer = 6;
  int64_t n_head = 6;
  int64_t num_key_value_heads = 0;
  int64_t n_inner = 0;
  double norm_epsilon = 1e-5;
  double rope_theta = 10000;
  double initializer_range = 0.02;
  bool tie_word_embeddings = true;
  double dropout = 0;

  static constexpr auto options = std::make_tuple(
      Option{"model_type", &ModelOptions::model_type, "family", Bounds{}, "gpt2|llama"},
      Option{"vocab_size", &ModelOptions::vocab_size, "rows of the embedding; 0: as many as the tokenizer has",
             Bounds{0, 1 << 21}},
      Option{"n_positions", &ModelOptions::n_positions, "longest context; 0: train.context", Bounds{0, 1 << 20},
             nullptr, "max_position_embeddings"},
      Option{"n_embd", &ModelOptions::n_embd, "width of the residual stream", Bounds{1, 1 << 16}, nullptr,
             "hidden_size"},
      Option{"n_layer", &ModelOptions::n_layer, "blocks", Bounds{1, 1000}, nullptr, "num_hidden_layers"},
      Option{"n_head", &ModelOptions::n_head, "attention heads; divide the width", Bounds{1, 1024}, nullptr,
             "num_attention_heads"},
      Option{"", &ModelOptions::num_key_value_heads,
             "key and value heads (grouped-query attention); 0: one for each attention head", Bounds{0, 1024}, nullptr,
             "num_key_value_heads"},
      Option{"n_inner", &ModelOptions::n_inner,
             "width inside the feed-forward part; 0: 4 x width (gpt2), 8/3 x width, a multiple of 64 (llama)",
             Bounds{0, 1 << 18}, nullptr, "intermediate_size"},
      Option{"layer_norm_epsilon", &ModelOptions::norm_epsilon, "added to the variance in the norms", Bounds{1e-12, 1},
             nullptr, "rms_norm_eps"},
      Option{"", &ModelOptions::rope_theta, "base of the rotary embedding's wavelengths", Bounds{1, 1e9}, nullptr,
             "rope_theta"},
      Option{"initializer_range", &ModelOptions::initializer_range, "standard deviation of the initial weights",
             Bounds{0, 10}},
      Option{"tie_word_embeddings", &ModelOptions::tie_word_embeddings,
             "use the embedding as output projection too (gpt2: always)"},
      Option{"dropout", &ModelOptions::dropout, "share of activations that is dropped while training",
             Bounds{0, 1, true}});
};

/// AdamW and its schedule.
struct OptimOptions {
  double lr = 1e-3;
  double min_lr = 0;
  std::string schedule = "cosine";
  int64_t warmup_steps = 100;
  double beta1 = 0.9;
  double beta2 = 0.95;
  double epsilon = 1e-8;
  double weight_decay = 0.1;
  double clip = 1;

  static constexpr auto options = std::make_tuple(
      Option{"lr", &OptimOptions::lr, "learning rate after the warm-up", Bounds{0, 100}},
      Option{"min_lr", &OptimOptions::min_lr, "learning rate at the last step (linear, cosine)", Bounds{0, 100}},
      Option{"schedule", &OptimOptions::schedule, "how the learning rate falls", Bounds{}, "constant|linear|cosine"},
      Option{"warmup_steps", &OptimOptions::warmup_steps, "steps over which the learning rate rises from 0",
             Bounds{0, 1e9}},
      Option{"beta1", &OptimOptions::beta1, "decay of the first moment", Bounds{0, 1, true}},
      Option{"beta2", &OptimOptions::beta2, "decay of the second moment", Bounds{0, 1, true}},
      Option{"epsilon", &OptimOptions::epsilon, "added to the root of the second moment", Bounds{0, 1}},
      Option{"weight_decay", &OptimOptions::weight_decay, "decoupled weight decay of matrices and embeddings",
             Bounds{0, 100}},
      Option{"clip", &OptimOptions::clip, "largest global norm of the gradient; 0: no clipping", Bounds{0, 1e9}});
};

/// The run.
struct TrainOptions {
  int64_t steps = 2000;
  int64_t batch_size = 16;
  int64_t context = 256;
  int64_t accumulation = 1;
  int64_t eval_every = 250;
  int64_t eval_batches = 50;
  int64_t checkpoint_every = 250;
  int64_t log_every = 10;
  int64_t seed = 1337;
  int64_t threads = 0;
  std::string sampling = "shuffled";
  std::string memory;
  std::string split = "given";

  static constexpr auto options = std::make_tuple(
      Option{"steps", &TrainOptions::steps, "updates of the parameters", Bounds{1, 1e9}},
      Option{"batch_size", &TrainOptions::batch_size, "sequences in a micro-batch", Bounds{1, 1 << 16}},
      Option{"context", &TrainOptions::context, "tokens in a sequence", Bounds{1, 1 << 20}},
      Option{"accumulation", &TrainOptions::accumulation, "micro-batches whose gradients are averaged for one update",
             Bounds{1, 1 << 16}},
      Option{"eval_every", &TrainOptions::eval_every, "steps between evaluations; 0: only at the end", Bounds{0, 1e9}},
      Option{"eval_batches", &TrainOptions::eval_batches,
             "micro-batches of an evaluation, spread evenly over the validation text; 0: all of it", Bounds{0, 1e9}},
      Option{"checkpoint_every", &TrainOptions::checkpoint_every, "steps between checkpoints; 0: only at the end",
             Bounds{0, 1e9}},
      Option{"log_every", &TrainOptions::log_every, "steps between records in metrics.jsonl", Bounds{1, 1e9}},
      Option{"seed", &TrainOptions::seed, "of initial weights, order of the data and dropout", Bounds{0, 9e15}},
      Option{"threads", &TrainOptions::threads, "processors to use; 0: all. The result does not depend on it",
             Bounds{0, 1024}},
      Option{"sampling", &TrainOptions::sampling, "order of the sequences", Bounds{}, "shuffled|random|sequential"},
      Option{
          "memory", &TrainOptions::memory,
          "most memory that a step may take for values, parameters, gradients and moments: a size such as 1.5GiB, or "
          "auto (90 % of what is free); empty: no limit, and what costs nothing is computed again; keep: nothing is. "
          "The result does not depend on it"},
      Option{"split", &TrainOptions::split,
             "auto: cut batch_size x accumulation sequences into the micro-batches that take the least time in the "
             "memory that there is; the run's recipe.toml has what was chosen",
             Bounds{}, "given|auto"});
};

/// All settings of a training run.
struct Recipe {
  DataOptions data;
  TokenizerOptions tokenizer;
  ModelOptions model;
  OptimOptions optim;
  TrainOptions train;

  bool operator==(const Recipe& other) const;
};

/// Parses TOML text and applies `settings` ("optim.lr=3e-4") in order. `origin` is the file name for messages. Throws
/// usage Error with file and line (or the setting), key, value and what is allowed: for broken TOML, an unknown section
/// or key (naming the nearest), a wrong type, a number out of its bounds, and settings that contradict each other.
Recipe parse_recipe(std::string_view toml, std::string_view origin, std::span<const std::string> settings = {});

/// parse_recipe on a file of at most 1 MiB.
Recipe load_recipe(const std::filesystem::path& path, std::span<const std::string> settings = {});

/// The recipe as TOML, every key written out, in the names of its family: parse_recipe gives back an equal recipe.
std::string to_toml(const Recipe& recipe);

/// Keys in which two recipes differ, "optim.lr", in order.
std::vector<std::string> differing_keys(const Recipe& a, const Recipe& b);

/// Every key with its default, bounds and meaning, for reading.
std::string recipe_reference();

}  // namespace sesame
