#include "sesame/data/token_stream.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "sesame/base/error.h"
#include "sesame/base/temporary_directory.h"
#include "sesame/data/split.h"

namespace sesame {
namespace {

std::vector<int32_t> counting(size_t count) {
  std::vector<int32_t> ids(count);
  std::iota(ids.begin(), ids.end(), 0);
  return ids;
}

std::vector<int32_t> all_of(const TokenStream& stream) {
  std::vector<int32_t> ids(stream.size());
  stream.copy(0, ids);
  return ids;
}

class Streams : public testing::Test {
 protected:
  std::filesystem::path shard(const std::string& name, std::span<const int32_t> ids, uint64_t fingerprint = 1) const {
    const std::filesystem::path path = directory_.path() / name;
    TokenShardWriter writer(path, 1000, fingerprint);
    writer.append(ids);
    writer.commit();
    return path;
  }

  TemporaryDirectory directory_;
};

TEST_F(Streams, JoinShards) {
  const std::vector<int32_t> ids = counting(100);
  const std::span<const int32_t> span = ids;
  const TokenStream stream = TokenStream::from_shards(
      {shard("a", span.first(30)), shard("empty", {}), shard("b", span.subspan(30, 1)), shard("c", span.subspan(31))});
  EXPECT_EQ(all_of(stream), ids);
  for (uint64_t begin = 0; begin <= 100; ++begin) {
    for (uint64_t end = begin; end <= 100; ++end) {
      const std::vector<int32_t> expected(ids.begin() + static_cast<int64_t>(begin),
                                          ids.begin() + static_cast<int64_t>(end));
      ASSERT_EQ(all_of(stream.slice(begin, end)), expected);
    }
  }
}

TEST_F(Streams, KeepToTheirBounds) {
  const TokenStream stream = TokenStream::from_ids(counting(10)).slice(2, 8);
  std::vector<int32_t> ids(3);
  stream.copy(3, ids);
  EXPECT_EQ(ids, (std::vector<int32_t>{5, 6, 7}));
  EXPECT_THROW(stream.copy(4, ids), Error);
  EXPECT_THROW(stream.copy(~uint64_t{0}, ids), Error);
  EXPECT_THROW((void)stream.slice(3, 7), Error);
  EXPECT_THROW((void)stream.slice(3, 2), Error);
  EXPECT_EQ(all_of(stream.slice(1, 3)), (std::vector<int32_t>{3, 4}));
  EXPECT_EQ(TokenStream().size(), 0u);
}

TEST_F(Streams, RefuseShardsOfDifferentTokenizers) {
  const std::vector<int32_t> ids = counting(3);
  EXPECT_THROW(TokenStream::from_shards({shard("a", ids, 1), shard("b", ids, 2)}), Error);
}

TEST(Split, TakesTheTailAsNanoGptDoes) {
  // int(0.9 * 1115394) = 1003854, the split of tiny-shakespeare.
  const Split split = split_tail(TokenStream::from_ids(counting(1'115'394)), 0.1);
  EXPECT_EQ(split.train.size(), 1'003'854u);
  EXPECT_EQ(split.validation.size(), 111'540u);
  EXPECT_EQ(all_of(split.validation).front(), 1'003'854);
}

TEST(Split, RefusesAbsurdFractions) {
  const TokenStream stream = TokenStream::from_ids(counting(10));
  EXPECT_EQ(split_tail(stream, 0).train.size(), 10u);
  for (const double fraction : {-0.1, 1.0, 5.0, std::nan("")}) EXPECT_THROW(split_tail(stream, fraction), Error);
}

}  // namespace
}  // namespace sesame
