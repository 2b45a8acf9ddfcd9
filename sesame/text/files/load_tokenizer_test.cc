#include "sesame/text/files/load_tokenizer.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "sesame/base/error_of.h"
#include "sesame/base/file.h"
#include "sesame/base/temporary_directory.h"
#include "sesame/text/encode/make_encoder.h"
#include "sesame/text/files/gguf_vocabulary.h"
#include "sesame/text/files/save_tokenizer.h"
#include "sesame/text/files/tekken.h"
#include "sesame/text/files/tiktoken_file.h"
#include "sesame/text/files/tokenizer_json.h"

namespace sesame {
namespace {

namespace fs = std::filesystem;
using Ids = std::vector<int32_t>;

class LoadTokenizer : public testing::Test {
 protected:
  fs::path write(const std::string& name, std::string_view content) {
    const fs::path path = directory_.path() / name;
    fs::create_directories(path.parent_path());
    write_file_atomically(path, content);
    return path;
  }
  [[nodiscard]] fs::path at(const std::string& name) const { return directory_.path() / name; }

  static Ids encode(const TokenizerSpec& spec, std::string_view text) {
    const auto encoder = make_text_encoder(spec, "test");
    const auto state = encoder->make_state();
    IdBuffer ids;
    encoder->encode(text, StretchStart::text, *state, ids);
    return {ids.ids().begin(), ids.ids().end()};
  }
  static Ids encode(const fs::path& path, std::string_view text) { return encode(load_tokenizer_spec(path), text); }
  static std::string error_from(const fs::path& path) {
    return error_of([&] { (void)load_tokenizer_spec(path); });
  }

 private:
  TemporaryDirectory directory_;
};

constexpr std::string_view small_vocab_txt = "[PAD]\n[UNK]\n[CLS]\n[SEP]\nab\n##c\n,\nb \n";
constexpr std::string_view small_ranks = "YQ== 0\nYg== 1\nIA== 2\nYWI= 3\n";  // a, b, space, ab
constexpr std::string_view small_vocab_json = R"({"a": 0, "b": 1, "Ġ": 2, "ab": 3, "Ġab": 4, "<|endoftext|>": 5})";
constexpr std::string_view small_merges = "#version: 0.2\na b\nĠ ab\n";

TEST_F(LoadTokenizer, VocabTxt) {
  const fs::path path = write("vocab.txt", small_vocab_txt);
  EXPECT_EQ(encode(path, "Ab,B abc x"), (Ids{4, 6, 7, 4, 5, 1}));  // no capitals: lower case
  const TokenizerSpec spec = load_tokenizer_spec(path);
  ASSERT_EQ(spec.added_tokens.size(), 4u);  // [MASK] is not there
  EXPECT_EQ(spec.added_tokens[3].content, "[SEP]");
  ASSERT_EQ(spec.post_processors.size(), 1u);
  const auto& around = std::get<post_processor::Template>(spec.post_processors[0]);
  ASSERT_EQ(around.pair.size(), 5u);
  EXPECT_EQ(around.pair[4].id, "[SEP]");
  EXPECT_EQ(around.pair[4].type_id, 1);
  write("tokenizer_config.json", R"({"do_lower_case": false, "model_max_length": 512})");
  EXPECT_EQ(encode(path, "Ab,B abc"), (Ids{1, 6, 1, 4, 5}));
}

TEST_F(LoadTokenizer, VocabTxtWithCapitalsKeepsThem) {
  const fs::path path = write("vocab.txt", "[UNK]\nA\na\n");
  EXPECT_EQ(encode(path, "A a"), (Ids{1, 2}));
}

TEST_F(LoadTokenizer, OfEqualLinesOfVocabTxtTheLastCounts) {
  const fs::path path = write("vocab.txt", "[UNK]\na\n\na \xE3\x80\x80\r\nb");
  EXPECT_EQ(encode(path, "a b"), (Ids{3, 4}));
  EXPECT_EQ(load_tokenizer_spec(path).vocabulary.size(), 3u);
}

TEST_F(LoadTokenizer, RankFileByNameAndByPattern) {
  const fs::path path = write("small.tiktoken", small_ranks);
  EXPECT_NE(error_from(path).find("4 ranks"), std::string::npos) << error_from(path);
  EXPECT_EQ(encode(load_tokenizer_spec(path, "gpt2"), "ab a"), (Ids{3, 2, 0}));
  EXPECT_EQ(load_tokenizer_spec(path, "o200k_harmony").added_tokens.size(), 1090u);
  EXPECT_THROW((void)load_tokenizer_spec(path, "nonsense"), Error);
  const TokenizerSpec named = load_tokenizer_spec(write("my_p50k_edit.tiktoken", small_ranks));
  ASSERT_EQ(named.added_tokens.size(), 4u);
  EXPECT_EQ(named.added_tokens[1].content, "<|fim_prefix|>");
  EXPECT_EQ(named.added_tokens[1].id, 50281);
}

TEST_F(LoadTokenizer, SpecialTokensOfTiktokensEncodings) {
  const auto id = [](std::string_view encoding, std::string_view content) {
    const auto known = tiktoken_encoding(encoding);
    for (const auto& [token, number] : known->special_tokens) {
      if (token == content) return number;
    }
    return -1;
  };
  EXPECT_EQ(id("r50k_base", "<|endoftext|>"), 50256);
  EXPECT_EQ(id("cl100k_base", "<|endofprompt|>"), 100276);
  EXPECT_EQ(id("o200k_base", "<|endoftext|>"), 199999);
  EXPECT_EQ(id("o200k_harmony", "<|reserved_200004|>"), 200004);
  EXPECT_EQ(id("o200k_harmony", "<|call|>"), 200012);
  EXPECT_EQ(id("o200k_harmony", "<|reserved_201087|>"), 201087);
  EXPECT_EQ(id("llama3", "<|eot_id|>"), 128009);
  EXPECT_EQ(id("llama3", "<|reserved_special_token_250|>"), 128255);
  EXPECT_FALSE(tiktoken_encoding("cl100k").has_value());
}

TEST_F(LoadTokenizer, VocabAndMergesFromEitherFile) {
  const fs::path vocab = write("gpt/vocab.json", small_vocab_json);
  const fs::path merges = write("gpt/merges.txt", small_merges);
  for (const fs::path& path : {vocab, merges, at("gpt")}) {
    EXPECT_EQ(encode(path, "ab ab"), (Ids{3, 4})) << path;
    EXPECT_EQ(load_tokenizer_spec(path).added_tokens[0].id, 5);
  }
  write("openai/encoder.json", small_vocab_json);
  EXPECT_EQ(encode(write("openai/vocab.bpe", small_merges), "ab"), (Ids{3}));
  write("x-merges.txt", small_merges);
  EXPECT_EQ(encode(write("x-vocab.json", small_vocab_json), "ab"), (Ids{3}));
  EXPECT_NE(error_from(write("alone/vocab.json", small_vocab_json)).find("merges.txt"), std::string::npos);
  EXPECT_NE(error_from(write("alone2/merges.txt", small_merges)).find("vocab.json"), std::string::npos);
}

TEST_F(LoadTokenizer, DirectoriesHaveAnOrder) {
  write("model/vocab.txt", small_vocab_txt);
  EXPECT_EQ(encode(at("model"), "ab"), (Ids{4}));
  write("model/r50k_base.tiktoken", small_ranks);
  EXPECT_EQ(encode(at("model"), "ab"), (Ids{3}));
  TokenizerSpec spec = load_tokenizer_spec(at("model/vocab.txt"));
  spec.vocabulary.push_back({"abc", 8});
  write("model/tokenizer.json", format_tokenizer_json(spec));
  EXPECT_EQ(encode(at("model"), "abc"), (Ids{8}));
  fs::create_directories(at("empty"));
  EXPECT_NE(error_from(at("empty")).find("tokenizer.json"), std::string::npos);
}

TEST_F(LoadTokenizer, NamesWhatItDoesNotKnow) {
  EXPECT_NE(error_from(write("a.bin2", "hello")).find("a.bin2"), std::string::npos);
  EXPECT_NE(error_from(write("b.json", "{\"a\": 1}")).find("b.json"), std::string::npos);
  EXPECT_NE(error_from(write("c.model", "")).find("c.model"), std::string::npos);
  EXPECT_NE(error_from(at("missing.json")).find("missing.json"), std::string::npos);
  EXPECT_THROW((void)load_tokenizer_spec(write("vocab.txt", "a\nb\n"), "gpt2"), Error);
}

TEST_F(LoadTokenizer, FilesThatAreCutShortAreErrorsOrSmallerVocabularies) {
  const std::string tekken =
      R"({"config": {"pattern": "[^\\s]+|\\s+", "default_vocab_size": 6, "default_num_special_tokens": 2},)"
      R"("vocab": [{"rank": 0, "token_bytes": "YQ=="}, {"rank": 1, "token_bytes": "Yg=="},)"
      R"({"rank": 2, "token_bytes": "IA=="}, {"rank": 3, "token_bytes": "YWI="}, {"rank": 4, "token_bytes": "YmI="}]})";
  EXPECT_EQ(encode(write("tekken.json", tekken), "ab bb"), (Ids{5, 4, 3, 3}));
  for (size_t size = 0; size < tekken.size(); ++size) {
    EXPECT_NE(error_of([&] { (void)parse_tekken(tekken.substr(0, size), "t"); }), "no error") << size;
  }
  for (size_t size = 0; size < small_vocab_txt.size(); size += 3) {
    const fs::path path = write("vocab.txt", small_vocab_txt.substr(0, size));
    EXPECT_EQ(error_from(path) == "no error", size > 0) << size;
  }
  EXPECT_NE(error_from(write("vocab.txt", "a\n\xFF\n")).find("line 2"), std::string::npos);
}

void append(std::string& file, auto value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  file.append(bytes, sizeof value);
}
void append_string(std::string& file, std::string_view text) {
  append(file, uint64_t{text.size()});
  file += text;
}

std::string small_gguf(const std::string& model, uint64_t tokens, const std::vector<std::string>& texts) {
  std::string file = "GGUF";
  append(file, uint32_t{3});
  append(file, uint64_t{0});
  append(file, uint64_t{3});
  append_string(file, "general.alignment");
  append(file, uint32_t{4});
  append(file, uint32_t{32});
  append_string(file, "tokenizer.ggml.model");
  append(file, uint32_t{8});
  append_string(file, model);
  append_string(file, "tokenizer.ggml.tokens");
  append(file, uint32_t{9});
  append(file, uint32_t{8});
  append(file, tokens);
  for (const std::string& text : texts) append_string(file, text);
  return file;
}

TEST_F(LoadTokenizer, GgufHoldsAWordPieceVocabulary) {
  const std::string file = small_gguf("bert", 5, {"[UNK]", "\u2581ab", "c", "\u2581,", "\u2581c"});
  EXPECT_EQ(encode(write("a.gguf", file), "abc, c"), (Ids{1, 2, 3, 4}));
  for (size_t size = 0; size < file.size(); ++size) {
    const std::string error = error_of([&] { (void)parse_gguf_vocabulary(file.substr(0, size), "a.gguf"); });
    EXPECT_NE(error.find("a.gguf"), std::string::npos) << size;
  }
  const auto error = [](const std::string& bytes) {
    return error_of([&] { (void)parse_gguf_vocabulary(bytes, "a.gguf"); });
  };
  EXPECT_NE(error(small_gguf("rwkv", 1, {"a"})).find("'rwkv'"), std::string::npos);
  EXPECT_NE(error(small_gguf("bert", uint64_t{1} << 60, {"a"})), "no error");
  EXPECT_NE(error(small_gguf("bert", 1, {"\xFF"})).find("token 0"), std::string::npos);
  EXPECT_NE(error(small_gguf("gpt2", 1, {"a"})).find("tokenizer.ggml.pre"), std::string::npos);
  EXPECT_NE(error(small_gguf("llama", 1, {"a"})).find("tokenizer.ggml.scores"), std::string::npos);
}

TEST_F(LoadTokenizer, WhatIsSavedIsLoaded) {
  const TokenizerSpec bert = load_tokenizer_spec(write("vocab.txt", small_vocab_txt));
  save_tokenizer(bert, at("bert.txt"), tokenizer_format_of_file(at("bert.txt")));
  EXPECT_EQ(format_tokenizer_json(load_tokenizer_spec(at("bert.txt"))), format_tokenizer_json(bert));

  const TokenizerSpec ranks = load_tokenizer_spec(write("small.tiktoken", small_ranks), "cl100k");
  save_tokenizer(ranks, at("again.tiktoken"), TokenizerFormat::tiktoken);
  EXPECT_EQ(read_file(at("again.tiktoken")), small_ranks);

  write("gpt/vocab.json", small_vocab_json);
  const TokenizerSpec gpt2 = load_tokenizer_spec(write("gpt/merges.txt", small_merges));
  fs::create_directories(at("copy"));
  save_tokenizer(gpt2, at("copy"), tokenizer_format("vocab.json"));
  EXPECT_EQ(read_file(at("copy/vocab.json")), small_vocab_json);
  EXPECT_EQ(read_file(at("copy/merges.txt")), small_merges);
  save_tokenizer(gpt2, at("copy"), TokenizerFormat::tokenizer_json);
  EXPECT_EQ(format_tokenizer_json(load_tokenizer_spec(at("copy"))), format_tokenizer_json(gpt2));
}

TEST_F(LoadTokenizer, WhatAFormatCannotHoldIsRefused) {
  const TokenizerSpec bert = load_tokenizer_spec(write("vocab.txt", small_vocab_txt));
  write("gpt/vocab.json", small_vocab_json);
  const TokenizerSpec gpt2 = load_tokenizer_spec(write("gpt/merges.txt", small_merges));
  const auto refusal = [&](const TokenizerSpec& spec, TokenizerFormat format) {
    return error_of([&] { save_tokenizer(spec, at("out"), format); });
  };
  EXPECT_NE(refusal(bert, TokenizerFormat::tiktoken).find("byte-level BPE"), std::string::npos);
  EXPECT_NE(refusal(bert, TokenizerFormat::vocab_and_merges).find("byte-level BPE"), std::string::npos);
  EXPECT_NE(refusal(gpt2, TokenizerFormat::vocab_txt).find("WordPiece"), std::string::npos);
  EXPECT_NE(refusal(gpt2, TokenizerFormat::tiktoken).find("merged all the same"), std::string::npos);
  TokenizerSpec other_merges = gpt2;
  auto& bpe = std::get<model::Bpe>(other_merges.model);
  bpe.ignore_merges = true;
  bpe.merges.pop_back();
  EXPECT_NE(refusal(other_merges, TokenizerFormat::tiktoken).find("its merges"), std::string::npos);
  EXPECT_FALSE(fs::exists(at("out")));
  EXPECT_THROW((void)tokenizer_format("nonsense"), Error);
  EXPECT_THROW((void)tokenizer_format_of_file("a.bin"), Error);
}

}  // namespace
}  // namespace sesame
