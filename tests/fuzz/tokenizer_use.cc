#include "tests/fuzz/tokenizer_use.h"

#include "sesame/text/files/tokenizer_json.h"
#include "sesame/text/tokenizer_spec.h"
#include "sesame/text/unicode/unicode.h"
#include "tests/fuzz/target.h"

namespace sesame::fuzz {
namespace {

void encode_and_decode(const Tokenizer& tokenizer, std::string_view text) {
  const std::vector<int32_t> ids = tokenizer.encode(text, {.parse_special = true, .add_special = true});
  StreamDecoder stream(tokenizer, {.skip_special = false});
  std::string streamed;
  for (const int32_t id : ids) {
    require(tokenizer.contains(id), "encode gives ids of the vocabulary");
    streamed += stream.push(id);
  }
  streamed += stream.finish();
  const std::string decoded = tokenizer.decode(ids, false);
  if (find_invalid_utf8(decoded) == decoded.size()) require(streamed == decoded, "a stream decodes as the whole does");
}

}  // namespace

void use_tokenizer(const Tokenizer& tokenizer, std::string_view text) {
  constexpr std::string_view kBytes("\0\xff\xc3(\xe2\x96\x81\xed\xa0\x80", 10);
  for (const std::string_view sample : {std::string_view("Hello, w\xc3\xb6rld  12345\n\n a"), kBytes,
                                        std::string_view("aaaaaaaaaaaaaaaa"), text.substr(0, 2000)}) {
    allow_error([&] { encode_and_decode(tokenizer, sample); });
  }
  for (int32_t id = 0; id < tokenizer.vocabulary_size(); id += 1 + tokenizer.vocabulary_size() / 64) {
    if (tokenizer.contains(id)) require(tokenizer.token(id).size() < (1 << 20), "tokens are as short as the file");
  }
  require(!tokenizer.describe().empty(), "a tokenizer can be described");
  const std::string json = tokenizer.to_json();
  // What was accepted once is written so that it is accepted again.
  try {
    const Tokenizer again(parse_tokenizer_json(json, "again"), "again");
    require(again.to_json() == json, "tokenizer.json is written as it was read");
  } catch (const std::exception& error) {
    require(false, std::string("tokenizer.json that was written can be read: ") + error.what());
  }
}

}  // namespace sesame::fuzz
