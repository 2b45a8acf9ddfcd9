#include "sesame/word_vectors/train/huffman.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <queue>
#include <set>
#include <string>

#include "sesame/word_vectors/train/chunk_random.h"

namespace sesame {
namespace {

/// The least sum of count * length, by a priority queue.
long double least_cost(const std::vector<uint64_t>& counts) {
  std::priority_queue<long double, std::vector<long double>, std::greater<>> queue;
  for (const uint64_t count : counts) queue.push(static_cast<long double>(count));
  long double cost = 0;
  while (queue.size() > 1) {
    long double sum = queue.top();
    queue.pop();
    sum += queue.top();
    queue.pop();
    cost += sum;
    queue.push(sum);
  }
  return cost;
}

long double cost_of(const HuffmanTree& tree, const std::vector<uint64_t>& counts) {
  long double cost = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    cost += static_cast<long double>(counts[i]) * static_cast<long double>(tree.path(static_cast<int32_t>(i)).size());
  }
  return cost;
}

/// Every path leads from the root through one tree: each side of each inner node leads to one node or word, and all
/// words are reached. Then no code is the beginning of another.
void expect_paths_of_one_tree(const HuffmanTree& tree, size_t words) {
  std::map<std::pair<int32_t, int32_t>, int64_t> leads_to;  // (node, code) -> inner node, or -1 - word
  std::set<int32_t> nodes;
  for (size_t word = 0; word < words; ++word) {
    const auto path = tree.path(static_cast<int32_t>(word));
    ASSERT_FALSE(path.empty());
    EXPECT_EQ(path.front().node(), static_cast<int32_t>(words) - 2);
    EXPECT_LE(static_cast<int64_t>(path.size()), tree.longest());
    for (size_t i = 0; i < path.size(); ++i) {
      nodes.insert(path[i].node());
      const int64_t child = i + 1 < path.size() ? path[i + 1].node() : -1 - static_cast<int64_t>(word);
      const auto [at, added] = leads_to.emplace(std::pair(path[i].node(), path[i].code()), child);
      ASSERT_EQ(at->second, child) << word;
    }
  }
  EXPECT_EQ(nodes.size(), words - 1);
  EXPECT_EQ(leads_to.size(), 2 * (words - 1));
}

std::string code_of(const HuffmanTree& tree, int32_t word) {
  std::string code;
  for (const HuffmanStep step : tree.path(word)) code += static_cast<char>('0' + step.code());
  return code;
}

TEST(HuffmanTree, IsBestForRandomCountsInAnyOrder) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    ChunkRandom random(seed, 0, 0);
    const size_t words = 2 + random.next() % 400;
    const int bits = 1 + static_cast<int>(random.next() % 60);
    std::vector<uint64_t> counts;
    for (size_t i = 0; i < words; ++i) counts.push_back(random.next() >> (64 - bits));
    if (seed % 2 == 0) std::sort(counts.rbegin(), counts.rend());
    const HuffmanTree tree(counts);
    expect_paths_of_one_tree(tree, words);
    const long double least = least_cost(counts);
    EXPECT_NEAR(static_cast<double>(cost_of(tree, counts) / std::max(least, 1.0L)), least > 0 ? 1 : 0, 1e-15) << seed;
    // Another tree costs more: all but the two rarest are equal in length only by chance.
    if (words > 16 && bits > 8) {
      EXPECT_GT(cost_of(tree, std::vector<uint64_t>(counts.rbegin(), counts.rend())), least);
    }
  }
}

TEST(HuffmanTree, FibonacciCountsGiveTheDeepestTree) {
  std::vector<uint64_t> counts{1, 1};
  while (counts.back() < uint64_t{1} << 60) counts.push_back(counts.back() + counts[counts.size() - 2]);
  std::reverse(counts.begin(), counts.end());
  const HuffmanTree tree(counts);
  expect_paths_of_one_tree(tree, counts.size());
  EXPECT_EQ(tree.longest(), static_cast<int64_t>(counts.size()) - 1);
  EXPECT_EQ(cost_of(tree, counts), least_cost(counts));
}

TEST(HuffmanTree, SumsBeyond64Bits) {
  const std::vector<uint64_t> counts(1000, uint64_t{1} << 60);
  const HuffmanTree tree(counts);
  EXPECT_EQ(cost_of(tree, counts), least_cost(counts));
  EXPECT_EQ(tree.longest(), 10);
}

TEST(HuffmanTree, SmallVocabularies) {
  EXPECT_TRUE(HuffmanTree(std::vector<uint64_t>{7}).path(0).empty());
  EXPECT_EQ(HuffmanTree(std::vector<uint64_t>{}).longest(), 0);
  const HuffmanTree two(std::vector<uint64_t>{7, 3});
  EXPECT_EQ(code_of(two, 0), "1");
  EXPECT_EQ(code_of(two, 1), "0");
  EXPECT_EQ(two.path(0)[0].node(), 0);
}

// By hand: d(1) and c(2) make node 0 (3), b(3) is not lighter, so node 0 and b make node 1 (6), a(4) and node 1 the
// root.
TEST(HuffmanTree, CodesByHand) {
  const HuffmanTree tree(std::vector<uint64_t>{4, 3, 2, 1});
  EXPECT_EQ(code_of(tree, 0), "0");
  EXPECT_EQ(code_of(tree, 1), "11");
  EXPECT_EQ(code_of(tree, 2), "101");
  EXPECT_EQ(code_of(tree, 3), "100");
}

TEST(HuffmanTree, AsGivenMergesTheFirstWordLast) {
  const std::vector<uint64_t> counts{0, 50, 40, 30, 20, 10};  // "</s>" of a text without line breaks
  EXPECT_LE(HuffmanTree(counts, HuffmanTree::Order::as_given).path(0).size(), 2u);
  EXPECT_EQ(HuffmanTree(counts).path(0).size(), static_cast<size_t>(HuffmanTree(counts).longest()));
  expect_paths_of_one_tree(HuffmanTree(counts, HuffmanTree::Order::as_given), counts.size());
}

}  // namespace
}  // namespace sesame
