// Ids of published models: the test vectors of the kitoken project (no special tokens in them).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "sesame/base/file.h"
#include "sesame/base/test_data.h"
#include "sesame/text/encode/make_encoder.h"
#include "sesame/text/sentencepiece/model_file.h"

namespace sesame {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  if (text.empty() || text.ends_with('\n')) lines.emplace_back();
  return lines;
}

std::string unescape(const std::string& line) {
  std::string text;
  for (size_t i = 0; i < line.size(); ++i) {
    const bool escape = line[i] == '\\' && i + 1 < line.size() && (line[i + 1] == 'n' || line[i + 1] == 's');
    text.push_back(!escape ? line[i] : line[++i] == 'n' ? '\n' : ' ');
  }
  return text;
}

std::vector<int32_t> ids_of(const std::string& line) {
  std::vector<int32_t> ids;
  std::istringstream stream(line);
  for (std::string id; std::getline(stream, id, ',');) ids.push_back(std::stoi(id));
  return ids;
}

TEST(PublishedSentencePiece, GivesThePublishedIds) {
  for (const std::string model : {"llama2", "mistral01", "nai-t5", "xlnet_base_cased"}) {
    const auto path = shared_data("tokenizers/sentencepiece/" + model + ".model");
    if (!path) GTEST_SKIP() << "no shared data";
    const auto encoder = make_text_encoder(read_sentencepiece_model(read_file(*path, 1 << 24), model), model);
    const auto state = encoder->make_state();
    for (const std::string set : {"small", "mixed", "utf8"}) {
      const std::string directory = "tokenizers/vectors/kitoken/";
      const std::string input = read_file(shared_data(directory + set + "_input.txt").value(), 1 << 24);
      const std::string tokens = read_file(
          shared_data(fmt::format("{}sentencepiece/{}_tokens_{}.txt", directory, set, model)).value(), 1 << 24);
      const std::vector<std::string> texts = set == "utf8" ? std::vector<std::string>{input} : lines_of(input);
      const std::vector<std::string> expected = lines_of(tokens);
      ASSERT_GE(expected.size(), texts.size()) << model << " " << set;
      for (size_t i = 0; i < texts.size(); ++i) {
        IdBuffer ids;
        encoder->encode(set == "small" ? unescape(texts[i]) : texts[i], StretchStart::text, *state, ids);
        EXPECT_EQ(std::vector<int32_t>(ids.ids().begin(), ids.ids().end()), ids_of(expected[i]))
            << model << " " << set << ": " << texts[i];
      }
    }
  }
}

}  // namespace
}  // namespace sesame
