#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/end_to_end/program.h"

namespace sesame::end_to_end {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

/// Vectors in which queen - king = woman - man = aunt - uncle, and "x" points another way.
constexpr const char* kVectors =
    "7 3\nman 1 0 0.1\nwoman 1 1 0.1\nking 1 0 3\nqueen 1 1 3\nuncle 2 0 0.5\naunt 2 1 0.5\nx -1 -1 -1\n";

class ExploreVectors : public ::testing::Test {
 protected:
  ExploreVectors() { write(vectors(), kVectors); }

  [[nodiscard]] std::filesystem::path vectors() const { return scratch_ / "v.txt"; }
  Outcome vectors_verb(const std::string& verb, std::vector<std::string> arguments, const std::string& input = "") {
    arguments.insert(arguments.begin(), {"vectors", verb, vectors().string()});
    return run(arguments, scratch_.path(), input);
  }

  Scratch scratch_;
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

TEST_F(ExploreVectors, NeighborsOfWordsAndSums) {
  const Outcome one = vectors_verb("neighbors", {"king - man + woman", "--count", "1", "--json"});
  ASSERT_EQ(one.status, 0) << one.err;
  EXPECT_EQ(json::parse(one.out).at("neighbors").at(0).at("word"), "queen");
  const Outcome plain = vectors_verb("neighbors", {"king", "--count", "2"});
  EXPECT_EQ(lines_of(plain.out).size(), 2U);
  EXPECT_THAT(plain.out, HasSubstr("queen"));
}

TEST_F(ExploreVectors, QueriesFromStandardInputGoOnAfterAnUnknownWord) {
  const Outcome all = vectors_verb("neighbors", {"--json", "--count", "1"}, "king\n\nqeen\nman\n");
  EXPECT_EQ(all.status, 1);
  const std::vector<std::string> lines = lines_of(all.out);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(json::parse(lines[0]).at("query"), "king");
  EXPECT_THAT(json::parse(lines[1]).at("error").get<std::string>(), HasSubstr("did you mean queen?"));
  EXPECT_TRUE(json::parse(lines[2]).contains("neighbors"));
}

TEST_F(ExploreVectors, AnalogiesByBothRules) {
  for (const bool multiply : {false, true}) {
    std::vector<std::string> arguments{"man", "king", "woman", "--count", "1", "--json"};
    if (multiply) arguments.emplace_back("--mul");
    const Outcome answer = vectors_verb("analogy", arguments);
    ASSERT_EQ(answer.status, 0) << answer.err;
    EXPECT_EQ(json::parse(answer.out).at("answers").at(0).at("word"), "queen");
    EXPECT_EQ(json::parse(answer.out).at("rule"), multiply ? "mul" : "add");
  }
  EXPECT_EQ(vectors_verb("analogy", {"man", "king", "wuman"}).status, 1);
  EXPECT_EQ(vectors_verb("analogy", {"man", "king"}).status, 2);
}

TEST_F(ExploreVectors, SimilarityOfPairs) {
  const Outcome two = vectors_verb("similarity", {"man", "man", "--json"});
  EXPECT_NEAR(json::parse(two.out).at("cosine").get<double>(), 1, 1e-6);
  const Outcome many = vectors_verb("similarity", {"--pairs", "-", "--json"}, "man woman 3\nman\tnobody\n");
  EXPECT_EQ(many.status, 1);
  ASSERT_EQ(lines_of(many.out).size(), 2U);
  EXPECT_TRUE(json::parse(lines_of(many.out)[1]).at("cosine").is_null());
  EXPECT_EQ(vectors_verb("similarity", {"man"}).status, 2);
}

TEST_F(ExploreVectors, EvaluationOfADirectory) {
  std::filesystem::create_directories(scratch_ / "sets");
  write(scratch_ / "sets" / "questions.txt",
        ": family\nman woman king queen\nMAN woman uncle aunt\nman woman he she\n");
  write(scratch_ / "sets" / "pairs.txt", "man\tuncle\t8\nking\tqueen\t7\nman\tx\t1\nman\tnobody\t3\n");
  write(scratch_ / "sets" / "README", "Made by hand.\n");
  const Outcome outcome = vectors_verb("eval", {(scratch_ / "sets").string(), "--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("README"));
  const json result = json::parse(outcome.out);
  const json& family = result.at("analogies").at("questions.txt").at("sections").at("family");
  EXPECT_EQ(family.at("correct"), 2);
  EXPECT_EQ(family.at("asked"), 2);
  EXPECT_EQ(family.at("skipped"), 1);
  EXPECT_EQ(result.at("analogies").at("questions.txt").at("total").at("accuracy"), 1.0);
  const json& pairs = result.at("similarity").at("pairs.txt");
  EXPECT_EQ(pairs.at("pairs"), 4);
  EXPECT_EQ(pairs.at("covered"), 3);
  EXPECT_NEAR(pairs.at("spearman").get<double>(), 1, 1e-9);
  EXPECT_FALSE(result.contains("held_out_loss"));
  const Outcome text = vectors_verb("eval", {(scratch_ / "sets").string()});
  EXPECT_THAT(text.out, HasSubstr("coverage"));
  EXPECT_THAT(text.out, HasSubstr("66.7 %"));
  EXPECT_EQ(vectors_verb("eval", {}).status, 2);
  EXPECT_EQ(vectors_verb("eval", {(scratch_ / "none").string()}).status, 1);
}

TEST_F(ExploreVectors, HeldOutLossOfRowsOfZeros) {
  write(scratch_ / "zeros.txt",
        "7 3\nman 0 0 0\nwoman 0 0 0\nking 0 0 0\nqueen 0 0 0\nuncle 0 0 0\naunt 0 0 0\nx 0 0 0\n");
  write(scratch_ / "words.txt", "man 7\nwoman 6\nking 5\nqueen 4\nuncle 3\naunt 2\nx 1\n");
  write(scratch_ / "text.txt", "man woman king queen uncle aunt x man woman\n");
  const std::string text = (scratch_ / "text.txt").string(), zeros = (scratch_ / "zeros.txt").string();
  const Outcome outcome = vectors_verb("eval", {"--held-out", text, "--output-vectors", zeros, "--vocabulary",
                                                (scratch_ / "words.txt").string(), "--negative", "2", "--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  // A noise word that is the centre is left out.
  const double loss = json::parse(outcome.out).at("held_out_loss").get<double>();
  EXPECT_GT(loss, 2 * 0.6931);
  EXPECT_LE(loss, 3 * 0.6932);
  EXPECT_EQ(vectors_verb("eval", {"--held-out", text}).status, 2);
  EXPECT_THAT(vectors_verb("eval", {"--held-out", text, "--output-vectors", zeros}).err, HasSubstr("--vocabulary"));
}

TEST_F(ExploreVectors, PlotsOfGroupsAndOfTheFirstWords) {
  write(scratch_ / "groups.txt", ": royal\nking queen\n: family\nuncle aunt man nobody\n");
  const std::string out = (scratch_ / "plot.svg").string();
  const Outcome pca = vectors_verb("plot", {"--words", (scratch_ / "groups.txt").string(), "--out", out, "--json"});
  ASSERT_EQ(pca.status, 0) << pca.err;
  EXPECT_EQ(json::parse(pca.out).at("words"), 5);
  EXPECT_THAT(pca.err, HasSubstr("1 of 6 words"));
  for (const char* text : {"<svg", ">royal<", ">queen<", "principal component 2"})
    EXPECT_THAT(read(out), HasSubstr(text));
  const Outcome tsne = vectors_verb("plot", {"--top", "7", "--method", "tsne", "--iterations", "50", "--out", out});
  ASSERT_EQ(tsne.status, 0) << tsne.err;
  EXPECT_THAT(read(out), HasSubstr("perplexity 2"));
  EXPECT_EQ(vectors_verb("plot", {"--method", "tsne", "--perplexity", "30", "--out", out}).status, 2);
  EXPECT_EQ(vectors_verb("plot", {"--method", "umap", "--out", out}).status, 2);
}

TEST_F(ExploreVectors, EveryVerbHasAnExample) {
  for (const char* verb : {"neighbors", "analogy", "similarity", "eval", "plot"}) {
    const Outcome help = run({"vectors", verb, "--help"}, scratch_.path());
    EXPECT_EQ(help.status, 0);
    EXPECT_THAT(help.out, HasSubstr(std::string("Example:\n  sesame vectors ") + verb));
  }
}

}  // namespace
}  // namespace sesame::end_to_end
