#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "sesame/base/error.h"
#include "sesame/base/progress.h"
#include "sesame/cli/verbs.h"
#include "sesame/corpus/document_reader.h"
#include "sesame/io/byte_stream.h"
#include "sesame/text/bpe/bpe_trainer.h"
#include "sesame/text/character_tokenizer.h"
#include "sesame/text/words/word_counter.h"
#include "sesame/train/run_directory.h"

namespace sesame {
namespace {

struct TokenizerArguments {
  std::vector<std::string> files;
  std::string type = "byte-bpe";
  std::string pattern = "gpt2";
  std::string format = "auto";
  std::string text_field = "text";
  int64_t vocab_size = 4096;
  std::string out;
  std::string tokenizer;
  std::string input = "-";
  bool parse_special = false;
  bool json = false;
};

/// A tokenizer.json, or the directory that holds one (of a model or of a run).
Tokenizer load_tokenizer(const std::string& path) {
  std::error_code ignored;
  const bool bare = !std::filesystem::is_directory(path, ignored) ||
                    std::filesystem::exists(std::filesystem::path(path) / "tokenizer.json", ignored);
  return Tokenizer::load(bare ? std::filesystem::path(path) : find_model(path));
}

std::string read_input(const TokenizerArguments& a) {
  const std::unique_ptr<ByteReader> in = open_bytes(a.input);
  return read_all(*in, size_t{1} << 32);
}

template <typename Trainer>
void read_into(Trainer& trainer, const TokenizerArguments& a) {
  CorpusOptions options;
  options.format = parse_corpus_format(a.format, "--format");
  options.text_field = a.text_field;
  DocumentReader reader(a.files, options);
  Progress progress("reading", 0);
  while (const std::optional<DocumentPiece> piece = reader.next()) {
    trainer.add(piece->text);
    if (progress.due()) progress.update(reader.counts().bytes, "bytes");
  }
  progress.finish(Progress::End::clear);
}

Tokenizer train_tokenizer(const TokenizerArguments& a) {
  if (a.type == "character") {
    CharacterTrainer trainer;
    read_into(trainer, a);
    return trainer.train();
  }
  WordCounter words(split_pattern(a.pattern));
  read_into(words, a);
  BpeTrainerOptions options;
  options.vocabulary_size = static_cast<int32_t>(a.vocab_size);
  Progress progress("merging", static_cast<uint64_t>(a.vocab_size));
  options.progress = [&](const BpeTrainerProgress& p) {
    progress.update(static_cast<uint64_t>(p.vocabulary), "tokens");
  };
  Tokenizer tokenizer = train_byte_level_bpe(words, options);
  progress.finish(Progress::End::clear);
  return tokenizer;
}

void run_train(const TokenizerArguments& a) {
  const Tokenizer tokenizer = train_tokenizer(a);
  tokenizer.save(a.out);
  fmt::print(stderr, "{}: {} tokens\n", a.out, tokenizer.vocabulary_size());
}

void run_encode(const TokenizerArguments& a) {
  const Tokenizer tokenizer = load_tokenizer(a.tokenizer);
  const std::vector<int32_t> ids = tokenizer.encode(read_input(a), {.parse_special = a.parse_special});
  if (!a.json) {
    fmt::print("{}\n", fmt::join(ids, " "));
    return;
  }
  nlohmann::ordered_json tokens = nlohmann::ordered_json::array();
  for (const int32_t id : ids) tokens.push_back(std::string(tokenizer.token(id)));
  const nlohmann::ordered_json result = {{"ids", ids}, {"tokens", tokens}, {"count", ids.size()}};
  std::cout << result.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
}

/// Whole numbers between white space, commas and brackets, as `encode` writes them with and without --json's list.
std::vector<int32_t> parse_ids(std::string_view text, const std::string& origin) {
  std::vector<int32_t> ids;
  const char* const end = text.data() + text.size();
  for (const char* p = text.data(); p < end;) {
    if (std::string_view(" \t\r\n,[]").find(*p) != std::string_view::npos) {
      ++p;
      continue;
    }
    int32_t id = 0;
    const auto [next, error] = std::from_chars(p, end, id);
    if (error != std::errc())
      fail(fmt::format("{}: \"{}\" at byte {} is no token id", origin == "-" ? "<stdin>" : origin,
                       std::string_view(p, std::min<size_t>(20, static_cast<size_t>(end - p))), p - text.data()));
    ids.push_back(id);
    p = next;
  }
  return ids;
}

void run_decode(const TokenizerArguments& a) {
  const Tokenizer tokenizer = load_tokenizer(a.tokenizer);
  const std::string text = tokenizer.decode(parse_ids(read_input(a), a.input), !a.parse_special);
  std::fwrite(text.data(), 1, text.size(), stdout);
}

void run_info(const TokenizerArguments& a) {
  const Tokenizer tokenizer = load_tokenizer(a.tokenizer);
  if (!a.json) {
    fmt::print("{}\nvocabulary {}\nfingerprint {:016x}\n", tokenizer.describe(), tokenizer.vocabulary_size(),
               tokenizer.fingerprint());
    return;
  }
  nlohmann::ordered_json special = nlohmann::ordered_json::object();
  for (int32_t id = 0; id < tokenizer.vocabulary_size(); ++id)
    if (tokenizer.contains(id) && tokenizer.is_special(id)) special[std::string(tokenizer.token(id))] = id;
  const nlohmann::ordered_json result = {{"vocab_size", tokenizer.vocabulary_size()},
                                         {"pipeline", tokenizer.describe()},
                                         {"special_tokens", special},
                                         {"fingerprint", fmt::format("{:016x}", tokenizer.fingerprint())}};
  std::cout << result.dump() << "\n";
}

void add_training(CLI::App& app, const std::shared_ptr<TokenizerArguments>& a) {
  app.add_option("FILES", a->files, "text: files, globs, or - for standard input")->required();
  app.add_option("--out", a->out, "the tokenizer.json to write")->required();
  app.add_option("--type", a->type, "byte-bpe or character")->check(CLI::IsMember({"byte-bpe", "character"}));
  app.add_option("--vocab-size", a->vocab_size, "tokens, the 256 bytes and <|endoftext|> included")
      ->check(CLI::Range(257, 1 << 21));
  app.add_option("--pattern", a->pattern, "rule for splitting words: gpt2, cl100k, o200k, llama3, qwen2");
  app.add_option("--format", a->format, "auto, txt or jsonl");
  app.add_option("--text-field", a->text_field, "field of a jsonl line that holds the text");
  app.footer("Example:\n  sesame tokenizer train book.txt --vocab-size 4096 --pattern gpt2 --out tokenizer.json");
  app.callback([a] { run_train(*a); });
}

void add_use(CLI::App& app, const std::shared_ptr<TokenizerArguments>& a, const char* input, const char* example) {
  app.add_option("TOKENIZER", a->tokenizer, "a tokenizer.json, or the directory of a model or run")->required();
  if (input) app.add_option("FILE", a->input, input);
  app.footer(example);
}

}  // namespace

void add_tokenizer(CLI::App& app, int&) {
  auto a = std::make_shared<TokenizerArguments>();
  app.require_subcommand(1);
  add_training(*app.add_subcommand("train", "learn a tokenizer from text"), a);

  CLI::App* encode = app.add_subcommand("encode", "text to token ids");
  add_use(*encode, a, "text; - for standard input", "Example:\n  echo hello | sesame tokenizer encode tokenizer.json");
  encode->add_flag("--parse-special", a->parse_special, "<|endoftext|> and the like in the text are special tokens");
  encode->add_flag("--json", a->json, "ids and tokens as a JSON object");
  encode->callback([a] { run_encode(*a); });

  CLI::App* decode = app.add_subcommand("decode", "token ids to text, byte for byte");
  add_use(*decode, a, "ids in text form; - for standard input",
          "Example:\n  echo 39 71 78 | sesame tokenizer decode tokenizer.json");
  decode->add_flag("--special", a->parse_special, "write special tokens out");
  decode->callback([a] { run_decode(*a); });

  CLI::App* info = app.add_subcommand("info", "what a tokenizer does");
  add_use(*info, a, nullptr, "Example:\n  sesame tokenizer info tokenizer.json");
  info->add_flag("--json", a->json, "one JSON object");
  info->callback([a] { run_info(*a); });
  app.footer("Example:\n  sesame tokenizer train book.txt --vocab-size 4096 --out tokenizer.json");
}

}  // namespace sesame
