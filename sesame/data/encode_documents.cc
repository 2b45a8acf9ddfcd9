#include "sesame/data/encode_documents.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "sesame/base/error.h"
#include "sesame/corpus/document_reader.h"
#include "sesame/io/byte_stream.h"
#include "sesame/text/stream_encoder.h"

namespace sesame {
namespace {

constexpr size_t kReadBytes = size_t{1} << 20;
constexpr size_t kBatchBytes = size_t{8} << 20;
constexpr size_t kMostDocumentBytes = size_t{4} << 30;  // of one that has to be in memory whole

class DocumentEncoder {
 public:
  DocumentEncoder(const Tokenizer& tokenizer, const EncodeDocumentsOptions& options, TokenOutput* output,
                  ThreadPool& threads, const std::function<void(uint64_t)>& progress)
      : tokenizer_(tokenizer), options_(options), output_(output), threads_(threads), progress_(progress) {
    if (options.end_of_text) end_of_text_ = tokenizer.end_of_text();
    if (options.end_of_text && !end_of_text_) {
      fail("the tokenizer has no end-of-text token to put behind each document");
    }
  }

  /// A document of which one part after the other is read.
  void encode_stream(ByteReader& in) {
    if (options_.offsets || options_.encode.truncate_and_pad) return add(read_all(in, kMostDocumentBytes));
    StreamEncoder stream(tokenizer_, options_.encode, &threads_);
    std::vector<char> block(kReadBytes);
    std::vector<int32_t> ids;
    const auto take = [&] {
      put(ids);
      ids.clear();
    };
    while (const size_t n = in.read(block)) {
      counts_.bytes += n;
      stream.push({block.data(), n}, ids);
      take();
      report();
    }
    stream.finish(ids);
    take();
    end_document();
  }

  void add(std::string document) {
    batch_bytes_ += document.size();
    batch_.push_back(std::move(document));
    if (batch_bytes_ >= kBatchBytes) encode_batch();
  }

  EncodeDocumentsCounts finish() {
    encode_batch();
    return counts_;
  }

  EncodeDocumentsCounts& counts() { return counts_; }

 private:
  void put(std::span<const int32_t> ids) {
    counts_.tokens += ids.size();
    if (output_ != nullptr) output_->append(ids);
  }

  void end_document() {
    if (end_of_text_) put({&*end_of_text_, 1});
    if (output_ != nullptr) output_->end_document();
    ++counts_.documents;
  }

  void encode_batch() {
    if (options_.offsets || options_.encode.truncate_and_pad) {
      for (const std::string& text : batch_) encode_full(text);
    } else {
      const std::vector<std::string_view> texts(batch_.begin(), batch_.end());
      const Tokenizer::Batch encoded = tokenizer_.encode_batch(texts, options_.encode, threads_);
      for (size_t i = 0; i < texts.size(); ++i) {
        put(encoded[i]);
        end_document();
      }
    }
    counts_.bytes += batch_bytes_;
    batch_.clear();
    batch_bytes_ = 0;
    report();
  }

  void encode_full(std::string_view text) {
    const Encoding document = tokenizer_.encode_full(text, std::nullopt, options_.encode);
    counts_.tokens += document.ids.size();
    if (output_ != nullptr) output_->append(document);
    end_document();
  }

  void report() const {
    if (progress_) progress_(counts_.bytes);
  }

  const Tokenizer& tokenizer_;
  const EncodeDocumentsOptions& options_;
  TokenOutput* output_;
  ThreadPool& threads_;
  const std::function<void(uint64_t)>& progress_;
  EncodeDocumentsCounts counts_;
  std::optional<int32_t> end_of_text_;
  std::vector<std::string> batch_;
  size_t batch_bytes_ = 0;
};

/// Calls visit(line) for each line, without its line feed; what stands behind the last one is a line too.
template <typename Visit>
void for_each_line(ByteReader& in, Visit visit) {
  std::vector<char> block(kReadBytes);
  std::string line;
  while (const size_t n = in.read(block)) {
    for (size_t begin = 0; begin < n;) {
      const void* const found = std::memchr(block.data() + begin, '\n', n - begin);
      const size_t end = found == nullptr ? n : static_cast<size_t>(static_cast<const char*>(found) - block.data());
      line.append(block.data() + begin, end - begin);
      if (found == nullptr) break;
      visit(std::move(line));
      line = {};
      begin = end + 1;
    }
  }
  if (!line.empty()) visit(std::move(line));
}

bool is_jsonl(const EncodeDocumentsOptions& options) {
  const CorpusFormat format = parse_corpus_format(options.format, "--format");
  if (format != CorpusFormat::automatic) return format == CorpusFormat::jsonl;
  std::filesystem::path name(options.source);
  if (name.extension() == ".gz" || name.extension() == ".zst") name.replace_extension();
  return name.extension() == ".jsonl" || name.extension() == ".ndjson";
}

}  // namespace

EncodeDocumentsCounts encode_documents(const Tokenizer& tokenizer, const EncodeDocumentsOptions& options,
                                       TokenOutput* output, ThreadPool& threads,
                                       const std::function<void(uint64_t bytes)>& progress) {
  DocumentEncoder encoder(tokenizer, options, output, threads, progress);
  if (is_jsonl(options)) {
    CorpusOptions corpus;
    corpus.format = CorpusFormat::jsonl;
    corpus.text_field = options.text_field;
    DocumentReader reader({options.source}, corpus);
    while (const std::optional<DocumentPiece> piece = reader.next()) encoder.add(std::string(piece->text));
    encoder.counts().bad_lines = reader.counts().bad_lines;
    return encoder.finish();
  }
  const std::unique_ptr<ByteReader> in = open_bytes(options.source);
  if (options.lines) {
    for_each_line(*in, [&](std::string line) { encoder.add(std::move(line)); });
  } else {
    encoder.encode_stream(*in);
  }
  return encoder.finish();
}

}  // namespace sesame
