#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "sesame/base/error.h"
#include "sesame/base/interrupt.h"
#include "sesame/base/progress.h"
#include "sesame/base/text_format.h"
#include "sesame/cli/tokenizer.h"
#include "sesame/corpus/document_reader.h"
#include "sesame/text/bpe/bpe_trainer.h"
#include "sesame/text/bpe/character_bpe_trainer.h"
#include "sesame/text/bpe/sentencepiece_bpe_trainer.h"
#include "sesame/text/character_tokenizer.h"
#include "sesame/text/files/save_tokenizer.h"
#include "sesame/text/sentencepiece/charsmap.h"
#include "sesame/text/split/split_pattern.h"
#include "sesame/text/unigram/train/unigram_trainer.h"
#include "sesame/text/wordpiece/wordpiece_trainer.h"
#include "sesame/text/words/word_counter.h"

namespace sesame {
namespace {

struct TrainArguments {
  std::vector<std::string> files;
  std::string format = "auto";
  std::string text_field = "text";
  std::string out;
  std::string type = "byte-bpe";
  int64_t vocab_size = 4096;
  std::string pattern = "gpt2";
  std::vector<std::string> special;
  int64_t min_frequency = 2;
  std::string tie = "hugging-face";
  int64_t max_token_length = 0;
  double coverage = 0.9995;
  bool byte_fallback = false;
  bool split_digits = false;
  std::string normalization = "nmt_nfkc";
  std::vector<std::string> user_symbols;
  bool cased = false;
  std::string memory = "4GiB";
  int threads = 0;
  bool resume = false;
};

/// Thrown when the user ends the work; what was counted is safe.
[[noreturn]] void fail_interrupted(const std::string& what) { fail(fmt::format("interrupted: {}", what)); }

CorpusOptions corpus_options(const TrainArguments& a) {
  CorpusOptions corpus;
  corpus.format = parse_corpus_format(a.format, "--format");
  corpus.text_field = a.text_field;
  return corpus;
}

/// Calls add(text) for each document, or piece of a long one, that comes after `skip`. Returns false where the user
/// ended it.
template <typename Add>
bool read_documents(const TrainArguments& a, uint64_t skip, Add add) {
  DocumentReader reader(a.files, corpus_options(a));
  Progress progress("counting", 0);
  for (uint64_t number = 0; const std::optional<DocumentPiece> piece = reader.next(); ++number) {
    if (InterruptGuard::interrupted()) return false;
    if (number < skip) continue;
    add(piece->text);
    if (progress.due()) progress.update(reader.counts().bytes, "bytes");
  }
  progress.finish(Progress::End::clear);
  return true;
}

std::filesystem::path counts_path(const TrainArguments& a) { return a.out + ".counts"; }

/// Counts words, from where an interrupted run ended with --resume; keeps what was counted when it is interrupted.
void count_words(const TrainArguments& a, WordCounter& words) {
  const std::filesystem::path saved = counts_path(a);
  std::error_code ignored;
  if (a.resume && std::filesystem::exists(saved, ignored)) {
    words.load(saved);
    fmt::print(stderr, "{}: {} documents were counted before\n", saved.string(), words.documents());
  }
  if (read_documents(a, words.documents(), [&](std::string_view text) { words.add(text); })) return;
  words.save(saved);
  fail_interrupted(
      fmt::format("the counts of {} documents are in {}; the same command with --resume goes on from there",
                  words.documents(), saved.string()));
}

/// `special`: the special tokens where the user names none.
WordCounterOptions counter_options(const TrainArguments& a, const std::vector<std::string>& special) {
  WordCounterOptions options;
  options.special_tokens = a.special.empty() || a.type == "wordpiece" ? special : a.special;
  options.threads = a.threads;
  options.memory_bytes = parse_bytes(a.memory, "--memory");
  options.keep_order = a.tie == "minbpe";
  return options;
}

/// The options by which known trainers are reproduced.
BpeTrainerOptions bpe_options(const TrainArguments& a) {
  BpeTrainerOptions options;
  options.vocabulary_size = static_cast<int32_t>(a.vocab_size);
  options.min_frequency = a.min_frequency;
  options.threads = a.threads;
  if (a.max_token_length > 0) options.max_token_length = static_cast<uint64_t>(a.max_token_length);
  if (a.tie == "subword-nmt") options.tie = BpeTie::greatest_bytes;
  if (a.tie == "youtokentome") options.tie = BpeTie::earliest_tokens;
  if (a.tie == "minbpe") options.tie = BpeTie::first_position;
  if (a.tie == "rustbpe" || a.tie == "minbpe") {
    options.ids = BpeIds::tiktoken;
    options.one_id_per_token = false;
  }
  return options;
}

/// Shows merges, and keeps the counts when the user ends the work.
class MergeProgress {
 public:
  MergeProgress(const TrainArguments& a, const WordCounter& words)
      : a_(a), words_(words), bar_("merging", static_cast<uint64_t>(a.vocab_size)) {}

  void operator()(const BpeTrainerProgress& p) {
    bar_.update(static_cast<uint64_t>(p.vocabulary), fmt::format("tokens, {}", human_bytes(p.memory_bytes)));
    if (!InterruptGuard::interrupted()) return;
    words_.save(counts_path(a_));
    fail_interrupted(fmt::format("all words are counted, in {}; the same command with --resume goes on from there",
                                 counts_path(a_).string()));
  }

 private:
  const TrainArguments& a_;
  const WordCounter& words_;
  Progress bar_;
};

Tokenizer train_byte_bpe(const TrainArguments& a) {
  WordCounter words(split_pattern(a.pattern), counter_options(a, {"<|endoftext|>"}));
  count_words(a, words);
  BpeTrainerOptions options = bpe_options(a);
  MergeProgress progress(a, words);
  options.progress = [&](const BpeTrainerProgress& p) { progress(p); };
  return train_byte_level_bpe(words, options);
}

/// Words begin with U+2581, as in SentencePiece.
TokenizerSpec metaspace_stages(const TrainArguments& a) {
  TokenizerSpec stages;
  stages.pre_tokenizers.emplace_back(pre_tokenizer::Metaspace{});
  if (!a.byte_fallback) {
    stages.decoders.emplace_back(decoder::Metaspace{});
    return stages;
  }
  stages.decoders = {decoder::Replace{{pre_tokenizer::Metaspace{}.replacement, false}, " "}, decoder::ByteFallback{},
                     decoder::Fuse{}, decoder::Strip{" ", 1, 0}};
  return stages;
}

Tokenizer train_character_bpe(const TrainArguments& a) {
  const TokenizerSpec stages = metaspace_stages(a);
  WordCounter words(words_of_pipeline(stages, "bpe"), "metaspace", counter_options(a, {"<unk>", "<s>", "</s>"}));
  count_words(a, words);
  CharacterBpeOptions options;
  options.vocabulary_size = static_cast<int32_t>(a.vocab_size);
  options.min_frequency = a.min_frequency;
  options.special_tokens = words.special_tokens();
  options.character_coverage = a.coverage;
  options.byte_fallback = a.byte_fallback;
  options.threads = a.threads;
  if (a.max_token_length > 0) options.max_token_length = static_cast<uint64_t>(a.max_token_length);
  MergeProgress progress(a, words);
  options.progress = [&](const BpeTrainerProgress& p) { progress(p); };
  return Tokenizer(sesame::train_character_bpe(words.counts(), stages, options));
}

Tokenizer train_wordpiece(const TrainArguments& a) {
  WordPieceTrainerOptions options;
  options.vocabulary_size = static_cast<int32_t>(a.vocab_size);
  options.min_frequency = a.min_frequency;
  options.special_tokens.insert(options.special_tokens.end(), a.special.begin(), a.special.end());
  options.normalizer.lowercase = !a.cased;
  options.threads = a.threads;
  WordCounter words(words_of_pipeline(bert_stages(options), "wordpiece"), a.cased ? "BERT, cased" : "BERT, uncased",
                    counter_options(a, options.special_tokens));
  count_words(a, words);
  MergeProgress progress(a, words);
  options.progress = [&](const BpeTrainerProgress& p) { progress(p); };
  return Tokenizer(sesame::train_wordpiece(words.counts(), options));
}

/// What SentencePiece's trainers share; their names are spm_train's.
UnigramTrainerOptions sentencepiece_options(const TrainArguments& a) {
  UnigramTrainerOptions options;
  options.vocab_size = static_cast<int32_t>(a.vocab_size);
  options.character_coverage = static_cast<float>(a.coverage);
  options.byte_fallback = a.byte_fallback;
  options.split_digits = a.split_digits;
  options.user_defined_symbols = a.user_symbols;
  options.control_symbols = a.special;
  options.threads = a.threads;
  options.count_bytes = parse_bytes(a.memory, "--memory");
  options.normalizer.charsmap = make_charsmap(a.normalization);
  options.stop = [] { return InterruptGuard::interrupted(); };
  return options;
}

template <typename Trainer>
Tokenizer train_on_lines(const TrainArguments& a, Trainer& trainer) {
  if (!read_documents(a, 0, [&](std::string_view text) { trainer.add_lines(text); })) {
    fail_interrupted("nothing was written");
  }
  Tokenizer tokenizer(trainer.train());
  if (trainer.sentences_left_out() > 0) {
    fmt::print(stderr, "left out {} lines longer than 4192 bytes\n", trainer.sentences_left_out());
  }
  return tokenizer;
}

Tokenizer train_unigram(const TrainArguments& a) {
  UnigramTrainerOptions options = sentencepiece_options(a);
  Progress progress("unigram", 0);
  options.progress = [&](const UnigramTrainerProgress& p) {
    progress.update(static_cast<uint64_t>(p.pieces), fmt::format("pieces, loss {:.4f}", p.objective));
  };
  UnigramTrainer trainer(std::move(options));
  return train_on_lines(a, trainer);
}

Tokenizer train_sentencepiece_bpe(const TrainArguments& a) {
  Progress progress("merging", static_cast<uint64_t>(a.vocab_size));
  SentencePieceBpeTrainer trainer(sentencepiece_options(a), [&](const BpeTrainerProgress& p) {
    progress.update(static_cast<uint64_t>(p.vocabulary), "tokens");
    if (InterruptGuard::interrupted()) fail_interrupted("nothing was written");
  });
  return train_on_lines(a, trainer);
}

Tokenizer train_characters(const TrainArguments& a) {
  CharacterTrainer trainer;
  if (!read_documents(a, 0, [&](std::string_view text) { trainer.add(text); })) fail_interrupted("nothing was written");
  return trainer.train();
}

Tokenizer train(const TrainArguments& a) {
  if (a.type == "unigram") return train_unigram(a);
  if (a.type == "sentencepiece-bpe") return train_sentencepiece_bpe(a);
  if (a.type == "bpe") return train_character_bpe(a);
  if (a.type == "wordpiece") return train_wordpiece(a);
  if (a.type == "character") return train_characters(a);
  return train_byte_bpe(a);
}

void save(const TrainArguments& a, const Tokenizer& tokenizer) {
  std::error_code ignored;
  if (std::filesystem::is_directory(a.out, ignored)) return tokenizer.save(a.out);
  save_tokenizer(tokenizer.spec(), a.out, tokenizer_format_of_file(a.out));
}

void run_train(const TrainArguments& a) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(a.out, ignored))
    (void)tokenizer_format_of_file(a.out);  // before the work, not behind it
  const InterruptGuard guard;
  const Tokenizer tokenizer = train(a);
  save(a, tokenizer);
  std::filesystem::remove(counts_path(a), ignored);
  fmt::print(stderr, "{}: {} tokens\n", a.out, tokenizer.vocabulary_size());
}

}  // namespace

void add_tokenizer_train(CLI::App& app, int&) {
  auto a = std::make_shared<TrainArguments>();
  app.add_option("FILES", a->files, "text or jsonl, also .gz or .zst: files, globs, or - for standard input")
      ->required();
  app.add_option("--out", a->out, "tokenizer.json, NAME.model, vocab.txt ..., or a directory that exists")->required();
  app.add_option("--type", a->type,
                 "byte-bpe (GPT), bpe (characters), sentencepiece-bpe, wordpiece (BERT), unigram (T5), character")
      ->check(CLI::IsMember({"byte-bpe", "bpe", "sentencepiece-bpe", "wordpiece", "unigram", "character"}));
  app.add_option("--vocab-size", a->vocab_size, "tokens in all, special ones and bytes included")
      ->check(CLI::Range(1, 1 << 21));
  app.add_option("--pattern", a->pattern,
                 "byte-bpe: how words are split: gpt2, cl100k, o200k, llama3, qwen2 and others");
  app.add_option("--special", a->special, "a special token, first in the vocabulary; may be repeated")
      ->option_text("TOKEN")
      ->allow_extra_args(false);
  app.add_option("--min-frequency", a->min_frequency, "BPE, WordPiece: rarer pairs are not merged");
  app.add_option(
         "--tie", a->tie,
         "byte-bpe: which of equally frequent pairs is first, as in hugging-face, rustbpe, minbpe, subword-nmt, "
         "youtokentome")
      ->check(CLI::IsMember({"hugging-face", "rustbpe", "minbpe", "subword-nmt", "youtokentome"}));
  app.add_option("--max-token-length", a->max_token_length, "BPE: longer tokens are not made; 0: any length");
  app.add_option("--coverage", a->coverage, "SentencePiece: share of the text's characters that the vocabulary holds")
      ->check(CLI::Range(0.5, 1.0));
  app.add_flag("--byte-fallback", a->byte_fallback, "bytes for the characters that the vocabulary lacks");
  app.add_flag("--split-digits", a->split_digits, "SentencePiece: each digit is a piece");
  app.add_option("--normalization", a->normalization, "SentencePiece: nmt_nfkc, nfkc, nmt_nfkc_cf, nfkc_cf, identity");
  app.add_option("--user-symbol", a->user_symbols, "SentencePiece: a piece that is never split; may be repeated")
      ->option_text("PIECE")
      ->allow_extra_args(false);
  app.add_flag("--cased", a->cased, "wordpiece: keep upper case and accents");
  app.add_option("--memory", a->memory, "for counting words; beyond it counts go to temporary files");
  app.add_option("--threads", a->threads, "0: one per processor; the result is the same for any number")
      ->check(CLI::Range(0, 1024));
  app.add_flag("--resume", a->resume, "go on from the counts that an interrupted run left");
  app.add_option("--format", a->format, "of the input: auto (by name), txt or jsonl");
  app.add_option("--text-field", a->text_field, "field of a jsonl line that holds the text");
  app.footer(
      "Example:\n  sesame tokenizer train book.txt --vocab-size 4096 --out tokenizer.json\n"
      "  sesame tokenizer train corpus/*.jsonl.zst --type unigram --vocab-size 32000 --out t5.model");
  app.callback([a] { run_train(*a); });
}

}  // namespace sesame
