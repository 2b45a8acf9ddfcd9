#include "sesame/text/unigram/train/piece_tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>

#include "sesame/text/unicode/unicode.h"
#include "sesame/text/unigram/train/random_words.h"

namespace sesame::unigram {
namespace {

std::vector<uint32_t> codes_of(std::string_view text) {
  std::vector<uint32_t> codes;
  for (size_t i = 0; i < text.size(); i += decode_utf8(text, i).length) codes.push_back(decode_utf8(text, i).code);
  return codes;
}

std::string string_of(const std::vector<uint32_t>& codes) {
  std::string out;
  for (const uint32_t code : codes) append_utf8(code, out);
  return out;
}

/// SentencePiece's definition, on the whole sentences: strings that occur before two different characters.
std::map<std::string, uint64_t> branching_strings(const std::vector<std::string>& sentences, const PieceRules& rules) {
  std::vector<uint32_t> array;
  for (const std::string& sentence : sentences) {
    const std::vector<uint32_t> codes = codes_of(sentence);
    array.insert(array.end(), codes.begin(), codes.end());
    array.push_back(0);
  }
  struct Occurrences {
    uint64_t count = 0;
    std::set<uint32_t> next;
  };
  std::map<std::vector<uint32_t>, Occurrences> found;
  for (size_t i = 0; i < array.size(); ++i) {
    std::vector<uint32_t> string;
    for (size_t end = i; end < array.size() && array[end] != 0 && string.size() < 17; ++end) {
      string.push_back(array[end]);
      Occurrences& occurrences = found[string];
      ++occurrences.count;
      occurrences.next.insert(array[end + 1]);
    }
  }
  std::map<std::string, uint64_t> result;
  for (const auto& [string, occurrences] : found) {
    std::vector<uint32_t> letters(string.size());
    for (uint32_t i = 0; i < letters.size(); ++i) letters[i] = i;
    if (string.size() > 1 && occurrences.next.size() > 1 && PieceValidator(rules, string).valid(letters))
      result[string_of(string)] = occurrences.count;
  }
  return result;
}

std::string piece_string(const TrainingText& text, const PieceTree& tree, uint32_t node) {
  return text.string_of(tree.positions[node], tree.nodes[node].length);
}

void expect_seeds(const std::vector<std::string>& sentences, const PieceRules& rules, int thread_count) {
  ThreadPool threads(thread_count);
  const TrainingText text = text_of(
      sentences, {rules.split_by_whitespace, rules.treat_whitespace_as_suffix, rules.allow_whitespace_only_pieces},
      threads);
  const PieceTree tree = make_seed_pieces(text, rules, 1 << 20, threads);
  std::map<std::string, uint64_t> expected = branching_strings(sentences, rules);
  std::map<std::string, uint64_t> coverage;
  double sum = 0;
  for (auto& [string, count] : expected) coverage[string] = count * codes_of(string).size();
  for (size_t rank = 1; rank < text.codes.size(); ++rank)
    if (text.code_counts[rank] > 0) coverage[string_of({text.codes[rank]})] = text.code_counts[rank];
  for (const auto& [string, c] : coverage) sum += static_cast<double>(c);
  ASSERT_EQ(tree.pieces.size(), coverage.size());
  uint64_t last = ~uint64_t{0};
  for (const PieceTree::Piece& piece : tree.pieces) {
    const std::string string = piece_string(text, tree, piece.node);
    ASSERT_TRUE(coverage.contains(string)) << string;
    EXPECT_NEAR(piece.score, std::log(static_cast<double>(coverage[string]) / sum), 1e-5) << string;
    if (tree.nodes[piece.node].length > 1) {
      EXPECT_GE(last, coverage[string]);
      last = coverage[string];
    }
  }
}

TEST(PieceTree, SeedsAreTheStringsThatBranchInTheSentences) {
  const std::vector<std::string> letters{"a", "b", "c", "1", "б", "漢"};
  for (const int threads : {1, 3}) {
    expect_seeds(random_sentences(1, 60, letters, 9), {}, threads);
    expect_seeds(random_sentences(2, 100, {"a", "b"}, 30), {}, threads);
  }
  const std::vector<std::string> sentences = random_sentences(3, 80, letters, 4);
  expect_seeds(sentences, {.split_by_whitespace = false}, 2);
  expect_seeds(sentences, {.split_by_unicode_script = false, .split_digits = true}, 2);
  std::vector<std::string> suffixed;
  for (const std::string& sentence : sentences) suffixed.push_back(sentence.substr(3) + "▁");
  expect_seeds(suffixed, {.treat_whitespace_as_suffix = true}, 2);
  expect_seeds({"▁▁ab▁▁▁ab▁b", "▁ab▁▁b", "▁▁b"}, {.allow_whitespace_only_pieces = true}, 1);
  expect_seeds({"ab▁▁▁ab▁", "▁▁ab▁▁b▁漢", "b▁▁漢"},
               {.treat_whitespace_as_suffix = true, .allow_whitespace_only_pieces = true}, 1);
}

TEST(PieceTree, OnlyTheBestSeeds) {
  ThreadPool threads(2);
  const TrainingText text = text_of(random_sentences(4, 60, {"a", "b", "c"}, 9), {}, threads);
  const PieceTree all = make_seed_pieces(text, {}, 1 << 20, threads);
  const PieceTree some = make_seed_pieces(text, {}, 20, threads);
  const size_t letters = 4;
  ASSERT_EQ(some.pieces.size(), letters + 20);
  for (size_t i = 0; i < some.pieces.size(); ++i)
    EXPECT_EQ(piece_string(text, some, some.pieces[i].node), piece_string(text, all, all.pieces[i].node));
}

/// The tree must give at each letter of a word exactly the pieces that begin there.
void expect_lattice(const TrainingText& text, const PieceTree& tree) {
  std::set<std::string> pieces;
  for (const PieceTree::Piece& piece : tree.pieces) pieces.insert(piece_string(text, tree, piece.node));
  for (const TrainingText::Word& word : text.words) {
    for (uint32_t at = 0; at < word.length; ++at) {
      std::set<std::string> expected{text.string_of(word.begin + at, 1)};
      for (uint32_t length = 2; at + length <= word.length; ++length) {
        const std::string string = text.string_of(word.begin + at, length);
        if (pieces.contains(string)) expected.insert(string);
      }
      std::set<std::string> found;
      uint32_t last = PieceTree::kNone;
      for (uint32_t id = tree.longest[word.begin + at]; id != PieceTree::kNone; id = tree.nodes[id].parent) {
        ASSERT_LT(tree.nodes[id].length, last);
        last = tree.nodes[id].length;
        found.insert(text.string_of(word.begin + at, tree.nodes[id].length));
      }
      ASSERT_EQ(found, expected);
    }
  }
}

TEST(PieceTree, GivesThePiecesThatBeginAtEachLetter) {
  ThreadPool threads(2);
  const TrainingText text = text_of(random_sentences(5, 100, {"a", "b", "c", "d"}, 20), {}, threads);
  PieceTree tree = make_seed_pieces(text, {}, 1 << 20, threads);
  ASSERT_GT(tree.pieces.size(), 300u);
  expect_lattice(text, tree);
  while (tree.pieces.size() > 3) {
    std::vector<PieceTree::Piece> kept;
    for (size_t i = 0; i < tree.pieces.size(); ++i)
      if (i % 3 != 1) kept.push_back(tree.pieces[i]);
    std::reverse(kept.begin(), kept.end());
    std::vector<std::string> strings;
    for (const PieceTree::Piece& piece : kept) strings.push_back(piece_string(text, tree, piece.node));
    tree.keep(kept, threads);
    ASSERT_EQ(tree.pieces.size(), kept.size());
    for (size_t i = 0; i < kept.size(); ++i) {
      EXPECT_EQ(piece_string(text, tree, tree.pieces[i].node), strings[i]);
      EXPECT_EQ(tree.pieces[i].score, kept[i].score);
    }
    expect_lattice(text, tree);
  }
}

}  // namespace
}  // namespace sesame::unigram
