#include "sesame/data/prepare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/base/temporary_directory.h"
#include "sesame/base/test_data.h"
#include "sesame/data/split.h"

namespace sesame {
namespace {

using ::testing::HasSubstr;

void bytes_as_ids(std::string_view text, std::vector<int32_t>& ids) {
  for (const char c : text) ids.push_back(static_cast<uint8_t>(c));
}

std::vector<int32_t> all_of(const TokenStream& stream) {
  std::vector<int32_t> ids(stream.size());
  stream.copy(0, ids);
  return ids;
}

class Prepare : public testing::Test {
 protected:
  Prepare() {
    options_.cache_directory = directory_.path() / "cache";
    options_.vocabulary_size = 257;
    options_.tokenizer_fingerprint = 1;
    options_.threads = 2;
  }

  std::string write(const std::string& name, std::string_view content) const {
    write_file_atomically(directory_.path() / name, content);
    return (directory_.path() / name).string();
  }

  PreparedCorpus prepare(const std::vector<std::string>& sources) const {
    return prepare_tokens(sources, options_, bytes_as_ids);
  }

  int64_t cache_entries() const {
    return std::distance(std::filesystem::directory_iterator(options_.cache_directory), {});
  }

  static std::string long_text() {
    std::string text;
    for (int64_t i = 0; i < 900'000; ++i) text += std::to_string(i * 7919 % 100'003) + (i % 11 == 0 ? "\n" : " ");
    return text;
  }

  TemporaryDirectory directory_;
  PrepareOptions options_;
};

TEST_F(Prepare, TokenisesDocumentsInOrder) {
  options_.end_of_document = 256;
  options_.corpus.boundary = DocumentBoundary::line;
  const PreparedCorpus corpus = prepare({write("a.txt", "ab\nc\n"), write("b.jsonl", "{\"text\":\"d\"}\n{}\n")});
  EXPECT_EQ(all_of(corpus.tokens), (std::vector<int32_t>{'a', 'b', 256, 'c', 256, 'd', 256}));
  EXPECT_EQ(corpus.documents, 3u);
  EXPECT_EQ(corpus.text_bytes, 4u);
  EXPECT_EQ(corpus.bad_lines, 1u);
  EXPECT_FALSE(corpus.reused);
  ASSERT_EQ(corpus.shards.size(), 1u);
  const TokenShard shard(corpus.shards[0]);
  EXPECT_EQ(shard.info().documents, 3u);
  EXPECT_EQ(shard.document_end(0), 3u);
  EXPECT_EQ(shard.document_end(2), 7u);
}

TEST_F(Prepare, GivesTheSameForAnyNumberOfThreads) {
  options_.tokens_per_shard = 1'000'000;
  options_.corpus.boundary = DocumentBoundary::line;
  options_.end_of_document = 256;
  const std::string path = write("a.txt", long_text());
  std::vector<std::vector<std::string>> contents;
  for (const int threads : {1, 2, 5}) {
    options_.threads = threads;
    options_.cache_directory = directory_.path() / std::to_string(threads);
    const PreparedCorpus corpus = prepare({path});
    EXPECT_GT(corpus.shards.size(), 3u);
    contents.emplace_back();
    for (const auto& shard : corpus.shards) contents.back().push_back(read_file(shard));
  }
  EXPECT_EQ(contents[0], contents[1]);
  EXPECT_EQ(contents[0], contents[2]);
}

TEST_F(Prepare, ReusesWhatIsUnchanged) {
  const std::string path = write("a.txt", "some text");
  EXPECT_FALSE(prepare({path}).reused);
  const PreparedCorpus again = prepare_tokens(
      {path}, options_, [](std::string_view, std::vector<int32_t>&) { FAIL() << "tokenised an unchanged corpus"; });
  EXPECT_TRUE(again.reused);
  EXPECT_EQ(all_of(again.tokens).size(), 9u);
  EXPECT_EQ(again.documents, 1u);
  EXPECT_EQ(again.text_bytes, 9u);
}

TEST_F(Prepare, NoticesEveryChange) {
  const std::string path = write("a.txt", "some text");
  prepare({path});
  options_.tokenizer_fingerprint = 2;
  EXPECT_FALSE(prepare({path}).reused);
  options_.end_of_document = 256;
  EXPECT_FALSE(prepare({path}).reused);
  options_.corpus.boundary = DocumentBoundary::line;
  EXPECT_FALSE(prepare({path}).reused);
  EXPECT_FALSE(prepare({path, write("b.txt", "more")}).reused);
  EXPECT_TRUE(prepare({path}).reused);
  write("a.txt", "SOME TEXT");
  std::filesystem::last_write_time(path, std::filesystem::file_time_type::clock::now() + std::chrono::seconds(5));
  const PreparedCorpus changed = prepare({path});
  EXPECT_FALSE(changed.reused);
  EXPECT_EQ(all_of(changed.tokens).front(), 'S');
  EXPECT_EQ(cache_entries(), 6);
}

TEST_F(Prepare, MakesADamagedEntryAnew) {
  const std::string path = write("a.txt", "some text");
  const PreparedCorpus corpus = prepare({path});
  const std::filesystem::path entry = corpus.shards[0].parent_path();
  for (const std::filesystem::path& file : {corpus.shards[0], entry / "manifest.json"}) {
    const std::string whole = read_file(file);
    for (const std::string& damaged : {whole.substr(0, whole.size() / 2), std::string("{}"), std::string()}) {
      std::ofstream(file, std::ios::binary | std::ios::trunc) << damaged;
      EXPECT_FALSE(prepare({path}).reused) << file;
      EXPECT_TRUE(prepare({path}).reused) << file;
    }
    std::filesystem::remove(file);
    EXPECT_FALSE(prepare({path}).reused) << file;
  }
}

TEST_F(Prepare, LeavesNothingHalfDone) {
  const std::string path = write("a.txt", "some text");
  const auto broken = [](std::string_view, std::vector<int32_t>& ids) { ids.push_back(257); };
  EXPECT_THROW(prepare_tokens({path}, options_, broken), Error);
  EXPECT_THROW(prepare_tokens({path}, options_, [](std::string_view, std::vector<int32_t>&) {}), Error);
  EXPECT_THROW(prepare_tokens({path}, options_, [](auto, auto&) { throw Error("stopped"); }), Error);
  EXPECT_EQ(cache_entries(), 0);
}

TEST_F(Prepare, RemovesWhatKilledRunsLeft) {
  const std::string path = write("a.txt", "some text");
  const std::filesystem::path entry = prepare({path}).shards[0].parent_path();
  std::filesystem::remove_all(entry);
  std::array<char, 256> host = {};
  ASSERT_EQ(::gethostname(host.data(), host.size() - 1), 0);
  const std::string stem = entry.string() + ".tmp." + host.data() + ".";
  std::filesystem::create_directory(stem + "2147483646");  // above the largest process id of Linux
  std::filesystem::create_directory(stem + "1");           // a process that lives
  EXPECT_FALSE(prepare({path}).reused);
  EXPECT_FALSE(std::filesystem::exists(stem + "2147483646"));
  EXPECT_TRUE(std::filesystem::exists(stem + "1"));
}

TEST_F(Prepare, ReportsProgress) {
  const std::string text = long_text();
  std::vector<PrepareProgress> reports;
  prepare_tokens({write("a.txt", text)}, options_, bytes_as_ids,
                 [&](const PrepareProgress& progress) { reports.push_back(progress); });
  ASSERT_GT(reports.size(), 1u);
  EXPECT_LT(reports.front().bytes_done, text.size());
  EXPECT_EQ(reports.back().bytes_done, text.size());
  EXPECT_EQ(reports.back().tokens_done, text.size());
  EXPECT_EQ(reports.back().bytes_total, text.size());
}

TEST_F(Prepare, ReadsShakespeareWholeAndSplitsIt) {
  const auto path = shared_data("english/tinyshakespeare.txt");
  if (!path) GTEST_SKIP() << "shared test data is absent";
  const PreparedCorpus corpus = prepare({path->string()});
  const std::string text = read_file(*path);
  std::vector<int32_t> expected;
  bytes_as_ids(text, expected);
  EXPECT_EQ(all_of(corpus.tokens), expected);
  EXPECT_EQ(split_tail(corpus.tokens, 0.1).train.size(), 1'003'854u);
}

}  // namespace
}  // namespace sesame
