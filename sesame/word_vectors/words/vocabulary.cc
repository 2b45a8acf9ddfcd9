#include "sesame/word_vectors/words/vocabulary.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <limits>
#include <unordered_set>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/io/byte_stream.h"
#include "sesame/text/words/word_key.h"

namespace sesame {
namespace {

constexpr std::string_view kEndOfSentence = "</s>";

/// A word as error messages show it.
std::string shown(std::string_view word) {
  constexpr size_t kMost = 40;
  return word.size() <= kMost ? fmt::format("\"{}\"", word) : fmt::format("\"{}...\"", word.substr(0, kMost));
}

/// What entries are sorted by. The first bytes of the word decide nearly all ties without touching it.
struct SortKey {
  uint64_t count = 0;
  uint64_t first_bytes = 0;  // big-endian
  size_t entry = 0;
};

uint64_t first_bytes(std::string_view word) {
  uint64_t bytes = 0;
  for (size_t i = 0; i < 8; ++i) bytes = bytes << 8 | (i < word.size() ? static_cast<uint8_t>(word[i]) : 0);
  return bytes;
}

/// The id in a slot that is taken.
int32_t id_in(uint64_t slot) { return static_cast<int32_t>(static_cast<uint32_t>(slot) - 1); }

std::vector<Vocabulary::Entry> sorted(const std::vector<Vocabulary::Entry>& entries) {
  std::vector<SortKey> keys(entries.size());
  for (size_t i = 0; i < entries.size(); ++i) keys[i] = {entries[i].count, first_bytes(entries[i].word), i};
  std::sort(keys.begin(), keys.end(), [&](const SortKey& a, const SortKey& b) {
    if (a.count != b.count) return a.count > b.count;
    if (a.first_bytes != b.first_bytes) return a.first_bytes < b.first_bytes;
    return entries[a.entry].word < entries[b.entry].word;
  });
  std::vector<Vocabulary::Entry> result(entries.size());
  for (size_t i = 0; i < keys.size(); ++i) result[i] = entries[keys[i].entry];
  return result;
}

}  // namespace

Vocabulary::Vocabulary(std::vector<Entry> entries, bool end_of_sentence) {
  entries = sorted(entries);
  if (end_of_sentence) {
    const auto found =
        std::find_if(entries.begin(), entries.end(), [](const Entry& e) { return e.word == kEndOfSentence; });
    if (found == entries.end()) {
      entries.insert(entries.begin(), {kEndOfSentence, 0});
    } else {
      std::rotate(entries.begin(), found, found + 1);
    }
  }
  *this = in_order(entries);
}

Vocabulary Vocabulary::in_order(const std::vector<Entry>& entries) {
  if (entries.size() > static_cast<size_t>(std::numeric_limits<int32_t>::max()) / 2) {
    fail(fmt::format("a vocabulary of {} words; the most supported are {}; raise --min-count", entries.size(),
                     std::numeric_limits<int32_t>::max() / 2));
  }
  Vocabulary vocabulary;
  size_t bytes = 0;
  for (const Entry& entry : entries) bytes += entry.word.size();
  vocabulary.bytes_.reserve(bytes);
  vocabulary.offsets_.reserve(entries.size() + 1);
  vocabulary.counts_.reserve(entries.size());
  vocabulary.offsets_.push_back(0);
  for (const Entry& entry : entries) {
    if (entry.word.empty()) fail(fmt::format("word {} of a vocabulary is empty", vocabulary.counts_.size()));
    if (entry.word.size() > std::numeric_limits<uint32_t>::max()) fail("a word of more than 4 GiB");
    if (entry.count > std::numeric_limits<uint64_t>::max() - vocabulary.total_) {
      fail(fmt::format("the counts of a vocabulary add up to more than 2^64 - 1, at the word {}", shown(entry.word)));
    }
    vocabulary.bytes_ += entry.word;
    vocabulary.offsets_.push_back(vocabulary.bytes_.size());
    vocabulary.counts_.push_back(entry.count);
    vocabulary.total_ += entry.count;
  }
  vocabulary.index();
  return vocabulary;
}

void Vocabulary::index() {
  slots_.assign(std::bit_ceil(counts_.size() * 2 + 2), 0);
  const size_t mask = slots_.size() - 1;
  for (int32_t id = 0; id < size(); ++id) {
    const std::string_view added = word(id);
    const uint64_t hash = WordKey::of(added).hash;
    size_t slot = hash & mask;
    for (; slots_[slot] != 0; slot = (slot + 1) & mask) {
      if ((slots_[slot] ^ hash) >> 32 == 0 && word(id_in(slots_[slot])) == added) {
        fail(fmt::format("the word {} is there twice", shown(added)));
      }
    }
    slots_[slot] = (hash & ~uint64_t{0xFFFFFFFF}) | (static_cast<uint64_t>(id) + 1);
  }
}

std::string_view Vocabulary::word(int32_t id) const noexcept {
  const auto i = static_cast<size_t>(id);
  return std::string_view(bytes_).substr(offsets_[i], offsets_[i + 1] - offsets_[i]);
}

int32_t Vocabulary::find(std::string_view word) const noexcept {
  if (slots_.empty() || word.size() > std::numeric_limits<uint32_t>::max()) return -1;
  const uint64_t hash = WordKey::of(word).hash;
  const size_t mask = slots_.size() - 1;
  for (size_t slot = hash & mask; slots_[slot] != 0; slot = (slot + 1) & mask) {
    const uint64_t found = slots_[slot];
    if ((found ^ hash) >> 32 != 0) continue;
    if (this->word(id_in(found)) == word) return id_in(found);
  }
  return -1;
}

void write_vocabulary(const std::filesystem::path& path, const Vocabulary& vocabulary) {
  write_file_atomically(path, [&](FileWriter& writer) {
    for (int32_t id = 0; id < vocabulary.size(); ++id) {
      const std::string_view word = vocabulary.word(id);
      if (word.find_first_of(" \t\n") != std::string_view::npos) {
        fail(fmt::format("cannot write the vocabulary {}: the word {} has white space in it", path.string(),
                         shown(word)));
      }
      writer.write(word);
      writer.write(fmt::format(" {}\n", vocabulary.count(id)));
    }
  });
}

namespace {

Vocabulary::Entry parse_line(std::string_view line, std::string_view file, size_t number) {
  std::string_view rest = line;
  if (rest.ends_with('\r')) rest.remove_suffix(1);
  const size_t space = rest.find(' ');
  const std::string_view word = rest.substr(0, space);
  uint64_t count = 0;
  const std::string_view digits = space == std::string_view::npos ? "" : rest.substr(space + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
  const bool whole = error == std::errc() && end == digits.data() + digits.size();
  if (word.empty() || !whole || word.find('\t') != std::string_view::npos) {
    fail(fmt::format("{}:{}: {} is no line of a vocabulary, expected a word, a space, and its count", file, number,
                     shown(line)));
  }
  return {word, count};
}

}  // namespace

Vocabulary read_vocabulary(const std::filesystem::path& path) {
  const std::unique_ptr<ByteReader> reader = open_bytes(path.string());
  const std::string text = read_all(*reader);
  std::vector<Vocabulary::Entry> entries;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    entries.push_back(
        parse_line(std::string_view(text).substr(begin, end - begin), reader->name(), entries.size() + 1));
    begin = end + 1;
  }
  if (entries.empty()) fail(fmt::format("{}: no words in this vocabulary", reader->name()));
  try {
    return Vocabulary::in_order(entries);
  } catch (const Error&) {
    std::unordered_set<std::string_view> seen;
    for (size_t i = 0; i < entries.size(); ++i) {
      if (seen.insert(entries[i].word).second) continue;
      fail(fmt::format("{}:{}: the word {} is there a second time", reader->name(), i + 1, shown(entries[i].word)));
    }
    throw;
  }
}

}  // namespace sesame
