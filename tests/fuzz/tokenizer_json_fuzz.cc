#include "sesame/text/files/tokenizer_json.h"
#include "sesame/text/tokenizer_spec.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/tokenizer_use.h"

namespace sesame::fuzz {
namespace {

void parse(std::string_view input) {
  use_tokenizer(Tokenizer(parse_tokenizer_json(input, "tokenizer.json"), "tokenizer.json"), input);
}

/// Replacements in a row, each of which makes a thousand characters of one.
std::string growth() {
  std::string steps;
  for (int i = 0; i < 4; ++i) {
    steps += (i > 0 ? "," : "") + (R"({"type":"Replace","pattern":{"String":"a"},"content":")" + repeated("a", 1000)) +
             "\"}";
  }
  return steps;
}

constexpr std::string_view kWords = R"("model":{"type":"WordLevel","vocab":{"[UNK]":0,"a":1},"unk_token":"[UNK]"}})";

std::vector<std::string> seeds() {
  return {
      R"({"version":"1.0","truncation":null,"padding":null,
"added_tokens":[{"id":6,"content":"<|endoftext|>","single_word":false,"lstrip":true,"rstrip":false,"normalized":false,"special":true}],
"normalizer":{"type":"NFKC"},"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true},
"post_processor":{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":false,"use_regex":true},
"decoder":{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true},
"model":{"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":"","end_of_word_suffix":"",
"fuse_unk":false,"byte_fallback":false,"vocab":{"a":0,"b":1,"ab":2,"Ġ":3,"Ġab":4,"aa":5},"merges":["a b","Ġ ab",["a","a"]]}})",
      R"({"added_tokens":[{"id":0,"content":"<unk>","special":true},{"id":1,"content":"<s>","special":true}],
"normalizer":{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},
{"type":"Replace","pattern":{"String":" "},"content":"▁"},{"type":"Replace","pattern":{"Regex":"a+"},"content":"aa"},
{"type":"Lowercase"},{"type":"StripAccents"},{"type":"Strip","strip_left":true,"strip_right":true}]},
"pre_tokenizer":{"type":"Metaspace","replacement":"▁","prepend_scheme":"first","split":true},
"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],
"pair":[],"special_tokens":{"<s>":{"id":"<s>","ids":[1],"tokens":["<s>"]}}},
"decoder":{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},
{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]},
"model":{"type":"BPE","unk_token":"<unk>","fuse_unk":true,"byte_fallback":true,"ignore_merges":true,
"vocab":{"<unk>":0,"<s>":1,"<0x41>":2,"<0xFF>":3,"▁":4,"a":5,"▁a":6,"aa":7},"merges":[["▁","a"],"a a"]}})",
      R"({"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Digits","individual_digits":true},
{"type":"Split","pattern":{"Regex":"[\\s\\S]"},"behavior":"Isolated","invert":false}]},
"decoder":{"type":"Strip","content":"a","start":1,"stop":1},"model":{"type":"WordLevel","vocab":{"[UNK]":0,"a":1,"b":2},"unk_token":"[UNK]"}})",
      R"({"decoder":{"type":"Strip","content":"","start":2147483647,"stop":2147483647},)" + std::string(kWords),
      R"({"decoder":{"type":"Sequence","decoders":[)" + growth() + "]}," + std::string(kWords),
      R"({"normalizer":{"type":"Sequence","normalizers":[)" + growth() + "]}," + std::string(kWords)};
}

const Target target("tokenizer_json", parse, seeds);

}  // namespace
}  // namespace sesame::fuzz
