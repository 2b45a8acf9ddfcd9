#include "sesame/train/training_text.h"

#include <fmt/format.h>

#include <array>
#include <system_error>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/base/progress.h"
#include "sesame/base/text_format.h"
#include "sesame/corpus/document_reader.h"
#include "sesame/data/prepare.h"
#include "sesame/data/split.h"
#include "sesame/io/byte_stream.h"
#include "sesame/text/bpe/bpe_trainer.h"
#include "sesame/text/character_tokenizer.h"
#include "sesame/text/words/word_counter.h"

namespace sesame {
namespace {

using Sources = std::vector<std::string>;

/// Replaces "-" by a file in the run directory that holds what came from standard input.
Sources with_stored_stdin(Sources sources, const RunDirectory& run) {
  for (std::string& source : sources) {
    if (source != "-") continue;
    const std::filesystem::path stored = run.data() / "stdin.txt";
    std::error_code ignored;
    if (!std::filesystem::exists(stored, ignored)) {
      make_directories(run.data());
      const std::unique_ptr<ByteReader> in = open_bytes("-");
      std::vector<char> block(1 << 16);
      write_file_atomically(stored, [&](FileWriter& out) {
        while (const size_t n = in->read(block)) out.write(std::string_view(block.data(), n));
      });
    }
    source = stored.string();
  }
  return sources;
}

CorpusOptions corpus_options(const DataOptions& data) {
  CorpusOptions options;
  options.format = parse_corpus_format(data.format, "data.format");
  options.boundary = parse_document_boundary(data.boundary, "data.boundary");
  options.text_field = data.text_field;
  return options;
}

/// Calls use(text) for every piece of the sources.
template <typename Use>
void read_documents(const Sources& sources, const CorpusOptions& options, Use use) {
  Progress progress("reading", 0);
  DocumentReader reader(sources, options);
  while (const std::optional<DocumentPiece> piece = reader.next()) {
    use(piece->text);
    if (progress.due()) progress.update(reader.counts().bytes, "bytes");
  }
  progress.finish(Progress::End::clear);
}

Tokenizer train_bpe(const TokenizerOptions& options, const Sources& train, const CorpusOptions& corpus, int threads) {
  WordCounter words(split_pattern(options.pattern), {"<|endoftext|>"}, threads);
  read_documents(train, corpus, [&](std::string_view text) { words.add(text); });
  Progress progress("tokenizer", static_cast<uint64_t>(options.vocab_size));
  BpeTrainerOptions trainer;
  trainer.vocabulary_size = static_cast<int32_t>(options.vocab_size);
  trainer.threads = threads;
  trainer.progress = [&](const BpeTrainerProgress& p) {
    progress.update(static_cast<uint64_t>(p.vocabulary), "tokens");
  };
  Tokenizer tokenizer = train_byte_level_bpe(words, trainer);
  progress.finish(Progress::End::clear);
  return tokenizer;
}

Tokenizer make_tokenizer(const TokenizerOptions& options, const Sources& train, const Sources& validation,
                         const CorpusOptions& corpus, int threads) {
  if (!options.path.empty()) return Tokenizer::load(options.path);
  if (options.type == "byte-bpe") return train_bpe(options, train, corpus, threads);
  CharacterTrainer trainer;
  for (const Sources& sources : {train, validation})
    if (!sources.empty()) read_documents(sources, corpus, [&](std::string_view text) { trainer.add(text); });
  return trainer.train();
}

Tokenizer tokenizer_of_run(const Recipe& recipe, const RunDirectory& run, const Sources& train,
                           const Sources& validation, const CorpusOptions& corpus, int threads) {
  std::error_code ignored;
  if (std::filesystem::exists(run.tokenizer(), ignored)) return Tokenizer::load(run.tokenizer());
  Tokenizer tokenizer = make_tokenizer(recipe.tokenizer, train, validation, corpus, threads);
  tokenizer.save(run.tokenizer());
  return tokenizer;
}

TokenStream tokenize(const Sources& sources, const Tokenizer& tokenizer, const CorpusOptions& corpus,
                     const RunDirectory& run, int threads) {
  PrepareOptions options;
  options.corpus = corpus;
  options.cache_directory = run.data();
  options.vocabulary_size = static_cast<uint64_t>(tokenizer.vocabulary_size());
  options.tokenizer_fingerprint = tokenizer.fingerprint();
  options.end_of_document = tokenizer.end_of_text();
  options.threads = threads;
  Progress progress("tokenising", 0);
  const PreparedCorpus prepared = prepare_tokens(
      sources, options,
      [&](std::string_view text, std::vector<int32_t>& ids) { tokenizer.encode_append(text, {}, ids); },
      [&](const PrepareProgress& p) { progress.update(p.bytes_done, fmt::format("bytes, {} tokens", p.tokens_done)); });
  progress.finish(Progress::End::clear);
  if (prepared.bad_lines > 0)
    fmt::print(stderr, "data: skipped {} unreadable lines, the first: {}\n", prepared.bad_lines,
               prepared.first_bad_lines.empty() ? "" : prepared.first_bad_lines.front());
  return prepared.tokens;
}

void check_length(const TokenStream& tokens, int64_t context, const std::string& what, const char* advice) {
  if (tokens.size() > static_cast<uint64_t>(context)) return;
  fail(fmt::format("{} has {} tokens, and a sequence of train.context = {} needs {}; {}", what, tokens.size(), context,
                   context + 1, advice));
}

}  // namespace

TrainingText prepare_text(const Recipe& recipe, const RunDirectory& run, int threads) {
  const DataOptions& data = recipe.data;
  if (data.train.empty()) fail_usage("data.train names no text; set it in the recipe or with --set data.train=FILE");
  const CorpusOptions corpus = corpus_options(data);
  Sources all = data.train;
  all.insert(all.end(), data.validation.begin(), data.validation.end());
  expand_sources(all);  // a missing file is reported before any work is done
  const Sources train = with_stored_stdin(data.train, run);
  const Sources validation = with_stored_stdin(data.validation, run);

  TrainingText text{tokenizer_of_run(recipe, run, train, validation, corpus, threads), {}, {}};
  text.train = tokenize(train, text.tokenizer, corpus, run, threads);
  if (!validation.empty()) {
    text.validation = tokenize(validation, text.tokenizer, corpus, run, threads);
  } else {
    Split split = split_tail(text.train, data.validation_fraction);
    text.train = std::move(split.train);
    text.validation = std::move(split.validation);
  }
  const int64_t context = recipe.train.context;
  check_length(text.train, context, fmt::format("the training text ({})", fmt::join(data.train, ", ")),
               "give more text or lower train.context");
  const bool evaluates = !validation.empty() || data.validation_fraction > 0;
  if (evaluates)
    check_length(text.validation, context, "the validation text",
                 "give more text, raise data.validation_fraction (0: no evaluation) or lower train.context");
  return text;
}

}  // namespace sesame
