#include "sesame/models/gpt_config.h"

#include <gtest/gtest.h>

#include <string>

#include "sesame/base/error.h"

namespace sesame {
namespace {

std::string refusal(GptConfig config) {
  try {
    resolved(config, "x.toml: model");
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::usage);
    return error.what();
  }
  return "accepted";
}

GptConfig llama() { return default_config(Family::llama); }

TEST(GptConfig, RulesFillWhatIsZero) {
  const GptConfig gpt2 = resolved(default_config(Family::gpt2), "test");
  EXPECT_EQ(gpt2.inner, 3072);
  EXPECT_EQ(gpt2.head_dim, 64);
  EXPECT_EQ(gpt2.kv_heads, 12);
  GptConfig config = llama();
  config.width = 384;
  config.heads = 6;
  config = resolved(config, "test");
  EXPECT_EQ(config.inner, 1024);
  EXPECT_EQ(config.kv_heads, 6);
  EXPECT_EQ(config.head_dim, 64);
  EXPECT_EQ(resolved(config, "test"), config);
}

TEST(GptConfig, RefusalsNameTheKeyInTheFamilysSpelling) {
  GptConfig config;
  config.heads = 7;
  EXPECT_EQ(refusal(config), "x.toml: model: n_head = 7: expected a divisor of n_embd = 768");
  config = llama();
  config.heads = 7;
  EXPECT_EQ(refusal(config), "x.toml: model: num_attention_heads = 7: expected a divisor of hidden_size = 768");
  config = llama();
  config.kv_heads = 5;
  EXPECT_EQ(refusal(config), "x.toml: model: num_key_value_heads = 5: expected a divisor of num_attention_heads = 12");
  config = llama();
  config.head_dim = 33;
  EXPECT_EQ(refusal(config),
            "x.toml: model: head_dim = 33: expected an even number: rotary positions turn pairs of channels");
}

TEST(GptConfig, RefusesSizesThatMakeNoSense) {
  for (const auto member : {&GptConfig::vocab_size, &GptConfig::context, &GptConfig::width, &GptConfig::layers,
                            &GptConfig::heads, &GptConfig::inner, &GptConfig::kv_heads}) {
    for (const int64_t size : {int64_t{-1}, INT64_MIN, INT64_MAX}) {
      GptConfig config = llama();
      config.*member = size;
      EXPECT_NE(refusal(config), "accepted") << size;
    }
  }
  for (const double rate : {-0.1, 1.0, 2.0, 0.0 / 0.0}) {
    GptConfig config;
    config.dropout = rate;
    EXPECT_NE(refusal(config), "accepted") << rate;
  }
  GptConfig config;
  config.epsilon = 0;
  EXPECT_NE(refusal(config), "accepted");
}

TEST(GptFields, AreFoundUnderTheFamilysNames) {
  ASSERT_NE(find_gpt_field(Family::gpt2, "n_embd"), nullptr);
  EXPECT_EQ(find_gpt_field(Family::gpt2, "n_embd"), find_gpt_field(Family::llama, "hidden_size"));
  EXPECT_EQ(find_gpt_field(Family::gpt2, "hidden_size"), find_gpt_field(Family::gpt2, "n_embd"));
  EXPECT_EQ(find_gpt_field(Family::llama, "n_embd"), nullptr);
  EXPECT_EQ(find_gpt_field(Family::gpt2, "num_key_value_heads"), nullptr);
  EXPECT_EQ(find_gpt_field(Family::gpt2, ""), nullptr);
  EXPECT_NE(find_gpt_field(Family::gpt2, "dropout"), nullptr);
}

TEST(GptConfig, PrintsEveryFieldOfItsFamily) {
  EXPECT_EQ(
      to_string(default_config(Family::gpt2)),
      "gpt2: vocab_size 50257, n_positions 1024, n_embd 768, n_layer 12, n_head 12, n_inner 0, layer_norm_epsilon "
      "1e-05, tie_word_embeddings true, initializer_range 0.02, dropout 0");
}

TEST(ParseFamily, NamesTheKnownFamilies) {
  EXPECT_EQ(parse_family("llama", "model.model_type"), Family::llama);
  try {
    parse_family("lama", "model.model_type");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "model.model_type = \"lama\": this model family is not known (did you mean \"llama\"?); known: gpt2, "
                 "llama");
  }
}

}  // namespace
}  // namespace sesame
