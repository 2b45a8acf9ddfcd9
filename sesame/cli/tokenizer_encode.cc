#include <fmt/format.h>

#include <memory>

#include "sesame/base/progress.h"
#include "sesame/base/text_format.h"
#include "sesame/base/thread_pool.h"
#include "sesame/cli/tokenizer.h"
#include "sesame/data/encode_documents.h"
#include "sesame/data/token_output.h"

namespace sesame {
namespace {

struct EncodeArguments {
  TokenizerArgument tokenizer;
  EncodeDocumentsOptions documents;
  SpecialArguments special;
  std::string out = "-";
  std::string to = "auto";
  bool json = false;
  int threads = 0;
};

void run_encode(const EncodeArguments& a) {
  EncodeDocumentsOptions documents = a.documents;
  documents.encode = encode_options(a.special);
  TokenOutputOptions output;
  output.path = a.out;
  output.format = a.json ? TokenFormat::jsonl : token_format(a.to, a.out, "--to");
  output.offsets = documents.offsets;
  const Tokenizer tokenizer = load_tokenizer(a.tokenizer);
  ThreadPool threads(a.threads);
  Progress progress("encoding", 0);
  EncodeDocumentsCounts counts;
  write_tokens(output, tokenizer, [&](TokenOutput& ids) {
    counts = encode_documents(tokenizer, documents, &ids, threads, [&](uint64_t bytes) {
      if (a.out != "-" && progress.due()) progress.update(bytes, "bytes");
    });
  });
  progress.finish(Progress::End::clear);
  if (counts.bad_lines > 0) fmt::print(stderr, "{}: skipped {} unreadable lines\n", documents.source, counts.bad_lines);
  if (a.out != "-") {
    fmt::print(stderr, "{}: {} tokens of {} bytes in {} {}\n", a.out, counts.tokens, counts.bytes, counts.documents,
               counts.documents == 1 ? "document" : "documents");
  }
}

}  // namespace

void add_tokenizer_encode(CLI::App& app, int&) {
  auto a = std::make_shared<EncodeArguments>();
  add_tokenizer_argument(app, a->tokenizer);
  app.add_option("FILE", a->documents.source, "text or jsonl, also .gz or .zst; - for standard input");
  app.add_flag("--lines", a->documents.lines, "each line is a document; else the file is one");
  app.add_option("--format", a->documents.format, "of the input: auto (by name), txt or jsonl");
  app.add_option("--text-field", a->documents.text_field, "field of a jsonl line that holds the text");
  app.add_flag("--offsets", a->documents.offsets, "with the bytes that each token stands for: id:begin-end");
  add_special_options(app, a->special);
  app.add_flag("--end-of-text", a->documents.end_of_text, "the end-of-text token behind each document");
  app.add_option("--out", a->out, "file to write; - for standard output");
  app.add_option("--to", a->to, "auto (by the name of --out), text, jsonl, npy or shard");
  app.add_flag("--json", a->json, "ids and tokens as one JSON object a document: --to jsonl");
  app.add_option("--threads", a->threads, "0: one per processor")->check(CLI::Range(0, 1024));
  app.footer(
      "Example:\n  echo hello | sesame tokenizer encode tokenizer.json\n"
      "  sesame tokenizer encode tokenizer.json corpus.jsonl.zst --end-of-text --out corpus.shard");
  app.callback([a] { run_encode(*a); });
}

}  // namespace sesame
