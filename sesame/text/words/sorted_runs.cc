#include "sesame/text/words/sorted_runs.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <queue>
#include <string>

#include "sesame/base/file.h"

namespace sesame {
namespace {

/// A record is this, and then the word.
struct Header {
  uint64_t count = 0;
  uint64_t size = 0;
};

constexpr size_t kWriteBytes = size_t{1} << 20;
constexpr size_t kReadBytes = size_t{64} << 10;

}  // namespace

uint64_t SortedRuns::reserve(uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  if (!file_) file_ = std::make_unique<UnnamedFile>(directory_, "counts that do not fit in memory");
  runs_.push_back({end_, end_ + bytes});
  end_ += bytes;
  return runs_.back().begin;
}

void SortedRuns::add(const WordMap& counts) {
  std::vector<const WordMap::Entry*> entries;
  entries.reserve(counts.size());
  uint64_t bytes = 0;
  for (const WordMap::Entry& entry : counts.entries()) {
    if (entry.size == 0) continue;
    entries.push_back(&entry);
    bytes += sizeof(Header) + entry.size;
  }
  if (entries.empty()) return;
  std::sort(entries.begin(), entries.end(), [](const auto* a, const auto* b) { return a->word() < b->word(); });
  uint64_t offset = reserve(bytes);
  std::string buffer;
  const auto flush = [&] {
    file_->write_at(offset, as_bytes(buffer));
    offset += buffer.size();
    buffer.clear();
  };
  for (const WordMap::Entry* entry : entries) {
    const Header header{entry->value, entry->size};
    buffer.append(reinterpret_cast<const char*>(&header), sizeof header);
    buffer += entry->word();
    if (buffer.size() >= kWriteBytes) flush();
  }
  flush();
}

/// Reads one run, record by record.
class SortedRuns::Reader {
 public:
  Reader(const UnnamedFile& file, Run run) : file_(file), run_(run) {}

  /// The next record, false at the end of the run.
  bool next() {
    if (position_ == buffer_.size() && run_.begin == run_.end) return false;
    need(sizeof(Header));
    Header header;
    std::memcpy(&header, buffer_.data() + position_, sizeof header);
    position_ += sizeof header;
    need(header.size);
    word_ = std::string_view(buffer_).substr(position_, header.size);
    position_ += header.size;
    count_ = header.count;
    return true;
  }
  [[nodiscard]] std::string_view word() const { return word_; }
  [[nodiscard]] uint64_t count() const { return count_; }

 private:
  void need(size_t bytes) {
    if (buffer_.size() - position_ >= bytes) return;
    buffer_.erase(0, position_);
    position_ = 0;
    const size_t have = buffer_.size();
    const size_t more = std::min<uint64_t>(run_.end - run_.begin, std::max(kReadBytes, bytes - have));
    buffer_.resize(have + more);
    file_.read_at(run_.begin, std::as_writable_bytes(std::span(buffer_)).subspan(have));
    run_.begin += more;
  }

  const UnnamedFile& file_;
  Run run_;  // still to be read
  std::string buffer_;
  size_t position_ = 0;
  std::string_view word_;
  uint64_t count_ = 0;
};

void SortedRuns::merge(FunctionRef<void(std::string_view word, uint64_t count)> emit) const {
  std::vector<Reader> readers;
  readers.reserve(runs_.size());
  const auto later = [&](size_t a, size_t b) { return readers[a].word() > readers[b].word(); };
  std::priority_queue<size_t, std::vector<size_t>, decltype(later)> first(later);
  for (const Run& run : runs_) {
    readers.emplace_back(*file_, run);
    if (readers.back().next()) first.push(readers.size() - 1);
  }
  std::string word;
  while (!first.empty()) {
    word = readers[first.top()].word();
    uint64_t count = 0;
    while (!first.empty() && readers[first.top()].word() == word) {
      const size_t run = first.top();
      first.pop();
      count += readers[run].count();
      if (readers[run].next()) first.push(run);
    }
    emit(word, count);
  }
}

}  // namespace sesame
