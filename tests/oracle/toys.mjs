// Small tokenizers, one for each stage of a tokenizer.json and each of its settings. Their model shows what the stages in
// front of it did: a token is a byte, with one id where it begins a piece and another where it does not.

const PATTERNS = {
  gpt2: String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`,
  llama3: String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
  cl100k: String.raw`'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s`,
  qwen2: String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
  "qwen3.5": String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
  o200k: String.raw`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
  tekken: String.raw`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
  words: String.raw`\w+|[^\w\s]+`,
  bounds: String.raw`\b\w|\d+|(?<=a)b|(?=c)\S+`,
  properties: String.raw`\p{Lu}+|\p{Han}+|\p{P}+|\p{Sc}|[[:alpha:]]+|\h+`,
  folded: String.raw`(?i)straße|[a-k]+|ſ+`,
};
const DEEPSEEK = [String.raw`\p{N}{1,3}`, "[一-龥぀-ゟ゠-ヿ]+",
  "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"];
const BEHAVIORS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"];

const split = (regex, behavior = "Isolated", invert = false) => ({type: "Split", pattern: {Regex: regex}, behavior, invert});
const sequence = (...pretokenizers) => ({type: "Sequence", pretokenizers});
const normalizers = (...list) => ({type: "Sequence", normalizers: list});
const byteLevel = (use_regex, add_prefix_space = false) => ({type: "ByteLevel", add_prefix_space, trim_offsets: true, use_regex});
const replace = (pattern, content) => ({type: "Replace", pattern, content});
const bert = (clean_text, handle_chinese_chars, strip_accents, lowercase) =>
  ({type: "BertNormalizer", clean_text, handle_chinese_chars, strip_accents, lowercase});
const metaspace = (prepend_scheme, splits) => ({type: "Metaspace", replacement: "▁", prepend_scheme, split: splits});
const added = (content, settings) => ({content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: false, ...settings});

/// GPT-2's characters for the 256 bytes.
function byteAlphabet() {
  let next = 256;
  return Array.from({length: 256}, (_, byte) => {
    const itself = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    return String.fromCodePoint(itself ? byte : next++);
  });
}

const BYTES_OF_PIECES = Object.fromEntries([...byteAlphabet(), ...byteAlphabet().map(c => "##" + c)].map((token, id) => [token, id]));

function toy({normalizer = null, pre_tokenizer = byteLevel(false), tokens = [], model}) {
  const vocab = model?.vocab ?? BYTES_OF_PIECES;
  const size = Array.isArray(vocab) ? vocab.length : Object.keys(vocab).length;
  return JSON.stringify({
    version: "1.0", truncation: null, padding: null, added_tokens: tokens.map((token, i) => ({id: size + i, ...token})), normalizer, pre_tokenizer,
    post_processor: null, decoder: null,
    model: model ?? {type: "BPE", dropout: null, unk_token: null, continuing_subword_prefix: "##", end_of_word_suffix: null, fuse_unk: false,
      byte_fallback: false, ignore_merges: false, vocab, merges: []},
  });
}

const inBytes = (...steps) => ({pre_tokenizer: sequence(...steps, byteLevel(false))});

const NORMALIZERS = {
  nfc: {type: "NFC"}, nfd: {type: "NFD"}, nfkc: {type: "NFKC"}, nfkd: {type: "NFKD"}, lowercase: {type: "Lowercase"}, nmt: {type: "Nmt"},
  "strip-accents": normalizers({type: "NFD"}, {type: "StripAccents"}), "strip-accents-alone": {type: "StripAccents"},
  strip: {type: "Strip", strip_left: true, strip_right: true}, "strip-left": {type: "Strip", strip_left: true, strip_right: false},
  prepend: {type: "Prepend", prepend: "▁"}, "replace-string": replace({String: "  "}, "_"), "replace-regex": replace({Regex: String.raw`\s{2,}|a(?=b)`}, "-"),
  "replace-empty": replace({String: "a"}, ""), llama: normalizers({type: "Prepend", prepend: "▁"}, replace({String: " "}, "▁")),
  albert: normalizers(replace({String: "``"}, "\""), replace({String: "''"}, "\""), {type: "NFKD"}, {type: "StripAccents"}, {type: "Lowercase"}),
  "bert-all": bert(true, true, null, true), "bert-cased": bert(true, true, null, false), "bert-clean": bert(true, false, false, false),
  "bert-chinese": bert(false, true, false, false), "bert-accents": bert(false, false, true, false), "bert-lower": bert(false, false, false, true),
};

function* preTokenizers() {
  for (const [name, pattern] of Object.entries(PATTERNS)) yield [`split-${name}`, inBytes(split(pattern))];
  yield ["split-deepseek", inBytes(...DEEPSEEK.map(pattern => split(pattern)))];
  for (const behavior of BEHAVIORS) {
    for (const invert of [false, true]) yield [`split-${behavior}${invert ? "-inverted" : ""}`, inBytes(split(String.raw`\s+|[0-9]`, behavior, invert))];
    yield [`split-string-${behavior}`, inBytes({type: "Split", pattern: {String: " "}, behavior, invert: false})];
    yield [`punctuation-${behavior}`, inBytes({type: "Punctuation", behavior})];
  }
  yield ["byte-level", {pre_tokenizer: byteLevel(true)}];
  yield ["byte-level-prefix", {pre_tokenizer: byteLevel(true, true)}];
  for (const type of ["BertPreTokenizer", "Whitespace", "WhitespaceSplit", "UnicodeScripts"]) yield [type, inBytes({type})];
  for (const individual_digits of [false, true]) yield [`digits-${individual_digits}`, inBytes({type: "Digits", individual_digits})];
  for (const scheme of ["always", "first", "never"]) for (const splits of [false, true]) yield [`metaspace-${scheme}-${splits}`, inBytes(metaspace(scheme, splits))];
  yield ["delimiter", inBytes({type: "CharDelimiterSplit", delimiter: "'"})];
  yield ["fixed-length", inBytes({type: "FixedLength", length: 3})];
  yield ["falcon", inBytes({type: "Punctuation", behavior: "Contiguous"}, byteLevel(true), {type: "Digits", individual_digits: false}, split("[0-9][0-9][0-9]"))];
  yield ["starcoder", {pre_tokenizer: sequence({type: "Digits", individual_digits: true}, byteLevel(true))}];
}

const TOKENS = {
  plain: {tokens: [added("<s>"), added("</s>"), added("<|im"), added("<|im_start|>"), added("the")]},
  special: {tokens: [added("<s>", {special: true}), added("[MASK]", {special: true, lstrip: true}), added("<|endoftext|>", {special: true})]},
  strips: {tokens: [added("<s>", {lstrip: true}), added("</s>", {rstrip: true}), added("[MASK]", {lstrip: true, rstrip: true})]},
  "single-word": {tokens: [added("<s>", {single_word: true}), added("the", {single_word: true}), added("中", {single_word: true}), added("ab", {single_word: true})]},
  normalized: {normalizer: {type: "Lowercase"}, tokens: [added("THE", {normalized: true}), added("of", {normalized: true, lstrip: true}), added("HTTP")]},
  "normalized-prefix": {normalizer: NORMALIZERS.llama, tokens: [added("<s>", {normalized: false}), added("of", {normalized: true}), added(" a", {normalized: true})]},
  metaspace: {pre_tokenizer: sequence(metaspace("first", false), byteLevel(false)), tokens: [added("<s>"), added("中")]},
};

// Letters, some merges of them, and what happens to all other characters.
const LETTERS = ["<unk>", ..."abcdefghijklmnopqrstuvwxyz ▁中文é".split(""), "##a", "##b", "##c", "##ab", "ab", "abc", "the", "he", "th", " t", "aa", "aaa", "c</w>", "b</w>"];
const VOCAB = Object.fromEntries(LETTERS.map((token, id) => [token, id]));
const WITH_BYTES = {...VOCAB, ...Object.fromEntries(Array.from({length: 256}, (_, i) =>
  [`<0x${i.toString(16).toUpperCase().padStart(2, "0")}>`, LETTERS.length + i]))};
const MERGES = ["t h", "h e", "th e", "a b", "ab c", "a a", "aa a", "  t"].filter(merge => merge !== "  t").map(merge => merge.split(" ")).concat([[" ", "t"]]);
const bpe = settings => ({pre_tokenizer: null, model: {type: "BPE", dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null,
  fuse_unk: false, byte_fallback: false, ignore_merges: false, vocab: VOCAB, merges: MERGES, ...settings}});
const PIECES = [["<unk>", 0], ["▁", -2], ["a", -3], ["b", -3.5], ["ab", -5], ["aa", -5], ["o", -3], ["oo", -6], ["n", -3.2], ["no", -6.2], ["the", -4], ["▁the", -4.5],
  ["t", -4], ["h", -4], ["e", -4], ["中", -7], ["文", -7.1], ["中文", -9], ["é", -6]];
const unigram = (settings, extra = {}) => ({pre_tokenizer: metaspace("always", true), ...extra, model: {type: "Unigram", unk_id: 0, byte_fallback: false,
  vocab: PIECES, ...settings}});
const BYTE_PIECES = [...PIECES, ...Array.from({length: 256}, (_, i) => [`<0x${i.toString(16).toUpperCase().padStart(2, "0")}>`, -12])];
const wordPiece = settings => ({pre_tokenizer: {type: "BertPreTokenizer"}, model: {type: "WordPiece", unk_token: "<unk>", continuing_subword_prefix: "##",
  max_input_chars_per_word: 100, vocab: VOCAB, ...settings}});

const MODELS = {
  "bpe-dropped": bpe({}), "bpe-unk": bpe({unk_token: "<unk>"}), "bpe-fused": bpe({unk_token: "<unk>", fuse_unk: true}),
  "bpe-bytes": bpe({unk_token: "<unk>", byte_fallback: true, vocab: WITH_BYTES}), "bpe-bytes-fused": bpe({unk_token: "<unk>", fuse_unk: true, byte_fallback: true, vocab: WITH_BYTES}),
  "bpe-some-bytes": bpe({unk_token: "<unk>", byte_fallback: true, vocab: Object.fromEntries(Object.entries(WITH_BYTES).filter(([, id]) => id < LETTERS.length + 0xc4))}),
  "bpe-ignore": {...bpe({ignore_merges: true, unk_token: "<unk>"}), pre_tokenizer: {type: "WhitespaceSplit"}},
  "bpe-suffix": {...bpe({end_of_word_suffix: "</w>", unk_token: "<unk>", merges: [["a", "b</w>"]].filter(() => false)}), pre_tokenizer: {type: "WhitespaceSplit"}},
  "bpe-prefix": {...bpe({continuing_subword_prefix: "##", unk_token: "<unk>", merges: [["a", "##b"], ["##a", "##b"]]}), pre_tokenizer: {type: "WhitespaceSplit"}},
  "unigram": unigram({}), "unigram-whole": unigram({}, {pre_tokenizer: null}), "unigram-bytes": unigram({byte_fallback: true, vocab: BYTE_PIECES}),
  "wordpiece": wordPiece({}), "wordpiece-short": wordPiece({max_input_chars_per_word: 3}),
  "wordlevel": {pre_tokenizer: {type: "Whitespace"}, model: {type: "WordLevel", unk_token: "<unk>", vocab: VOCAB}},
};

/// [[name, tokenizer.json]].
export function toys() {
  return [...Object.entries(NORMALIZERS).map(([name, normalizer]) => [`normalizer-${name}`, {normalizer}]), ...preTokenizers(),
    ...Object.entries(TOKENS).map(([name, parts]) => [`added-${name}`, parts]), ...Object.entries(MODELS).map(([name, parts]) => [`model-${name}`, parts]),
  ].map(([name, parts]) => [name, toy(parts)]);
}
