#include "sesame/corpus/document_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/base/temporary_directory.h"
#include "sesame/base/test_data.h"
#include "sesame/io/compressed_text.h"

namespace sesame {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Documents : public testing::Test {
 protected:
  std::string write(const std::string& name, std::string_view content) const {
    const std::filesystem::path path = directory_.path() / name;
    std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
    return path.string();
  }

  /// Documents whose pieces are joined with '|'.
  static std::vector<std::string> read(const std::vector<std::string>& sources, const CorpusOptions& options = {}) {
    DocumentReader reader(sources, options);
    std::vector<std::string> documents;
    bool open = false;
    while (const auto piece = reader.next()) {
      EXPECT_EQ(piece->first, !open);
      EXPECT_FALSE(piece->text.empty());
      EXPECT_LE(piece->text.size(), options.piece_bytes);
      if (piece->first) {
        documents.emplace_back(piece->text);
      } else {
        documents.back().append("|").append(piece->text);
      }
      open = !piece->last;
    }
    EXPECT_FALSE(open);
    EXPECT_EQ(reader.counts().documents, documents.size());
    return documents;
  }

  static std::string error_of(const std::vector<std::string>& sources, const CorpusOptions& options = {}) {
    try {
      read(sources, options);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  TemporaryDirectory directory_;
};

constexpr CorpusOptions by(DocumentBoundary boundary, size_t piece_bytes = size_t{256} << 10) {
  CorpusOptions options;
  options.boundary = boundary;
  options.piece_bytes = piece_bytes;
  return options;
}

TEST_F(Documents, AFileIsADocument) {
  const std::string a = write("a.txt", "one\r\ntwo\n\n");
  const std::string b = write("b.txt", "three");
  const std::string empty = write("empty.txt", "");
  EXPECT_THAT(read({a, empty, b}), ElementsAre("one\r\ntwo\n\n", "three"));
}

TEST_F(Documents, ALineIsADocument) {
  const std::string path = write("a.txt", "\n\none\r\ntwo\n\r\n\n three \nlast");
  EXPECT_THAT(read({path}, by(DocumentBoundary::line)), ElementsAre("one", "two", " three ", "last"));
  EXPECT_THAT(read({path}, by(DocumentBoundary::line, 3)), ElementsAre("one", "two", " th|ree| ", "las|t"));
}

TEST_F(Documents, BlankLinesSeparateDocuments) {
  const std::string path = write("a.txt", "\none\ntwo\n\n\r\n\nthree\r\n\r\nfour");
  EXPECT_THAT(read({path}, by(DocumentBoundary::blank_line)), ElementsAre("one\ntwo\n", "three\r\n", "four"));
}

// Whatever the size of the pieces, the documents are the same.
TEST_F(Documents, PiecesJoinToTheSameDocuments) {
  std::mt19937 random(3);
  const std::vector<std::string> parts = {"a", "bc", "\n", "\n\n", "\r\n", " ", "\xE4\xBD\xA0", "\n-", "word"};
  for (int round = 0; round < 200; ++round) {
    std::string text;
    for (int i = 0; i < 30; ++i) text += parts[random() % parts.size()];
    const std::string path = write("a.txt", text + "x");
    for (const auto boundary : {DocumentBoundary::file, DocumentBoundary::line, DocumentBoundary::blank_line}) {
      const std::vector<std::string> whole = read({path}, by(boundary));
      for (const size_t piece_bytes : {1, 2, 3, 4, 7, 16}) {
        std::vector<std::string> joined = read({path}, by(boundary, piece_bytes));
        for (std::string& document : joined) std::erase(document, '|');
        ASSERT_EQ(joined, whole) << testing::PrintToString(text) << " in pieces of " << piece_bytes;
      }
    }
  }
}

TEST_F(Documents, LongFilesComeInPiecesThatEndAtLineBreaks) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "line " + std::to_string(i) + "\n";
  const std::string path = write("a.txt", text);
  DocumentReader reader(std::vector<std::string>{path}, {});
  std::string joined;
  uint64_t line = 1;
  while (const auto piece = reader.next()) {
    EXPECT_TRUE(piece->text.ends_with('\n'));
    EXPECT_EQ(piece->line, line);
    line += static_cast<uint64_t>(std::ranges::count(piece->text, '\n'));
    joined += piece->text;
  }
  EXPECT_EQ(joined, text);
  EXPECT_EQ(reader.counts().bytes, text.size());
  EXPECT_EQ(reader.counts().documents, 1u);
}

TEST_F(Documents, ReadsJsonl) {
  const std::string path = write("a.jsonl",
                                 "{\"id\":1,\"text\":\"one\\ntwo \\u00e9\"}\n"
                                 "\n"
                                 "{\"text\":\"\"}\r\n"
                                 "{\"text\":\"abcdef\"}");
  EXPECT_THAT(read({path}), ElementsAre("one\ntwo \xC3\xA9", "abcdef"));
  EXPECT_THAT(read({path}, by(DocumentBoundary::file, 4)), ElementsAre("one\n|two |\xC3\xA9", "abcd|ef"));
  CorpusOptions text;
  text.format = CorpusFormat::text;
  EXPECT_THAT(read({path}, text), testing::SizeIs(1));
}

TEST_F(Documents, ReadsAnotherField) {
  CorpusOptions options;
  options.text_field = "content";
  options.format = CorpusFormat::jsonl;
  EXPECT_THAT(read({write("a.json", "{\"text\":\"no\",\"content\":\"yes\"}")}, options), ElementsAre("yes"));
}

TEST_F(Documents, CountsAndNamesBadLines) {
  const std::string path = write("a.jsonl",
                                 "{\"text\":\"good\"}\n{\"text\":\"cut\n[1]\n{\"body\":\"x\"}\n{\"text\":5}\n"
                                 "{\"text\":\"\xFF\"}\n{\"text\":\"good too\"}\n");
  DocumentReader reader(std::vector<std::string>{path}, {});
  std::vector<uint64_t> lines;
  while (const auto piece = reader.next()) lines.push_back(piece->line);
  EXPECT_THAT(lines, ElementsAre(1u, 7u));
  EXPECT_EQ(reader.counts().bad_lines, 5u);
  EXPECT_THAT(reader.counts().first_bad_lines,
              ElementsAre(HasSubstr(path + ":2: no valid JSON"), HasSubstr(":3: no JSON object"),
                          HasSubstr(":4: no field \"text\""), HasSubstr(":5: field \"text\" is no string"),
                          HasSubstr(":6: no valid JSON")));
}

TEST_F(Documents, RefusesJsonlWithoutAGoodLine) {
  const std::string good = write("good.jsonl", "{\"text\":\"x\"}\n{}\n");
  const std::string bad = write("bad.jsonl", "\nplain text\nmore\n");
  EXPECT_THAT(error_of({good, bad}), HasSubstr(bad + ": none of its 2 lines is usable; " + bad + ":2: no valid JSON"));
}

TEST_F(Documents, JsonlLinesMayBeLong) {
  const std::string text(3'000'000, 'x');
  CorpusOptions options;
  options.piece_bytes = size_t{1} << 30;
  EXPECT_THAT(read({write("a.jsonl", "{\"text\":\"" + text + "\"}\n{\"text\":\"end\"}")}, options),
              ElementsAre(text, "end"));
}

TEST_F(Documents, ReadsCompressedFiles) {
  const std::string packed = zstd("{\"text\":\"packed\"}\n");
  const std::string path = write("a.jsonl.zst", packed);
  EXPECT_THAT(read({path}), ElementsAre("packed"));
  write("a.jsonl.zst", packed.substr(0, packed.size() - 1));
  EXPECT_THAT(error_of({path}), HasSubstr("a.jsonl.zst: truncated"));
}

TEST_F(Documents, DropsTheByteOrderMark) {
  EXPECT_THAT(read({write("a.txt", "\xEF\xBB\xBFtext \xEF\xBB\xBF")}), ElementsAre("text \xEF\xBB\xBF"));
  EXPECT_THAT(read({write("a.jsonl", "\xEF\xBB\xBF{\"text\":\"x\"}")}), ElementsAre("x"));
}

TEST_F(Documents, RefusesWhatIsNoText) {
  using namespace std::string_literals;
  EXPECT_THAT(error_of({write("a.txt", "")}), HasSubstr("the corpus is empty"));
  EXPECT_THAT(error_of({write("a.txt", "\xEF\xBB\xBF")}), HasSubstr("the corpus is empty"));
  EXPECT_THAT(error_of({write("a.txt", "\n\n")}, by(DocumentBoundary::line)), HasSubstr("the corpus is empty"));
  EXPECT_THAT(error_of({write("a.txt", "text\0more"s)}),
              HasSubstr("a.txt: a NUL byte at offset 4: this is binary data"));
  EXPECT_THAT(error_of({write("a.txt", "\xFF\xFEt\0e\0"s)}), HasSubstr("this is UTF-16"));
  EXPECT_THAT(error_of({write("a.txt", std::string(400'000, 'x') + '\0')}), HasSubstr("offset 400000"));
  EXPECT_THAT(error_of({write("a.txt", "caf\xE9 cr\xE8me")}), HasSubstr("2 of the first 10 bytes are not UTF-8"));
  EXPECT_THAT(error_of({"/nonexistent/a.txt"}), HasSubstr("/nonexistent/a.txt: can't open"));
}

TEST_F(Documents, KeepsSingleInvalidBytes) {
  const std::string text = std::string(100, 'x') + "\xFF" + std::string(100, 'y');
  EXPECT_THAT(read({write("a.txt", text)}), ElementsAre(text));
}

TEST_F(Documents, ParsesOptions) {
  EXPECT_EQ(parse_corpus_format("jsonl", "data.format"), CorpusFormat::jsonl);
  EXPECT_EQ(parse_document_boundary("blank-line", "data.document"), DocumentBoundary::blank_line);
  EXPECT_THROW(parse_corpus_format("parquet", "data.format"), Error);
  EXPECT_THROW(parse_document_boundary("page", "data.document"), Error);
}

TEST_F(Documents, ReadsShakespeareWhole) {
  const auto path = shared_data("english/tinyshakespeare.txt");
  if (!path) GTEST_SKIP() << "shared test data is absent";
  std::string joined;
  DocumentReader reader(std::vector<std::string>{path->string()}, {});
  while (const auto piece = reader.next()) joined += piece->text;
  EXPECT_EQ(joined, read_file(*path));
}

}  // namespace
}  // namespace sesame
