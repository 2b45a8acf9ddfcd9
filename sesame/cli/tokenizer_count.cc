#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "sesame/base/progress.h"
#include "sesame/base/thread_pool.h"
#include "sesame/cli/tokenizer.h"
#include "sesame/data/encode_documents.h"

namespace sesame {
namespace {

struct CountArguments {
  TokenizerArgument tokenizer;
  std::vector<std::string> files = {"-"};
  EncodeDocumentsOptions documents;
  SpecialArguments special;
  bool json = false;
  int threads = 0;
};

void print(const EncodeDocumentsCounts& counts, const std::string& name) {
  const double ratio = counts.tokens == 0 ? 0 : static_cast<double>(counts.bytes) / static_cast<double>(counts.tokens);
  fmt::print("{:>12} {:>12} {:>10} {:>12.3f}  {}\n", counts.tokens, counts.bytes, counts.documents, ratio, name);
}

void run_count(const CountArguments& a) {
  const Tokenizer tokenizer = load_tokenizer(a.tokenizer);
  ThreadPool threads(a.threads);
  Progress progress("counting", 0);
  EncodeDocumentsCounts total;
  nlohmann::ordered_json files = nlohmann::ordered_json::array();
  if (!a.json) fmt::print("{:>12} {:>12} {:>10} {:>12}\n", "tokens", "bytes", "documents", "bytes/token");
  for (const std::string& file : a.files) {
    EncodeDocumentsOptions documents = a.documents;
    documents.source = file;
    documents.encode = encode_options(a.special);
    const EncodeDocumentsCounts counts = encode_documents(tokenizer, documents, nullptr, threads, [&](uint64_t bytes) {
      if (progress.due()) progress.update(total.bytes + bytes, "bytes");
    });
    progress.finish(Progress::End::clear);
    if (!a.json) print(counts, file);
    files.push_back({{"file", file},
                     {"tokens", counts.tokens},
                     {"bytes", counts.bytes},
                     {"documents", counts.documents},
                     {"bad_lines", counts.bad_lines}});
    total.tokens += counts.tokens;
    total.bytes += counts.bytes;
    total.documents += counts.documents;
  }
  if (a.json) {
    const nlohmann::ordered_json result = {
        {"tokens", total.tokens}, {"bytes", total.bytes}, {"documents", total.documents}, {"files", files}};
    std::cout << result.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
  } else if (a.files.size() > 1) {
    print(total, "total");
  }
}

}  // namespace

void add_tokenizer_count(CLI::App& app, int&) {
  auto a = std::make_shared<CountArguments>();
  add_tokenizer_argument(app, a->tokenizer);
  app.add_option("FILES", a->files, "text or jsonl, also .gz or .zst; - for standard input");
  app.add_flag("--lines", a->documents.lines, "each line is a document; else a file is one");
  app.add_option("--format", a->documents.format, "of the input: auto (by name), txt or jsonl");
  app.add_option("--text-field", a->documents.text_field, "field of a jsonl line that holds the text");
  add_special_options(app, a->special);
  app.add_flag("--json", a->json, "one JSON object");
  app.add_option("--threads", a->threads, "0: one per processor")->check(CLI::Range(0, 1024));
  app.footer("Example:\n  sesame tokenizer count tokenizer.json docs/*.md");
  app.callback([a] { run_count(*a); });
}

}  // namespace sesame
