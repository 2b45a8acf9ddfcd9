#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/end_to_end/program.h"

namespace sesame::end_to_end {
namespace {

using nlohmann::json;

/// A tokenizer.json of 300 tokens, trained on small_text().
std::string trained(const Scratch& scratch, const std::string& name = "tokenizer.json",
                    const std::string& size = "300") {
  write(scratch / "text.txt", small_text());
  const std::string path = (scratch / name).string();
  const Outcome outcome =
      run({"tokenizer", "train", (scratch / "text.txt").string(), "--vocab-size", size, "--out", path}, scratch.path());
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  return path;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

TEST(TokenizerVerb, AFileIsOneDocumentUnlessItsLinesAre) {
  const Scratch scratch;
  const std::string tokenizer = trained(scratch);
  const std::string text = "the cat\n\nsat\n";
  const Outcome whole = run({"tokenizer", "encode", tokenizer}, scratch.path(), text);
  EXPECT_EQ(std::count(whole.out.begin(), whole.out.end(), '\n'), 1);
  const Outcome lines = run({"tokenizer", "encode", tokenizer, "--lines"}, scratch.path(), text);
  EXPECT_EQ(std::count(lines.out.begin(), lines.out.end(), '\n'), 3);
  EXPECT_EQ(first_line(lines.out) + "\n", run({"tokenizer", "encode", tokenizer}, scratch.path(), "the cat").out);
  EXPECT_EQ(run({"tokenizer", "decode", tokenizer, "--lines"}, scratch.path(), lines.out).out, text);
  EXPECT_EQ(run({"tokenizer", "decode", tokenizer}, scratch.path(), whole.out).out, text);
}

TEST(TokenizerVerb, AnyBytesComeBack) {
  const Scratch scratch;
  const std::string tokenizer = trained(scratch);
  const std::string bytes("\0\xff\xfe text \xc3\x28 \xe2\x82", 15);
  const Outcome ids = run({"tokenizer", "encode", tokenizer}, scratch.path(), bytes);
  EXPECT_EQ(run({"tokenizer", "decode", tokenizer}, scratch.path(), ids.out).out, bytes);
}

TEST(TokenizerVerb, EveryFormatHoldsTheSameIds) {
  const Scratch scratch;
  const std::string tokenizer = trained(scratch);
  const std::string input = (scratch / "text.txt").string();
  const std::string expected = run({"tokenizer", "encode", tokenizer, input}, scratch.path()).out;
  for (const char* name : {"ids.txt", "ids.jsonl", "ids.npy", "ids.shard"}) {
    const std::string out = (scratch / name).string();
    const Outcome encoded = run({"tokenizer", "encode", tokenizer, input, "--out", out}, scratch.path());
    ASSERT_EQ(encoded.status, 0) << name << encoded.err;
    const Outcome text = run({"tokenizer", "decode", tokenizer, out}, scratch.path());
    EXPECT_EQ(text.out, small_text()) << name << text.err;
  }
  EXPECT_EQ(read(scratch / "ids.txt"), expected);
  EXPECT_EQ(read(scratch / "ids.npy").substr(1, 5), "NUMPY");
}

TEST(TokenizerVerb, OffsetsSayWhichBytesATokenIs) {
  const Scratch scratch;
  const std::string tokenizer = trained(scratch);
  const json document =
      json::parse(run({"tokenizer", "encode", tokenizer, "--offsets", "--json"}, scratch.path(), "the cat").out);
  const json& offsets = document.at("offsets");
  ASSERT_EQ(offsets.size(), document.at("ids").size());
  EXPECT_EQ(offsets.front().at(0), 0);
  EXPECT_EQ(offsets.back().at(1), 7);
  const std::string text = run({"tokenizer", "encode", tokenizer, "--offsets"}, scratch.path(), "the cat").out;
  EXPECT_TRUE(text.ends_with("-7\n")) << text;
  EXPECT_EQ(run({"tokenizer", "encode", tokenizer, "--offsets", "--out", (scratch / "o.npy").string()}, scratch.path(),
                "the cat")
                .status,
            2);
}

TEST(TokenizerVerb, JsonLinesAreDocuments) {
  const Scratch scratch;
  const std::string tokenizer = trained(scratch);
  write(scratch / "d.jsonl", "{\"text\": \"the cat\"}\n{\"text\": \"sat\\n\"}\n");
  const Outcome ids = run({"tokenizer", "encode", tokenizer, (scratch / "d.jsonl").string()}, scratch.path());
  EXPECT_EQ(std::count(ids.out.begin(), ids.out.end(), '\n'), 2) << ids.err;
  EXPECT_EQ(first_line(ids.out) + "\n", run({"tokenizer", "encode", tokenizer}, scratch.path(), "the cat").out);
}

TEST(TokenizerVerb, SpecialTokensInTextAreTextUnlessAsked) {
  const Scratch scratch;
  const std::string tokenizer = trained(scratch);
  const std::string text = "the<|endoftext|>";
  const std::string plain = run({"tokenizer", "encode", tokenizer}, scratch.path(), text).out;
  const std::string special = run({"tokenizer", "encode", tokenizer, "--parse-special"}, scratch.path(), text).out;
  EXPECT_GT(std::count(plain.begin(), plain.end(), ' '), std::count(special.begin(), special.end(), ' '));
  EXPECT_EQ(run({"tokenizer", "encode", tokenizer, "--allow-special", "<|endoftext|>"}, scratch.path(), text).out,
            special);
  const Outcome refused = run({"tokenizer", "encode", tokenizer, "--refuse-special"}, scratch.path(), text);
  EXPECT_EQ(refused.status, 1);
  EXPECT_NE(refused.err.find("<|endoftext|>"), std::string::npos) << refused.err;
}

TEST(TokenizerVerb, CountsAreThoseOfEncode) {
  const Scratch scratch;
  const std::string tokenizer = trained(scratch);
  const std::string input = (scratch / "text.txt").string();
  const json counted = json::parse(run({"tokenizer", "count", tokenizer, input, input, "--json"}, scratch.path()).out);
  const std::string ids = run({"tokenizer", "encode", tokenizer, input}, scratch.path()).out;
  const auto tokens = std::count(ids.begin(), ids.end(), ' ') + 1;
  EXPECT_EQ(counted.at("tokens"), 2 * tokens);
  EXPECT_EQ(counted.at("files").at(0).at("tokens"), tokens);
  EXPECT_EQ(counted.at("bytes"), 2 * small_text().size());
}

TEST(TokenizerVerb, PiecesCanBeSeen) {
  const Scratch scratch;
  const std::string tokenizer = trained(scratch);
  const Outcome bars = run({"tokenizer", "show", tokenizer, "--text", "xq zj"}, scratch.path());
  EXPECT_NE(bars.out.find("x|q|"), std::string::npos) << bars.out;
  const Outcome color = run({"tokenizer", "show", tokenizer, "--text", "xq\tzj", "--color", "always"}, scratch.path());
  EXPECT_NE(color.out.find("\x1b[30;48;5;"), std::string::npos);
  EXPECT_EQ(color.out.find('\t'), std::string::npos) << "control characters are pictures";
  const Outcome table = run({"tokenizer", "show", tokenizer, "--text", "xq", "--table"}, scratch.path());
  EXPECT_NE(table.out.find("0-1"), std::string::npos) << table.out;
}

TEST(TokenizerVerb, InfoMeasuresLanguages) {
  const Scratch scratch;
  const std::string tokenizer = trained(scratch);
  const json info = json::parse(run({"tokenizer", "info", tokenizer, "--json"}, scratch.path()).out);
  EXPECT_GT(info.at("vocab_size"), 257) << "the bytes, <|endoftext|> and merges";
  EXPECT_GE(info.at("texts").size(), 20u);
  for (const json& text : info.at("texts")) EXPECT_GT(text.at("tokens"), 0) << text;
  const Outcome text = run({"tokenizer", "info", tokenizer, "--data", (scratch / "text.txt").string()}, scratch.path());
  EXPECT_NE(text.out.find("Latin"), std::string::npos) << text.out << text.err;
}

TEST(TokenizerVerb, CompareFindsWhereTwoDiffer) {
  const Scratch scratch;
  const std::string first = trained(scratch);
  const std::string second = trained(scratch, "other.json", "280");
  const std::string data = (scratch / "text.txt").string();
  const json same =
      json::parse(run({"tokenizer", "compare", first, first, "--data", data, "--json"}, scratch.path()).out);
  EXPECT_EQ(same.at("differences").size(), 0u);
  EXPECT_EQ(same.at("documents"), same.at("documents_with_same_ids"));
  const json other =
      json::parse(run({"tokenizer", "compare", first, second, "--data", data, "--json"}, scratch.path()).out);
  EXPECT_GT(other.at("differences").size(), 0u);
  EXPECT_LT(other.at("tokens").at(0), other.at("tokens").at(1)) << "more tokens to choose from make fewer of a text";
}

TEST(TokenizerVerb, ConvertedTokenizersGiveTheSameIds) {
  const Scratch scratch;
  const std::string tokenizer = trained(scratch);
  const std::string input = (scratch / "text.txt").string();
  const std::string expected = run({"tokenizer", "encode", tokenizer, input}, scratch.path()).out;
  for (const char* name : {"copy.json", "copy.image", "vocab.json"}) {
    const std::string copy = (scratch / name).string();
    const Outcome converted = run({"tokenizer", "convert", tokenizer, "--out", copy}, scratch.path());
    ASSERT_EQ(converted.status, 0) << name << converted.err;
    const Outcome ids = run({"tokenizer", "encode", copy, input}, scratch.path());
    EXPECT_EQ(ids.out, expected) << name << ids.err;
  }
}

TEST(TokenizerVerb, RankFilesCanBeGivenTheirPattern) {
  const Scratch scratch;
  const std::string ranks = (scratch / "own.tiktoken").string();
  write(ranks, "YQ== 0\nYg== 1\nYWI= 2\nIA== 3\n");  // a, b, ab, a space
  const Outcome unsaid = run({"tokenizer", "encode", ranks}, scratch.path(), "ab a");
  EXPECT_EQ(unsaid.status, 1);
  EXPECT_NE(unsaid.err.find("pattern"), std::string::npos) << unsaid.err;
  EXPECT_EQ(run({"tokenizer", "encode", ranks, "--pattern", "gpt2"}, scratch.path(), "ab a").out, "2 3 0\n");
  const Outcome needless = run({"tokenizer", "encode", trained(scratch), "--pattern", "gpt2"}, scratch.path(), "ab");
  EXPECT_EQ(needless.status, 2) << needless.err;
  write(scratch / "text.txt", "ab a\n");
  const Outcome compared = run({"tokenizer", "compare", ranks, ranks, "--pattern-a", "gpt2", "--pattern-b", "cl100k",
                                "--data", (scratch / "text.txt").string(), "--json"},
                               scratch.path());
  ASSERT_EQ(compared.status, 0) << compared.err;
  EXPECT_EQ(json::parse(compared.out).at("documents_with_same_ids"), 1);
}

TEST(TokenizerVerb, EveryTypeOfTokenizerCanBeTrainedAndUsed) {
  const Scratch scratch;
  write(scratch / "text.txt", small_text());
  const std::string input = (scratch / "text.txt").string();
  for (const char* type : {"byte-bpe", "bpe", "sentencepiece-bpe", "wordpiece", "unigram", "character"}) {
    const std::string out = (scratch / (std::string(type) + ".tokenizer")).string();
    std::filesystem::create_directory(out);
    const std::string_view kind(type);
    const std::string size = kind == "byte-bpe" ? "300" : kind == "unigram" ? "40" : "80";
    const Outcome trained =
        run({"tokenizer", "train", input, "--type", type, "--vocab-size", size, "--out", out}, scratch.path());
    ASSERT_EQ(trained.status, 0) << type << trained.err;
    const Outcome ids = run({"tokenizer", "encode", out}, scratch.path(), "the old");
    ASSERT_EQ(ids.status, 0) << type << ids.err;
    EXPECT_EQ(run({"tokenizer", "decode", out}, scratch.path(), ids.out).out, "the old") << type;
  }
}

TEST(BenchTokenizer, SaysHowFast) {
  const Scratch scratch;
  const std::string tokenizer = trained(scratch);
  const Outcome outcome = run(
      {"bench", "tokenizer", tokenizer, (scratch / "text.txt").string(), "--json", "--rounds", "1"}, scratch.path());
  const json result = json::parse(outcome.out);
  for (const char* key : {"encode_mb_per_s_cold", "encode_mb_per_s_warm", "decode_mb_per_s"}) {
    EXPECT_GT(result.at(key), 0.0) << key;
  }
  EXPECT_EQ(result.at("threads"), 1);
  EXPECT_GT(result.at("tokens"), 1000);
}

}  // namespace
}  // namespace sesame::end_to_end
