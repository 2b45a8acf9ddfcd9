#include "sesame/text/files/tokenizer_json.h"
#include "sesame/text/tokenizer_spec.h"
#include "tests/fuzz/small_tokenizers.h"
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

constexpr std::string_view kManyPreTokenizers = R"({"pre_tokenizer":{"type":"Sequence","pretokenizers":[
{"type":"Whitespace"},{"type":"WhitespaceSplit"},{"type":"Punctuation","behavior":"Contiguous"},
{"type":"Digits","individual_digits":false},{"type":"CharDelimiterSplit","delimiter":"x"},{"type":"UnicodeScripts"},
{"type":"FixedLength","length":3},{"type":"BertPreTokenizer"},
{"type":"Split","pattern":{"String":"-"},"behavior":"MergedWithNext","invert":true}]},
"decoder":{"type":"CTC","pad_token":"<pad>","word_delimiter_token":"|","cleanup":true},
"model":{"type":"WordLevel","vocab":{"[UNK]":0,"a":1,"the":2,"<pad>":3,"|":4},"unk_token":"[UNK]"}})";

constexpr std::string_view kManyNormalizers = R"({"truncation":{"direction":"Left","max_length":9,
"strategy":"LongestFirst","stride":2},"padding":{"strategy":{"Fixed":12},"direction":"Right","pad_to_multiple_of":8,
"pad_id":3,"pad_type_id":0,"pad_token":"<pad>"},"normalizer":{"type":"Sequence","normalizers":[{"type":"Nmt"},
{"type":"NFKD"},{"type":"StripAccents"},{"type":"Lowercase"},{"type":"Strip","strip_left":true,"strip_right":false},
{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true}]},
"pre_tokenizer":{"type":"WhitespaceSplit"},"post_processor":{"type":"RobertaProcessing","sep":["</s>",2],"cls":["<s>",1],
"trim_offsets":true,"add_prefix_space":false},"decoder":{"type":"BPEDecoder","suffix":"</w>"},
"model":{"type":"BPE","unk_token":"<unk>","continuing_subword_prefix":"##","end_of_word_suffix":"</w>","fuse_unk":true,
"vocab":{"<unk>":0,"<s>":1,"</s>":2,"<pad>":3,"a":4,"##b":5,"ab":6,"##b</w>":7,"ab</w>":8,"a</w>":9},
"merges":[["a","##b"],["a","##b</w>"]]}})";

constexpr std::string_view kAddedTokens = R"({"added_tokens":[
{"id":3,"content":"<s>","single_word":true,"lstrip":true,"rstrip":true,"normalized":false,"special":true},
{"id":4,"content":"THE","single_word":false,"lstrip":false,"rstrip":true,"normalized":true,"special":false},
{"id":5,"content":"<s","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":false}],
"normalizer":{"type":"Lowercase"},"pre_tokenizer":{"type":"Metaspace","replacement":"_","prepend_scheme":"always",
"split":false},"post_processor":{"type":"Sequence","processors":[{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true},
{"type":"BertProcessing","sep":["<s>",3],"cls":["<s>",3]}]},"decoder":{"type":"Metaspace","replacement":"_",
"prepend_scheme":"first","split":true},"model":{"type":"Unigram","unk_id":0,"byte_fallback":false,
"vocab":[["<unk>",0],["_",-1.5],["a",-2.25]]}})";

std::vector<std::string> seeds() {
  std::vector<std::string> all = {
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
  for (const std::string_view seed : {kManyPreTokenizers, kManyNormalizers, kAddedTokens}) all.emplace_back(seed);
  for (const SmallTokenizer& small : small_tokenizers()) {
    if (small.name == "BERT" || small.name.ends_with("Unigram"))
      all.push_back(Tokenizer(small.spec, small.name).to_json());
  }
  return all;
}

const Target target("tokenizer_json", parse, seeds);

}  // namespace
}  // namespace sesame::fuzz
