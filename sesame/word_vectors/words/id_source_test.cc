#include "sesame/word_vectors/words/id_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <thread>

#include "sesame/base/error_of.h"
#include "sesame/base/fault_injection.h"
#include "sesame/base/unnamed_file.h"
#include "sesame/word_vectors/words/test_corpus.h"

namespace sesame {
namespace {

using testing::HasSubstr;

constexpr int32_t kEnd = IdChunk::kSentenceEnd;

/// All ids of an epoch; checks what chunks say of themselves.
std::vector<int32_t> ids_of(IdSource& source) {
  std::vector<int32_t> ids;
  uint64_t words = 0;
  int64_t index = 0;
  IdChunk chunk;
  while (source.next(chunk)) {
    EXPECT_EQ(chunk.index, index++);
    EXPECT_EQ(chunk.first_word, words);
    EXPECT_FALSE(chunk.ids.empty());
    EXPECT_EQ(chunk.words,
              chunk.ids.size() - static_cast<size_t>(std::count(chunk.ids.begin(), chunk.ids.end(), kEnd)));
    words += chunk.words;
    ids.insert(ids.end(), chunk.ids.begin(), chunk.ids.end());
  }
  return ids;
}

std::vector<int32_t> plain_ids(std::string_view text, const Vocabulary& vocabulary) {
  std::vector<int32_t> ids;
  for (const std::vector<std::string>& sentence : plain_sentences(text)) {
    const size_t before = ids.size();
    for (const std::string& word : sentence)
      if (const int32_t id = vocabulary.find(word); id >= 0) ids.push_back(id);
    if (ids.size() > before) ids.push_back(kEnd);
  }
  return ids;
}

/// Half of the words of a text.
Vocabulary vocabulary_of(std::string_view text) {
  const auto sentences = plain_sentences(text);
  std::vector<std::string> words;
  for (const auto& sentence : sentences) words.insert(words.end(), sentence.begin(), sentence.end());
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  std::vector<Vocabulary::Entry> entries;
  for (size_t i = 0; i < words.size(); i += 2) entries.push_back({words[i], i + 1});
  return Vocabulary(entries);
}

TEST(EncodeCorpus, HasGoldenIds) {
  const TestCorpus corpus("b a x\n\nx y\n a\tc\r\n");
  const Vocabulary vocabulary = Vocabulary::in_order({{"a", 3}, {"b", 2}, {"c", 1}});
  ThreadPool pool(2);
  const auto source = encode_corpus(corpus.source(), vocabulary, {}, pool);
  EXPECT_EQ(ids_of(*source), (std::vector<int32_t>{1, 0, kEnd, 0, 2, kEnd}));
  EXPECT_EQ(source->words(), 4u);
}

TEST(EncodeCorpus, KeepsTheOrderOfTheTextForAnyThreadsAndBlocks) {
  const std::string text = random_text(1, 300000);
  const TestCorpus corpus(text);
  const Vocabulary vocabulary = vocabulary_of(text);
  const std::vector<int32_t> expected = plain_ids(text, vocabulary);
  ASSERT_GT(expected.size(), static_cast<size_t>(IdSource::kChunkIds));
  WordSourceOptions source = corpus.source();
  for (const int threads : {1, 2, 5}) {
    for (const size_t block : {1, 333, 4096, 1 << 18}) {
      source.block_bytes = block;
      ThreadPool pool(threads);
      const auto ids = encode_corpus(source, vocabulary, {}, pool);
      EXPECT_EQ(ids_of(*ids), expected) << threads << " threads, blocks of " << block;
      EXPECT_EQ(ids->words(),
                expected.size() - static_cast<size_t>(std::count(expected.begin(), expected.end(), kEnd)));
    }
  }
}

TEST(EncodeCorpus, HandsEachChunkToOneThreadAndStartsAgainAnywhere) {
  const std::string text = random_text(2, 600000);
  const TestCorpus corpus(text);
  const Vocabulary vocabulary = vocabulary_of(text);
  ThreadPool pool(2);
  const auto source = encode_corpus(corpus.source(), vocabulary, {}, pool);
  const std::vector<int32_t> all = ids_of(*source);
  for (const int64_t start : {0, 1, 1000}) {
    source->rewind(start);
    std::vector<std::vector<int32_t>> chunks(static_cast<size_t>(all.size() / IdSource::kChunkIds + 2));
    const auto take = [&] {
      IdChunk chunk;
      while (source->next(chunk)) chunks[static_cast<size_t>(chunk.index)] = chunk.ids;
    };
    std::thread other(take);
    take();
    other.join();
    std::vector<int32_t> joined;
    for (const std::vector<int32_t>& chunk : chunks) joined.insert(joined.end(), chunk.begin(), chunk.end());
    const auto first = std::min<size_t>(all.size(), static_cast<size_t>(start * IdSource::kChunkIds));
    EXPECT_EQ(joined, std::vector<int32_t>(all.begin() + static_cast<std::ptrdiff_t>(first), all.end()));
  }
}

TEST(EncodeCorpus, LeavesNoFileBehind) {
  const TemporaryDirectory directory;
  const TestCorpus corpus("a b\n");
  ThreadPool pool(1);
  const auto source = encode_corpus(corpus.source(), Vocabulary({{"a", 1}}), directory.path(), pool);
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
  EXPECT_EQ(ids_of(*source), (std::vector<int32_t>{0, kEnd}));
}

TEST(EncodeCorpus, SaysWhatIsWrong) {
  const TestCorpus corpus("a b\n");
  ThreadPool pool(3);
  EXPECT_THAT(error_of([&] {
                encode_corpus(corpus.source(), Vocabulary({{"x", 1}}), {}, pool);
              }),
              HasSubstr("no word of the vocabulary (1 words) occurs"));
  EXPECT_THAT(error_of([&] {
                encode_corpus(corpus.source(), Vocabulary({{"a", 1}}), "/nowhere", pool);
              }),
              HasSubstr("/nowhere: No such file"));
}

TEST(EncodeCorpus, SaysHowMuchIsNeededWhereTheDiskIsFull) {
  const std::string text = random_text(5, 300000);
  const TestCorpus corpus(text);
  const Vocabulary vocabulary = vocabulary_of(text);
  WordSourceOptions source = corpus.source();
  source.block_bytes = 1000;
  // A limit of the process stands for a full disk: the same path through the system.
  ::signal(SIGXFSZ, SIG_IGN);
  struct rlimit old = {};
  ::getrlimit(RLIMIT_FSIZE, &old);
  struct rlimit small = old;
  small.rlim_cur = 20000;
  ::setrlimit(RLIMIT_FSIZE, &small);
  ThreadPool pool(3);
  const std::string error = error_of([&] { encode_corpus(source, vocabulary, {}, pool); });
  ::setrlimit(RLIMIT_FSIZE, &old);
  EXPECT_THAT(error, testing::AllOf(HasSubstr("cannot write the corpus as ids, about"), HasSubstr("File too large"),
                                    HasSubstr("free space there, or name another directory")));
}

TEST(UnnamedFile, NamesTheReasonOfAFailedWrite) {
  FaultyFileSystem files(FaultyFileSystem::Fault::full_disk, 1);
  UnnamedFile file({}, "test data", files);
  const std::string text = "0123456789";
  file.write_at(0, as_bytes(text));
  EXPECT_THAT(error_of([&] { file.write_at(10, as_bytes(text)); }),
              testing::AllOf(HasSubstr("cannot write test data"), HasSubstr("No space left on device, with 10 B")));
}

TEST(UnnamedFile, WritesInPiecesAndReadsBack) {
  FaultyFileSystem files(FaultyFileSystem::Fault::short_write, 0);
  UnnamedFile file({}, "test data", files);
  file.write_at(3, as_bytes("abcdef"));
  std::string back(6, '.');
  file.read_at(3, std::as_writable_bytes(std::span(back)));
  EXPECT_EQ(back, "abcdef");
  EXPECT_GT(files.operations(), 1);
  EXPECT_THAT(error_of([&] { file.read_at(4, std::as_writable_bytes(std::span(back))); }), HasSubstr("it ends"));
}

TEST(StreamCorpus, GivesTheIdsOfTheWholeCorpusOnce) {
  const std::string text = random_text(6, 400000);
  const TestCorpus corpus(text);
  const Vocabulary vocabulary = vocabulary_of(text);
  WordSourceOptions options = corpus.source();
  for (const size_t block : {1000, 1 << 18}) {
    options.block_bytes = block;
    const auto source = stream_corpus(options, vocabulary);
    EXPECT_EQ(source->words(), vocabulary.total());
    source->rewind();
    EXPECT_EQ(ids_of(*source), plain_ids(text, vocabulary));
    EXPECT_THAT(error_of([&] { source->rewind(); }), HasSubstr("only once"));
  }
}

TEST(StreamCorpus, LeavesTheSentenceEndsOutOfItsWords) {
  const TestCorpus corpus("a\n");
  EXPECT_EQ(stream_corpus(corpus.source(), Vocabulary({{"a", 5}, {"</s>", 3}}, true))->words(), 5u);
}

TEST(IdsInMemory, CutsIntoChunks) {
  const auto source = ids_in_memory({4, 5, kEnd, 6, kEnd, 7, 8}, 3);
  EXPECT_EQ(ids_of(*source), (std::vector<int32_t>{4, 5, kEnd, 6, kEnd, 7, 8}));
  EXPECT_EQ(source->words(), 5u);
  source->rewind(2);
  IdChunk chunk;
  ASSERT_TRUE(source->next(chunk));
  EXPECT_EQ(chunk.ids, std::vector<int32_t>{8});
  EXPECT_EQ(chunk.first_word, 4u);
}

}  // namespace
}  // namespace sesame
