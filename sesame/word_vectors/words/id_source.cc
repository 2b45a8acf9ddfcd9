#include "sesame/word_vectors/words/id_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>

#include "sesame/base/error.h"
#include "sesame/base/text_format.h"
#include "sesame/base/unnamed_file.h"
#include "sesame/word_vectors/words/for_each_block.h"
#include "sesame/word_vectors/words/word_encoder.h"

namespace sesame {
namespace {

constexpr int32_t kEnd = IdChunk::kSentenceEnd;

uint64_t count_words(std::span<const int32_t> ids) {
  return ids.size() - static_cast<uint64_t>(std::count(ids.begin(), ids.end(), kEnd));
}

/// Words before each chunk, and behind the last one.
std::vector<uint64_t> running_sums(std::vector<uint64_t> words) {
  words.push_back(0);
  uint64_t sum = 0;
  for (uint64_t& count : words) sum += std::exchange(count, sum);
  return words;
}

/// Chunks that can be handed out again and in any order.
class StoredIds : public IdSource {
 public:
  bool next(IdChunk& chunk) final {
    const int64_t index = next_.fetch_add(1, std::memory_order_relaxed);
    if (index >= chunks()) return false;
    const auto i = static_cast<size_t>(index);
    chunk.index = index;
    chunk.first_word = words_before_[i];
    chunk.words = words_before_[i + 1] - words_before_[i];
    read(index * chunk_ids_, std::min(chunk_ids_, ids_ - index * chunk_ids_), chunk.ids);
    return true;
  }

  void rewind(int64_t index) final { next_ = index; }
  [[nodiscard]] uint64_t words() const noexcept final { return words_before_.back(); }

 protected:
  StoredIds(int64_t ids, int64_t chunk_ids, std::vector<uint64_t> words_of_chunks)
      : ids_(ids), chunk_ids_(chunk_ids), words_before_(running_sums(std::move(words_of_chunks))) {}

 private:
  virtual void read(int64_t begin, int64_t count, std::vector<int32_t>& ids) const = 0;
  [[nodiscard]] int64_t chunks() const { return static_cast<int64_t>(words_before_.size()) - 1; }

  int64_t ids_;
  int64_t chunk_ids_;
  std::vector<uint64_t> words_before_;
  std::atomic<int64_t> next_ = 0;
};

class FileIds final : public StoredIds {
 public:
  FileIds(std::unique_ptr<UnnamedFile> file, int64_t ids, std::vector<uint64_t> words_of_chunks)
      : StoredIds(ids, kChunkIds, std::move(words_of_chunks)), file_(std::move(file)) {}

 private:
  void read(int64_t begin, int64_t count, std::vector<int32_t>& ids) const override {
    ids.resize(static_cast<size_t>(count));
    file_->read_at(static_cast<uint64_t>(begin) * sizeof(int32_t), std::as_writable_bytes(std::span(ids)));
  }

  std::unique_ptr<UnnamedFile> file_;
};

/// Ids that come in the order of the text and go to a file.
class IdWriter {
 public:
  explicit IdWriter(UnnamedFile& file) : file_(file) {}

  /// Takes the place of the ids of the next block, without a sentence end where no sentence was begun.
  std::pair<int64_t, std::span<const int32_t>> place(std::span<const int32_t> ids) {
    const std::lock_guard lock(mutex_);
    if (!ids.empty() && ids.front() == kEnd && last_ == kEnd) ids = ids.subspan(1);
    if (!ids.empty()) last_ = ids.back();
    return {std::exchange(ids_, ids_ + static_cast<int64_t>(ids.size())), ids};
  }

  /// Writes them there. From several threads.
  void write(int64_t begin, std::span<const int32_t> ids) {
    file_.write_at(static_cast<uint64_t>(begin) * sizeof(int32_t), std::as_bytes(ids));
    while (!ids.empty()) {
      const int64_t chunk = begin / IdSource::kChunkIds;
      const auto room = static_cast<size_t>((chunk + 1) * IdSource::kChunkIds - begin);
      const std::span<const int32_t> part = ids.first(std::min(room, ids.size()));
      add_words(static_cast<size_t>(chunk), count_words(part));
      begin += static_cast<int64_t>(part.size());
      ids = ids.subspan(part.size());
    }
  }

  [[nodiscard]] int64_t ids() const { return ids_; }
  [[nodiscard]] std::vector<uint64_t> take_words_of_chunks() { return std::move(words_of_chunks_); }

 private:
  void add_words(size_t chunk, uint64_t words) {
    const std::lock_guard lock(mutex_);
    if (words_of_chunks_.size() <= chunk) words_of_chunks_.resize(chunk + 1);
    words_of_chunks_[chunk] += words;
  }

  UnnamedFile& file_;
  std::mutex mutex_;
  int64_t ids_ = 0;
  int32_t last_ = kEnd;
  std::vector<uint64_t> words_of_chunks_;
};

[[noreturn]] void fail_without_words(const WordSourceOptions& source, const Vocabulary& vocabulary) {
  fail(
      fmt::format("{}: no word of the vocabulary ({} words) occurs in the corpus; is it of the same language, with the "
                  "same units and case?",
                  source.sources.empty() ? "corpus" : source.sources.front(), vocabulary.size()));
}

}  // namespace

std::unique_ptr<IdSource> encode_corpus(const WordSourceOptions& source, const Vocabulary& vocabulary,
                                        const std::filesystem::path& directory, ThreadPool& threads,
                                        const std::function<void(uint64_t)>& progress) {
  const std::string what =
      fmt::format("the corpus as ids, about {},", human_bytes(vocabulary.total() * sizeof(int32_t)));
  auto file = std::make_unique<UnnamedFile>(directory, what);
  IdWriter writer(*file);
  const WordEncoder encoder(vocabulary);
  std::vector<std::vector<int32_t>> ids(static_cast<size_t>(threads.threads()));
  const auto encode = [&](const TextBlock& block, WordSplitter& splitter, int thread) {
    std::vector<int32_t>& own = ids[static_cast<size_t>(thread)];
    own.clear();
    splitter.split_spans(
        block, [&](std::string_view text, std::span<const WordSpan> words) { encoder.encode(text, words, kEnd, own); });
  };
  std::vector<std::pair<int64_t, std::span<const int32_t>>> places(ids.size());
  const auto place = [&](const TextBlock&, WordSplitter&, int thread) {
    places[static_cast<size_t>(thread)] = writer.place(ids[static_cast<size_t>(thread)]);
  };
  const auto write = [&](const TextBlock&, WordSplitter&, int thread) {
    const auto [begin, placed] = places[static_cast<size_t>(thread)];
    writer.write(begin, placed);
  };
  for_each_block_in_order(source, threads, progress, encode, place, write);
  if (writer.ids() == 0) fail_without_words(source, vocabulary);
  return std::make_unique<FileIds>(std::move(file), writer.ids(), writer.take_words_of_chunks());
}

namespace {

class StreamedIds final : public IdSource {
 public:
  StreamedIds(const WordSourceOptions& source, const Vocabulary& vocabulary)
      : source_(source), blocks_(source), splitter_(source), encoder_(vocabulary), words_(vocabulary.total()) {
    const int32_t end = vocabulary.find("</s>");
    if (end >= 0) words_ -= vocabulary.count(end);
  }

  bool next(IdChunk& chunk) override {
    const std::lock_guard lock(mutex_);
    constexpr auto kFull = static_cast<size_t>(kChunkIds);
    while (pending_.size() < kFull && blocks_.next(block_)) {
      splitter_.split_spans(block_, [&](std::string_view text, std::span<const WordSpan> words) {
        encoder_.encode(text, words, kEnd, pending_);
      });
      if (!pending_.empty() && pending_.front() == kEnd && last_ == kEnd) pending_.erase(pending_.begin());
    }
    if (pending_.empty()) return false;
    const auto end = pending_.begin() + static_cast<std::ptrdiff_t>(std::min(kFull, pending_.size()));
    chunk.ids.assign(pending_.begin(), end);
    pending_.erase(pending_.begin(), end);
    last_ = chunk.ids.back();
    chunk.index = chunks_++;
    chunk.words = count_words(chunk.ids);
    chunk.first_word = std::exchange(words_read_, words_read_ + chunk.words);
    return true;
  }

  void rewind(int64_t index) override {
    const std::lock_guard lock(mutex_);
    if (index == chunks_) return;
    fail(
        fmt::format("{}: a corpus that is read while it is trained on can be read only once; train for one epoch, or "
                    "name files",
                    source_.sources.empty() ? "corpus" : source_.sources.front()));
  }

  [[nodiscard]] uint64_t words() const noexcept override { return words_; }

 private:
  WordSourceOptions source_;
  std::mutex mutex_;
  TextBlocks blocks_;
  WordSplitter splitter_;
  WordEncoder encoder_;
  uint64_t words_;
  TextBlock block_;
  std::vector<int32_t> pending_;
  int32_t last_ = kEnd;  // that was handed out
  int64_t chunks_ = 0;
  uint64_t words_read_ = 0;
};

class MemoryIds final : public StoredIds {
 public:
  MemoryIds(std::vector<int32_t> ids, int64_t chunk_ids)
      : StoredIds(static_cast<int64_t>(ids.size()), chunk_ids, words_of_chunks(ids, chunk_ids)), all_(std::move(ids)) {}

 private:
  static std::vector<uint64_t> words_of_chunks(std::span<const int32_t> ids, int64_t chunk_ids) {
    std::vector<uint64_t> words;
    while (!ids.empty()) {
      const std::span<const int32_t> part = ids.first(std::min(static_cast<size_t>(chunk_ids), ids.size()));
      words.push_back(count_words(part));
      ids = ids.subspan(part.size());
    }
    return words;
  }
  void read(int64_t begin, int64_t count, std::vector<int32_t>& ids) const override {
    const auto first = all_.begin() + begin;
    ids.assign(first, first + count);
  }

  std::vector<int32_t> all_;
};

}  // namespace

std::unique_ptr<IdSource> stream_corpus(const WordSourceOptions& source, const Vocabulary& vocabulary) {
  return std::make_unique<StreamedIds>(source, vocabulary);
}

std::unique_ptr<IdSource> ids_in_memory(std::vector<int32_t> ids, int64_t chunk_ids) {
  return std::make_unique<MemoryIds>(std::move(ids), chunk_ids);
}

}  // namespace sesame
