#include "sesame/data/token_shard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <numeric>
#include <random>

#include "sesame/base/error.h"
#include "sesame/base/fault_injection.h"
#include "sesame/base/file.h"
#include "sesame/base/hash.h"
#include "sesame/base/temporary_directory.h"

namespace sesame {
namespace {

using ::testing::HasSubstr;

std::vector<int32_t> random_ids(size_t count, int32_t vocabulary_size, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<int32_t> ids(count);
  for (int32_t& id : ids) id = static_cast<int32_t>(random() % static_cast<uint32_t>(vocabulary_size));
  return ids;
}

std::vector<int32_t> all_of(const TokenShard& shard) {
  std::vector<int32_t> ids(shard.size());
  shard.copy(0, ids);
  return ids;
}

template <typename T>
std::string raw(std::initializer_list<T> values) {
  std::string bytes;
  for (const T value : values) bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  return bytes;
}

/// Two documents, "1 2 3" and "65535", as docs/formats.md describes them.
std::string golden_shard() {
  const std::string header =
      "SESAMETK" + raw<uint32_t>({1, 2}) + raw<uint64_t>({65536, 0x1122334455667788, 0, 0, 0, 0});
  const std::string tokens = raw<uint16_t>({1, 2, 3, 65535});
  const std::string index = raw<uint64_t>({3, 4});
  const std::string checksums = raw<uint64_t>({xxh3(tokens)});
  const std::string front = raw<uint64_t>({4, 2, 72, 88, 160, xxh3(checksums, xxh3(index))});
  return header + tokens + index + checksums + front + raw<uint64_t>({xxh3(front, xxh3(header))}) + "SESTKEND";
}

class Shards : public testing::Test {
 protected:
  std::string error_of(std::string_view content) const {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << content;
    try {
      TokenShard(path_).verify();
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  TemporaryDirectory directory_;
  const std::filesystem::path path_ = directory_.path() / "tokens.shard";
};

TEST_F(Shards, WritesTheDocumentedBytes) {
  TokenShardWriter writer(path_, 65536, 0x1122334455667788);
  writer.append(std::vector<int32_t>{1, 2});
  writer.append(std::vector<int32_t>{3});
  writer.end_document();
  writer.append(std::vector<int32_t>{65535});
  writer.end_document();
  EXPECT_FALSE(std::filesystem::exists(path_));
  writer.commit();
  EXPECT_EQ(read_file(path_), golden_shard());
}

TEST_F(Shards, RoundTripsBothWidthsOverManyBlocks) {
  for (const int32_t vocabulary_size : {300, 65536, 65537, 200'000}) {
    const std::vector<int32_t> ids = random_ids(1'300'001, vocabulary_size, 1);
    TokenShardWriter writer(path_, static_cast<uint64_t>(vocabulary_size), 7);
    std::vector<uint64_t> ends;
    for (size_t begin = 0, step = 1; begin < ids.size(); step = step * 3 + 1) {
      const size_t n = std::min(step, ids.size() - begin);
      writer.append(std::span(ids).subspan(begin, n));
      writer.end_document();
      begin += n;
      ends.push_back(begin);
    }
    writer.commit();
    const TokenShard shard(path_);
    EXPECT_EQ(shard.info().token_bytes, vocabulary_size <= 65536 ? 2 : 4);
    EXPECT_EQ(shard.info().tokenizer_fingerprint, 7u);
    ASSERT_EQ(shard.info().documents, ends.size());
    for (size_t i = 0; i < ends.size(); ++i) EXPECT_EQ(shard.document_end(i), ends[i]);
    EXPECT_EQ(all_of(shard), ids);
    std::vector<int32_t> part(1000);
    shard.copy(654'321, part);
    EXPECT_TRUE(std::ranges::equal(part, std::span(ids).subspan(654'321, 1000)));
    shard.verify();
  }
}

TEST_F(Shards, MayBeEmpty) {
  TokenShardWriter(path_, 10, 0).commit();
  const TokenShard shard(path_);
  EXPECT_EQ(shard.size(), 0u);
  shard.copy(0, {});
  EXPECT_THROW((void)shard.document_end(0), Error);
}

TEST_F(Shards, KeepsToItsBounds) {
  write_file_atomically(path_, golden_shard());
  const TokenShard shard(path_);
  std::vector<int32_t> ids(3);
  EXPECT_THROW(shard.copy(2, ids), Error);
  EXPECT_THROW(shard.copy(~uint64_t{0}, ids), Error);
  EXPECT_THROW((void)shard.document_end(2), Error);
  shard.copy(1, ids);
  EXPECT_EQ(ids, (std::vector<int32_t>{2, 3, 65535}));
}

TEST_F(Shards, RefusesIdsOutsideTheVocabulary) {
  TokenShardWriter writer(path_, 10, 0);
  EXPECT_THROW(writer.append(std::vector<int32_t>{9, 10}), Error);
  EXPECT_THROW(writer.append(std::vector<int32_t>{-1}), Error);
  EXPECT_THROW(TokenShardWriter(path_, 0, 0), Error);
  EXPECT_THROW(TokenShardWriter(path_, (uint64_t{1} << 31) + 1, 0), Error);
}

TEST_F(Shards, LeavesNothingBehindWithoutCommit) {
  { TokenShardWriter(path_, 10, 0).append(std::vector<int32_t>{1}); }
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
}

TEST_F(Shards, RefusesEveryTruncation) {
  const std::string whole = golden_shard();
  ASSERT_EQ(error_of(whole), "no error");
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THAT(error_of(whole.substr(0, size)), HasSubstr("tokens.shard")) << size;
  }
  EXPECT_THAT(error_of(whole + "x"), HasSubstr("SESTKEND"));
}

TEST_F(Shards, NoticesEveryFlippedBit) {
  const std::string whole = golden_shard();
  for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    ASSERT_THAT(error_of(damaged), HasSubstr("not a whole token shard")) << "bit " << bit;
  }
}

/// Makes the checksum over header and footer fit what they hold.
void mend_checksum(std::string& shard) {
  const size_t footer = shard.size() - 64;
  const uint64_t checksum =
      xxh3(std::string_view(shard).substr(footer, 48), xxh3(std::string_view(shard).substr(0, 64)));
  std::memcpy(shard.data() + footer + 48, &checksum, sizeof checksum);
}

TEST_F(Shards, RefusesBytesThatBelongToNoPart) {
  std::string longer = golden_shard();
  longer.insert(longer.size() - 64, 8, '\0');
  const uint64_t size = longer.size();
  std::memcpy(longer.data() + size - 64 + 32, &size, sizeof size);
  mend_checksum(longer);
  EXPECT_THAT(error_of(longer), HasSubstr("its parts do not fill 168 bytes exactly"));
}

// Checksums that were made to fit must not lead to reading outside the file.
TEST_F(Shards, RefusesWrongCountsUnderRightChecksums) {
  const std::string whole = golden_shard();
  const size_t footer = whole.size() - 64;
  for (const uint64_t value : {uint64_t{0}, uint64_t{1}, uint64_t{5}, uint64_t{1} << 32, uint64_t{1} << 61,
                               uint64_t{1} << 63, ~uint64_t{0}, ~uint64_t{7}}) {
    for (size_t field = 0; field < 5; ++field) {
      std::string damaged = whole;
      std::memcpy(damaged.data() + footer + field * 8, &value, sizeof value);
      mend_checksum(damaged);
      EXPECT_THAT(error_of(damaged), HasSubstr("not a whole token shard")) << field << " = " << value;
    }
  }
}

// Whatever operation of the file system fails, the former shard or the new one is there, whole, and nothing else.
TEST_F(Shards, SurvivesEveryFault) {
  using Fault = FaultyFileSystem::Fault;
  const std::vector<int32_t> ids = random_ids(700'000, 1000, 2);
  const auto write = [&](FileSystem& files) {
    TokenShardWriter writer(path_, 1000, 1, files);
    writer.append(ids);
    writer.end_document();
    writer.commit();
  };
  FaultyFileSystem count;
  write(count);
  ASSERT_GT(count.operations(), 5);
  for (const Fault fault : {Fault::error, Fault::full_disk, Fault::short_write, Fault::crash}) {
    for (int64_t at = 0; at < count.operations(); ++at) {
      write_file_atomically(path_, golden_shard());
      FaultyFileSystem files(fault, at);
      bool failed = false;
      try {
        write(files);
      } catch (const Error& error) {
        failed = true;
        EXPECT_THAT(error.what(), HasSubstr("tokens.shard"));
      }
      const TokenShard shard(path_);
      shard.verify();
      if (shard.size() != 4) {
        EXPECT_EQ(all_of(shard), ids);
      } else {
        EXPECT_TRUE(failed || fault == Fault::crash) << "operation " << at;
      }
      if (fault == Fault::crash) continue;
      EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_.path()), {}), 1) << "operation " << at;
    }
  }
}

}  // namespace
}  // namespace sesame
