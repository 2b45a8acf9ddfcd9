// Writes tests/golden/tokenizers: the edge cases, and what the originals make of them. tests/tokenizer_golden_test.cc
// reads the files.

import {mkdirSync, writeFileSync} from "node:fs";
import {isUtf8} from "node:buffer";
import {join} from "node:path";
import {crc32} from "node:zlib";
import {edgeTexts} from "./edge_cases.mjs";

const LONGEST = 160;  // bytes of a text whose ids are kept
const goldenTexts = () => edgeTexts().filter(({text}) => text.length <= LONGEST);

const asJson = text => (isUtf8(text) ? JSON.stringify(text.toString()) : JSON.stringify({hex: text.toString("hex")}));

/// texts.json: one line a text, with the number and the name of its case.
export function writeGoldenTexts(directory) {
  mkdirSync(directory, {recursive: true});
  const lines = goldenTexts().map(({number, name, text}) => `[${number},${JSON.stringify(name)},${asJson(text)}]`);
  writeFileSync(join(directory, "texts.json"), `[\n${lines.join(",\n")}\n]\n`);
}

/// The ids of the golden texts, null for a text that the original does not take.
async function answers(oracle) {
  const texts = goldenTexts().map(({text}) => text);
  const taken = texts.filter(text => oracle.bytes || isUtf8(text));
  const given = await oracle.answer(taken);
  let at = 0;
  return texts.map(text => (oracle.bytes || isUtf8(text) ? given[at++].ids ?? null : null));
}

/// NAME.json: one line of ids a text.
export async function writeGolden(directory, tokenizer, oracle) {
  const lines = (await answers(oracle)).map(ids => JSON.stringify(ids));
  const head = {oracle: oracle.name, vocabulary: tokenizer.golden, ...tokenizer.goldenSettings};
  const text = JSON.stringify(head).slice(0, -1) + `,"ids":[\n${lines.join(",\n")}\n]}\n`;
  writeFileSync(join(directory, tokenizer.name.replace(/[:+]/g, "-") + ".json"), text);
}

/// The first 12 bits of the CRC-32 of ids as int32, as two characters of base64; "--" for a text that the original does
/// not take.
function digest(ids) {
  if (ids === null) return "--";
  const checksum = crc32(Buffer.from(Int32Array.from(ids).buffer));
  return Buffer.from([checksum >>> 24, (checksum >>> 16) & 255, 0]).toString("base64").slice(0, 2);
}

/// toys.json: small tokenizers and, for each text, a digest of its ids. Of those whose model is the usual one of the toys
/// the model is left out.
export async function writeGoldenToys(directory, toys) {
  const usual = JSON.stringify(JSON.parse(toys[0].json).model);
  const lines = [];
  for (const {name, json, oracle} of toys) {
    const tokenizer = JSON.parse(json);
    if (JSON.stringify(tokenizer.model) === usual) delete tokenizer.model;
    for (const key of Object.keys(tokenizer)) if (tokenizer[key] === null) delete tokenizer[key];
    const digests = (await answers(oracle)).map(digest).join("");
    lines.push(JSON.stringify({name, tokenizer, digests}));
  }
  const head = {oracle: toys[0].oracle.name, model: JSON.parse(usual)};
  writeFileSync(join(directory, "toys.json"), JSON.stringify(head).slice(0, -1) + `,"toys":[\n${lines.join(",\n")}\n]}\n`);
}
