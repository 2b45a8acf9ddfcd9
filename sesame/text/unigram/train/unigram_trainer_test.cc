#include "sesame/text/unigram/train/unigram_trainer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "sesame/base/error_of.h"
#include "sesame/text/files/tokenizer_json.h"
#include "sesame/text/sentencepiece/charsmap.h"
#include "sesame/text/sentencepiece/model_file.h"
#include "sesame/text/unigram/train/hugging_face_form.h"

namespace sesame {
namespace {

using Flags = std::map<std::string, std::string>;

/// What spm_train learnt (tests/golden/generate_unigram_training.py).
struct Golden {
  struct Run {
    std::string name;
    Flags flags;
    std::vector<std::pair<std::string, float>> pieces;
  };
  std::vector<std::string> corpus;
  std::vector<Run> runs;

  Golden() {
    std::ifstream file("tests/golden/unigram_training.txt");
    for (std::string line; std::getline(file, line);) {
      if (line.starts_with("= ")) {
        if (line != "= corpus") add_run(line.substr(2));
      } else if (runs.empty()) {
        corpus.push_back(line);
      } else {
        const size_t tab = line.rfind('\t');
        runs.back().pieces.emplace_back(line.substr(0, tab), std::stof(line.substr(tab + 1)));
      }
    }
  }

  void add_run(const std::string& name) {
    runs.push_back({name, {}, {}});
    std::istringstream words(name);
    for (std::string word; words >> word;) {
      const size_t equals = word.find('=');
      runs.back().flags[word.substr(0, equals)] = word.substr(equals + 1);
    }
  }
};

const Golden& golden() {
  static const Golden instance;
  return instance;
}

UnigramTrainerOptions options_of(Flags flags) {
  UnigramTrainerOptions options;
  const auto take = [&](const char* name, auto& field) {
    const auto it = flags.find(name);
    if (it == flags.end()) return;
    using Field = std::remove_reference_t<decltype(field)>;
    if constexpr (std::is_same_v<Field, bool>) {
      field = it->second == "true";
    } else if constexpr (std::is_same_v<Field, std::string>) {
      field = it->second;
    } else {
      field = static_cast<Field>(std::stod(it->second));
    }
    flags.erase(it);
  };
  take("vocab_size", options.vocab_size);
  take("character_coverage", options.character_coverage);
  take("required_chars", options.required_chars);
  take("byte_fallback", options.byte_fallback);
  take("max_sentencepiece_length", options.max_sentencepiece_length);
  take("split_by_unicode_script", options.split_by_unicode_script);
  take("split_by_number", options.split_by_number);
  take("split_by_whitespace", options.split_by_whitespace);
  take("split_digits", options.split_digits);
  take("allow_whitespace_only_pieces", options.allow_whitespace_only_pieces);
  take("num_sub_iterations", options.num_sub_iterations);
  take("shrinking_factor", options.shrinking_factor);
  take("unk_id", options.unk_id);
  take("bos_id", options.bos_id);
  take("pad_id", options.pad_id);
  take("bos_piece", options.bos_piece);
  take("treat_whitespace_as_suffix", options.normalizer.treat_whitespace_as_suffix);
  take("remove_extra_whitespaces", options.normalizer.remove_extra_whitespaces);
  take("add_dummy_prefix", options.normalizer.add_dummy_prefix);
  std::string rule = "identity";
  take("normalization_rule_name", rule);
  options.normalizer.charsmap = make_charsmap(rule);
  std::string symbols;
  take("user_defined_symbols", symbols);
  std::istringstream list(symbols);
  for (std::string symbol; std::getline(list, symbol, ',');) options.user_defined_symbols.push_back(symbol);
  EXPECT_TRUE(flags.empty()) << flags.begin()->first;
  options.threads = 2;
  return options;
}

TokenizerSpec train(const UnigramTrainerOptions& options, const std::vector<std::string>& corpus) {
  UnigramTrainer trainer(options);
  for (const std::string& line : corpus) trainer.add(line);
  return trainer.train();
}

std::map<std::string, float> scores_of(const TokenizerSpec& spec) {
  const auto& model = std::get<model::SentencePiece>(spec.model);
  std::map<std::string, float> scores;
  for (const VocabularyEntry& entry : spec.vocabulary)
    scores[entry.token] = model.scores[static_cast<size_t>(entry.id)];
  return scores;
}

TEST(UnigramTrainer, LearnsWhatSentencePieceLearns) {
  ASSERT_EQ(golden().runs.size(), 9u);
  for (const Golden::Run& run : golden().runs) {
    SCOPED_TRACE(run.name);
    const TokenizerSpec spec = train(options_of(run.flags), golden().corpus);
    ASSERT_EQ(spec.vocabulary.size(), run.pieces.size());
    std::map<std::string, float> scores = scores_of(spec);
    std::vector<float> missing;
    std::map<std::string, float> extra = scores;
    for (const auto& [piece, score] : run.pieces) {
      if (extra.erase(piece) == 0) {
        missing.push_back(score);
      } else {
        EXPECT_NEAR(scores.at(piece), score, 1e-3) << piece;
      }
    }
    // Where the last pieces tie but for rounding, either may be the one that is left out.
    EXPECT_LE(missing.size(), 2u);
    for (const float score : missing)
      for (const auto& [piece, instead] : extra) EXPECT_NEAR(score, instead, 1e-3) << piece;
    // Ids differ only between pieces whose scores tie but for rounding.
    for (size_t id = 0; id < run.pieces.size(); ++id)
      EXPECT_NEAR(scores.at(spec.vocabulary[id].token), run.pieces[id].second, 1e-3) << id;
  }
}

TEST(UnigramTrainer, SpecialPiecesHaveTheirIdsAndTypes) {
  const Golden::Run& run = golden().runs[4];
  const TokenizerSpec spec = train(options_of(run.flags), golden().corpus);
  const auto& model = std::get<model::SentencePiece>(spec.model);
  for (size_t id = 0; id < 262; ++id) EXPECT_EQ(spec.vocabulary[id].token, run.pieces[id].first);
  EXPECT_EQ(model.types[0], model::PieceType::control);
  EXPECT_EQ(model.types[1], model::PieceType::unknown);
  EXPECT_EQ(model.types[4], model::PieceType::user_defined);
  EXPECT_EQ(model.types[6], model::PieceType::byte);
  EXPECT_EQ(model.types[261], model::PieceType::byte);
  EXPECT_EQ(model.types[262], model::PieceType::normal);
  EXPECT_EQ(model.unk_id, 1);
  EXPECT_EQ(model.bos_id, 0);
  EXPECT_EQ(model.pad_id, 3);
  EXPECT_TRUE(model.byte_fallback);
}

std::string bytes_of(const TokenizerSpec& spec) { return format_sentencepiece_model(spec); }

TEST(UnigramTrainer, NeitherThreadsNorOrderNorMemoryMatter) {
  UnigramTrainerOptions options = options_of({{"vocab_size", "300"}});
  options.threads = 1;
  const std::string expected = bytes_of(train(options, golden().corpus));
  for (const int threads : {2, 3}) {
    options.threads = threads;
    EXPECT_EQ(bytes_of(train(options, golden().corpus)), expected);
  }
  std::vector<std::string> backwards = golden().corpus;
  std::reverse(backwards.begin(), backwards.end());
  options.count_bytes = 1;
  EXPECT_EQ(bytes_of(train(options, backwards)), expected);
}

TEST(UnigramTrainer, TheOtherLoss) {
  UnigramTrainerOptions options = options_of({{"vocab_size", "200"}});
  const std::string old = bytes_of(train(options, golden().corpus));
  options.loss = UnigramLoss::replacing_pieces;
  EXPECT_NE(bytes_of(train(options, golden().corpus)), old);
}

TEST(UnigramTrainer, LinesOfAText) {
  const UnigramTrainerOptions options = options_of({{"vocab_size", "300"}});
  std::string text;
  for (const std::string& line : golden().corpus) text += line + "\n\n";
  text.pop_back();
  text.pop_back();
  UnigramTrainer trainer(options);
  trainer.add_lines(text);
  EXPECT_EQ(trainer.sentences(), golden().corpus.size());
  EXPECT_EQ(bytes_of(trainer.train()), bytes_of(train(options, golden().corpus)));
}

TEST(UnigramTrainer, WhatIsLeftOut) {
  UnigramTrainerOptions options = options_of({{"vocab_size", "300"}});
  options.max_sentence_length = 300;
  UnigramTrainer trainer(options);
  trainer.add("");
  trainer.add(std::string(301, 'q'));
  trainer.add("q\xE2\x96\x85q");
  trainer.add(std::string(300, 'a'));
  EXPECT_EQ(trainer.sentences(), 1u);
  EXPECT_EQ(trainer.sentences_left_out(), 2u);
}

TEST(UnigramTrainer, InvalidBytesAreReplacementCharacters) {
  UnigramTrainerOptions options = options_of({{"vocab_size", "12"}, {"character_coverage", "1"}});
  options.hard_vocab_limit = false;
  const std::map<std::string, float> scores =
      scores_of(train(options, {std::string("ab \xFF\xFE\x00 ba", 9), "ab ba \xC3"}));
  EXPECT_TRUE(scores.contains("\xEF\xBF\xBD"));
  EXPECT_FALSE(scores.contains(std::string(1, '\0')));
}

TEST(UnigramTrainer, ProgressIsReportedAndEndsWithTheVocabulary) {
  using Step = UnigramTrainerProgress::Step;
  UnigramTrainerOptions options = options_of({{"vocab_size", "200"}});
  std::vector<UnigramTrainerProgress> seen;
  options.progress = [&](const UnigramTrainerProgress& progress) { seen.push_back(progress); };
  (void)train(options, golden().corpus);
  ASSERT_GE(seen.size(), 6u);
  EXPECT_EQ(seen.front().step, Step::seeds);
  EXPECT_EQ(seen.back().step, Step::finished);
  EXPECT_EQ(seen.back().pieces, 220);
  for (size_t i = 1; i < seen.size(); ++i) EXPECT_LE(seen[i].pieces, seen[i - 1].pieces);
  EXPECT_LT(seen[2].objective, seen[1].objective);
  EXPECT_EQ(seen[3].step, Step::pruned);
}

TEST(UnigramTrainer, StopsWhenToldTo) {
  UnigramTrainerOptions options = options_of({{"vocab_size", "200"}});
  bool stop = false;
  options.stop = [&] { return stop; };
  options.progress = [&](const UnigramTrainerProgress& progress) { stop = progress.iteration == 2; };
  EXPECT_NE(error_of([&] { (void)train(options, golden().corpus); }).find("stopped"), std::string::npos);
}

TEST(UnigramTrainer, SaysWhichVocabulariesArePossible) {
  const std::string large = error_of([] { (void)train(options_of({{"vocab_size", "100000"}}), golden().corpus); });
  const size_t at = large.find("the largest possible is ");
  ASSERT_NE(at, std::string::npos) << large;
  const std::string most = large.substr(at + 24, large.find(' ', at + 24) - at - 24);
  EXPECT_EQ(train(options_of({{"vocab_size", most}}), golden().corpus).vocabulary.size(), std::stoul(most));
  EXPECT_NE(error_of([&] {
              (void)train(options_of({{"vocab_size", std::to_string(std::stoul(most) + 1)}}), golden().corpus);
            }).find("the largest possible is "),
            std::string::npos);
  UnigramTrainerOptions soft = options_of({{"vocab_size", "100000"}});
  soft.hard_vocab_limit = false;
  EXPECT_EQ(train(soft, golden().corpus).vocabulary.size(), std::stoul(most));

  const std::string small = error_of([] { (void)train(options_of({{"vocab_size", "60"}}), golden().corpus); });
  const size_t least_at = small.find("raise it to ");
  ASSERT_NE(least_at, std::string::npos) << small;
  const std::string least = small.substr(least_at + 12, small.find(' ', least_at + 12) - least_at - 12);
  EXPECT_EQ(train(options_of({{"vocab_size", least}}), golden().corpus).vocabulary.size(), std::stoul(least));
  EXPECT_NE(error_of([] {
              (void)train(options_of({{"vocab_size", "60"}}), {});
            }).find("nothing to train on"),
            std::string::npos);
}

TEST(UnigramTrainer, RefusesOptionsThatContradictEachOther) {
  const auto refused = [](auto&& change) {
    UnigramTrainerOptions options;
    change(options);
    return error_of([&] { UnigramTrainer trainer(options); });
  };
  EXPECT_NE(refused([](auto& o) { o.vocab_size = 0; }).find("vocab_size"), std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.character_coverage = 0.5f; }).find("character_coverage"), std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.character_coverage = std::nanf(""); }).find("character_coverage"),
            std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.shrinking_factor = 1; }).find("shrinking_factor"), std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.num_sub_iterations = 0; }).find("num_sub_iterations"), std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.max_sentencepiece_length = 513; }).find("max_sentencepiece_length"),
            std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.unk_id = -1; }).find("unk_id"), std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.bos_id = 0; }).find("bos_id 0"), std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.pad_id = 8000; }).find("below vocab_size"), std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.eos_piece = "<s>"; }).find("<s>"), std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.control_symbols = {"a", "a"}; }).find("twice"), std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.user_defined_symbols = {"<unk>"}; }).find("unknown piece"), std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.user_defined_symbols = {""}; }).find("empty"), std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.normalizer.escape_whitespaces = false; }).find("white space"), std::string::npos);
  EXPECT_EQ(refused([](auto&) {}), "no error");
}

TEST(UnigramTrainer, HuggingFaceForm) {
  const TokenizerSpec spec = train(options_of(golden().runs[4].flags), golden().corpus);
  const TokenizerSpec form = hugging_face_form(spec);
  const auto& unigram = std::get<model::Unigram>(form.model);
  EXPECT_EQ(unigram.unk_id, 1);
  EXPECT_TRUE(unigram.byte_fallback);
  ASSERT_EQ(unigram.scores.size(), spec.vocabulary.size());
  EXPECT_EQ(unigram.scores[300], double{std::get<model::SentencePiece>(spec.model).scores[300]});
  ASSERT_EQ(form.added_tokens.size(), 6u);  // <go> <unk> </s> <pad> <sep> 12
  EXPECT_TRUE(form.added_tokens[0].special);
  EXPECT_FALSE(form.added_tokens[5].special);
  const std::string json = format_tokenizer_json(form);
  EXPECT_EQ(format_tokenizer_json(parse_tokenizer_json(json, "form")), json);
  const TokenizerSpec suffix = train(options_of(golden().runs[1].flags), golden().corpus);
  EXPECT_NE(error_of([&] { (void)hugging_face_form(suffix); }).find("suffix"), std::string::npos);
}

}  // namespace
}  // namespace sesame
