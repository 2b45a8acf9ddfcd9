#include <cstring>
#include <memory>

#include "sesame/base/hash.h"
#include "sesame/base/thread_pool.h"
#include "sesame/text/encode/make_encoder.h"
#include "sesame/text/tokenizer.h"
#include "sesame/text/unicode/unicode.h"
#include "tests/fuzz/small_tokenizers.h"
#include "tests/fuzz/target.h"

namespace sesame::fuzz {
namespace {

/// A small tokenizer in all the ways in which it can encode. The states and caches live as long as the program, as they
/// do in one that encodes many texts.
struct Family {
  SmallTokenizer small;
  Tokenizer tokenizer;
  std::unique_ptr<TextEncoder> fused;
  std::unique_ptr<TextEncoder> plain;
  std::unique_ptr<TextEncoder::State> fused_state;
  std::unique_ptr<TextEncoder::State> plain_state;

  explicit Family(SmallTokenizer given)
      : small(std::move(given)),
        tokenizer(small.spec, small.name),
        fused(make_text_encoder(small.spec, small.name)),
        plain(make_pipeline_encoder(small.spec, small.name)),
        fused_state(fused->make_state()),
        plain_state(plain->make_state()) {}
};

std::vector<Family>& families() {
  static std::vector<Family> all = [] {
    std::vector<Family> made;
    for (SmallTokenizer& small : small_tokenizers()) made.emplace_back(std::move(small));
    return made;
  }();
  return all;
}

std::vector<int32_t> encode_with(const TextEncoder& encoder, TextEncoder::State& state, std::string_view text) {
  IdBuffer ids;
  encoder.encode(text, StretchStart::text, state, ids);
  return {ids.ids().begin(), ids.ids().end()};
}

void check_cuts(Family& family, std::string_view text, const std::vector<int32_t>& whole) {
  const size_t cut = family.fused->next_cut(text, text.size() / 3 + 1);
  if (cut >= text.size()) return;
  IdBuffer ids;
  family.fused->encode(text.substr(0, cut), StretchStart::text, *family.fused_state, ids);
  family.fused->encode(text.substr(cut), StretchStart::none, *family.fused_state, ids);
  require(std::equal(ids.ids().begin(), ids.ids().end(), whole.begin(), whole.end()),
          family.small.name + ": a text that is cut where it may be has the ids of the whole");
}

void check_threads(const Tokenizer& tokenizer, std::string_view text, const std::vector<int32_t>& whole) {
  static ThreadPool threads(2);
  require(tokenizer.encode(text, {}, threads) == whole, "several threads give what one gives");
  require(tokenizer.count(text) == whole.size(), "count gives how many ids encode has");
  const std::string_view half = text.substr(text.size() / 2);
  const std::vector<std::string_view> texts = {text, half, "", text};
  const Tokenizer::Batch batch = tokenizer.encode_batch(texts, {}, threads);
  for (size_t i = 0; i < texts.size(); ++i) {
    const std::vector<int32_t> one = tokenizer.encode(texts[i]);
    require(std::equal(batch[i].begin(), batch[i].end(), one.begin(), one.end()), "a batch is its texts one by one");
  }
}

/// Any ids: decode and the stream of the same ids agree wherever the bytes are text.
void check_decode(const Tokenizer& tokenizer, std::string_view input) {
  std::vector<int32_t> ids;
  for (size_t at = 0; at + 2 <= input.size() && ids.size() < 500; at += 2) {
    uint16_t number = 0;
    std::memcpy(&number, input.data() + at, sizeof number);
    ids.push_back(number % tokenizer.vocabulary_size());
  }
  allow_error([&] {
    const std::string decoded = tokenizer.decode(ids, false);
    StreamDecoder stream(tokenizer, {.skip_special = false});
    std::string streamed;
    for (const int32_t id : ids) streamed += stream.push(id);
    streamed += stream.finish();
    if (find_invalid_utf8(decoded) == decoded.size())
      require(streamed == decoded, "a stream decodes as the whole does");
  });
  allow_error([&] {
    static_cast<void>(tokenizer.decode({{tokenizer.vocabulary_size()}}, false));
    require(false, "an id outside the vocabulary is refused");
  });
}

/// The content chooses the tokenizer: a thread keeps the states of few.
void parse(std::string_view input) {
  Family& family = families()[xxh3(input) % families().size()];
  const std::vector<int32_t> fused = encode_with(*family.fused, *family.fused_state, input);
  const std::vector<int32_t> plain = encode_with(*family.plain, *family.plain_state, input);
  require(fused == plain, family.small.name + ": the fused encoder gives the ids of stage after stage");
  check_cuts(family, input, fused);
  const std::vector<int32_t> whole = family.tokenizer.encode(input);
  if (family.small.lossless) {
    require(family.tokenizer.decode(whole, false) == input, family.small.name + ": decode gives back the text");
  }
  check_threads(family.tokenizer, input, whole);
  check_decode(family.tokenizer, input);
}

std::vector<std::string> seeds() {
  return {"It's the aaab test, 12345 (don't)\r\n\n  end \t!?  x",
          "o\xcc\x88 ö Ⅵ½ ſ'ſ 中文 한국 \xe2\x96\x81 <sep> <0x41> ABab \xef\xbc\xa1",
          std::string("\0\xff\xc3(\xe2\x96\xed\xa0\x80 a\x80\xf4\x90\x80\x80", 18),
          repeated("a", 70) + repeated(" ", 70) + repeated("\n", 40) + repeated("ab the ", 40),
          "👍🏽 👨‍👩‍👧 e\u0301\u0323 \u1100\u1161\u11a8 HTTPServer iPhone's <|endoftext|><s> [UNK]",
          ""};
}

const Target target("tokenizer_encode", parse, seeds);

}  // namespace
}  // namespace sesame::fuzz
