#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "sesame/base/thread_pool.h"
#include "sesame/data/token_output.h"
#include "sesame/text/tokenizer.h"

namespace sesame {

/// Which documents a file holds, and what becomes of them.
struct EncodeDocumentsOptions {
  std::string source = "-";     // a file, gz and zst too, or "-" for standard input
  std::string format = "auto";  // "txt", "jsonl"; "auto": by the name
  bool lines = false;           // each line of a text is a document, without its line feed; else the whole is one
  std::string text_field = "text";
  EncodeOptions encode = {};
  bool offsets = false;
  bool end_of_text = false;  // the tokenizer's end-of-text token behind each document
};

struct EncodeDocumentsCounts {
  uint64_t documents = 0;
  uint64_t bytes = 0;  // of text
  uint64_t tokens = 0;
  uint64_t bad_lines = 0;  // of jsonl: skipped
};

/// Encodes the documents of a source, in order, in memory that does not grow with it (a whole document is in memory
/// where offsets or truncation are asked for). Without `output` tokens are counted only. `progress(bytes)` is called
/// now and then. The result does not depend on the number of threads.
EncodeDocumentsCounts encode_documents(const Tokenizer& tokenizer, const EncodeDocumentsOptions& options,
                                       TokenOutput* output, ThreadPool& threads,
                                       const std::function<void(uint64_t bytes)>& progress = {});

}  // namespace sesame
