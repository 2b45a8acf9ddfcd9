// Compares Sesame's ids with the originals': `tests/oracle/run --help`.

import {execFileSync} from "node:child_process";
import {isUtf8} from "node:buffer";
import {appendFileSync, existsSync, mkdirSync, writeFileSync} from "node:fs";
import {join, resolve} from "node:path";
import {parseArgs} from "node:util";
import {writeGolden, writeGoldenTexts, writeGoldenToys} from "./golden.mjs";
import {Program} from "./oracles.mjs";
import {shrink} from "./shrink.mjs";
import {categories, readText} from "./texts.mjs";
import {tokenizers} from "./tokenizers.mjs";

const BATCH = 1000;

const {values: options} = parseArgs({options: {
  sesame: {type: "string"}, work: {type: "string"}, data: {type: "string"}, packages: {type: "string"}, sentencepiece: {type: "string"},
  "sentencepiece-version": {type: "string", default: ""}, tokenizers: {type: "string", default: ""}, categories: {type: "string", default: ""},
  count: {type: "string", default: "20000"}, seed: {type: "string", default: "1"}, megabytes: {type: "string", default: "0.3"},
  vocab: {type: "string", multiple: true}, tokenizer: {type: "string", multiple: true}, report: {type: "string"}, "write-golden": {type: "string"},
  show: {type: "string", default: "1"},
}});

/// What spm_train learns from: texts of the data directory, or what stands in this folder.
function trainingCorpus() {
  const path = join(options.work, "corpus.txt");
  if (existsSync(path)) return path;
  const wanted = options.data ? ["english/mix/novel_botchan.txt", "multilingual/udhr_sample.txt", "chinese/tang300.json"] : [];
  const parts = wanted.map(name => join(options.data, name)).filter(existsSync).map(readText);
  if (parts.length === 0) parts.push(readText(join(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "edge_cases.mjs")));
  writeFileSync(path, Buffer.concat(parts));
  return path;
}

const lossy = bytes => Buffer.from(bytes.toString());
const sameIds = (a, b) => a.length === b.length && a.every((id, i) => id === b[i]);

/// "" where both agree on a text, else what differs: "ids", "decoded", "offsets", "error".
function difference(expected, got) {
  if (expected.error !== undefined || got.error !== undefined) return expected.error !== undefined && got.error !== undefined ? "" : "error";
  if (!sameIds(expected.ids, got.ids)) return "ids";
  if (!lossy(expected.decoded).equals(lossy(got.decoded))) return "decoded";
  return got.offsets === undefined || sameIds(expected.offsets, got.offsets) ? "" : "offsets";
}

/// Texts that the oracle takes; of others what is compared is that Sesame alone gives them back.
async function compareCategory(texts, oracle, sesame, lossless) {
  const result = {texts: 0, ids: 0, decoded: 0, offsets: 0, error: 0, lost: 0, first: new Map()};
  const found = (kind, text) => {
    ++result[kind];
    const kept = result.first.get(kind) ?? [];
    if (kept.length < Number(options.show)) result.first.set(kind, [...kept, text]);
  };
  let batch = [];
  const finish = async () => {
    const comparable = batch.filter(text => oracle.bytes || isUtf8(text));
    const [expected, got] = await Promise.all([oracle.answer(comparable), sesame.answer(batch)]);
    let at = 0;
    batch.forEach((text, i) => {
      const compared = oracle.bytes || isUtf8(text);
      if (compared) {
        const kind = difference(expected[at++], got[i]);
        if (kind) found(kind, text);
      }
      if (lossless && (got[i].error !== undefined || !got[i].decoded.equals(text))) found("lost", text);
    });
    result.texts += batch.length;
    batch = [];
  };
  for (const text of texts) {
    batch.push(Buffer.from(text));
    if (batch.length === BATCH) await finish();
  }
  if (batch.length > 0) await finish();
  return result;
}

async function describe(kind, text, oracle, sesame) {
  const differs = async candidate => {
    const [got] = await sesame.answer([candidate]);
    if (kind === "lost") return got.error !== undefined || !got.decoded.equals(candidate);
    if (!oracle.bytes && !isUtf8(candidate)) return false;
    const [expected] = await oracle.answer([candidate]);
    return difference(expected, got) === kind;
  };
  const smallest = await shrink(text, isUtf8(text), differs);
  const plain = ({ids, decoded, offsets, error}) => (error !== undefined ? {error} : {ids, decoded: decoded.toString(), offsets});
  const [got] = await sesame.answer([smallest]);
  const expected = kind === "lost" ? {decoded: smallest.toString()} : plain((await oracle.answer([smallest]))[0]);
  return {kind, text: isUtf8(smallest) ? smallest.toString() : {hex: smallest.toString("hex")}, expected, got: plain(got)};
}

/// The names of `list` that the option names, less those that stand in it behind a "-".
function chosen(list, option) {
  const matches = one => name => (one.endsWith("*") ? name.startsWith(one.slice(0, -1)) : one === name);
  const words = option === "" ? [] : option.split(",");
  const wanted = words.filter(word => !word.startsWith("-")).map(matches);
  const unwanted = words.filter(word => word.startsWith("-")).map(word => matches(word.slice(1)));
  return list.filter(name => (wanted.length === 0 || wanted.some(one => one(name))) && !unwanted.some(one => one(name)));
}

async function compareTokenizer(tokenizer) {
  let oracle, sesame;
  try {
    oracle = tokenizer.oracle();
    sesame = new Program(options.sesame, [...tokenizer.sesame, ...(oracle.offsets ? ["--offsets"] : [])], oracle.offsets);
    await sesame.answer([]);
    await sesame.answer([Buffer.from("a")]);
  } catch (error) {
    console.log(`${tokenizer.name.padEnd(24)} not compared: ${String(error.message).split("\n")[0]}`);
    return true;
  }
  const vocabulary = await oracle.vocabulary();
  const generators = categories({data: options.data, vocabulary: () => vocabulary, seed: Number(options.seed), count: Number(options.count),
    megabytes: Number(options.megabytes)});
  let same = true;
  for (const category of chosen(Object.keys(generators), options.categories)) {
    if (tokenizer.only && !tokenizer.only.includes(category)) continue;
    const began = Date.now();
    const result = await compareCategory(generators[category](), oracle, sesame, tokenizer.lossless);
    const seconds = ((Date.now() - began) / 1000).toFixed(1);
    console.log(`${tokenizer.name.padEnd(24)} ${category.padEnd(12)} ${String(result.texts).padStart(8)} ${String(result.ids).padStart(8)} ` +
      `${String(result.decoded).padStart(8)} ${String(oracle.offsets ? result.offsets : "-").padStart(8)} ${String(result.error).padStart(8)} ${String(tokenizer.lossless ? result.lost : "-").padStart(8)} ${seconds.padStart(7)}`);
    for (const [kind, texts] of result.first) {
      for (const text of texts) {
        const report = JSON.stringify({tokenizer: tokenizer.name, oracle: oracle.name, category, ...(await describe(kind, text, oracle, sesame))});
        console.log("    " + (report.length > 400 ? report.slice(0, 400) + "..." : report));
        if (options.report) appendFileSync(options.report, report + "\n");
      }
    }
    same &&= result.first.size === 0;
  }
  oracle.close();
  sesame.close();
  return same;
}

async function writeAllGolden(list, directory) {
  writeGoldenTexts(directory);
  for (const tokenizer of list.filter(one => one.golden)) {
    const oracle = tokenizer.oracle();
    await writeGolden(directory, tokenizer, oracle);
    oracle.close();
  }
  await writeGoldenToys(directory, list.filter(one => one.toy).map(({name, toy, oracle}) => ({name, json: toy, oracle: oracle()})));
}

async function main() {
  for (const name of ["work", "data", "packages", "sesame"]) if (options[name]) options[name] = resolve(options[name]);
  mkdirSync(options.work, {recursive: true});
  const list = tokenizers({...options, corpus: trainingCorpus(), sentencepieceVersion: options["sentencepiece-version"], vocabularies: options.vocab,
    more: options.tokenizer});
  const names = chosen(list.map(tokenizer => tokenizer.name), options.tokenizers);
  const wanted = list.filter(one => names.includes(one.name));
  if (options["write-golden"]) return writeAllGolden(wanted, resolve(options["write-golden"]));
  console.log(`${"tokenizer".padEnd(24)} ${"category".padEnd(12)} ${"texts".padStart(8)} ${"ids".padStart(8)} ${"decoded".padStart(8)} ${"offsets".padStart(8)} ${"error".padStart(8)} ` +
    `${"lost".padStart(8)} ${"seconds".padStart(7)}`);
  let same = true;
  for (const tokenizer of wanted) same = (await compareTokenizer(tokenizer)) && same;
  process.exit(same ? 0 : 1);
}

await main();
