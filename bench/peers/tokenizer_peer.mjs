// One turn of npm's tokenizers: node tokenizer_peer.mjs PACKAGES TOKENIZER FILE LIMIT [--ids FILE]. As tokenizer_peer.py.

import {readFileSync, writeFileSync} from "node:fs";
import {createRequire} from "node:module";
import {join} from "node:path";

const [packages, path, file, limit] = process.argv.slice(2);
const {Tokenizer} = createRequire(join(packages, "package.json"))("tokenizers");
const tokenizer = Tokenizer.fromFile(path);
tokenizer.disableTruncation();
tokenizer.disablePadding();

const DOCUMENT = 400_000;
const text = readFileSync(file, "utf8");
const texts = [];
for (let begin = 0; begin < text.length; ) {
  const next = text.slice(begin + DOCUMENT).search(/(?<=\S)\n(?=[A-Za-z])/);
  const end = begin + DOCUMENT >= text.length || next < 0 ? text.length : begin + DOCUMENT + next + 1;
  texts.push(text.slice(begin, end));
  begin = end;
}

async function timed(call, inputs, seconds) {
  const results = [];
  const began = performance.now();
  for (const input of inputs) {
    results.push(await call(input));
    if (performance.now() - began > seconds * 1000) break;
  }
  return [(performance.now() - began) / 1000, results];
}

const encode = async one => (await tokenizer.encode(one, null, {addSpecialTokens: false})).getIds();
const [cold, ids] = await timed(encode, texts, Number(limit));
const done = texts.slice(0, ids.length);
const megabytes = done.reduce((sum, one) => sum + Buffer.byteLength(one), 0) / 1e6;
const [warm] = await timed(encode, done, Infinity);
const [back] = await timed(one => tokenizer.decode(one, false), ids, Number(limit));
const at = process.argv.indexOf("--ids");
if (at > 0) writeFileSync(process.argv[at + 1], Buffer.from(Int32Array.from(ids.flat()).buffer));
console.log(JSON.stringify({bytes: megabytes * 1e6, tokens: ids.reduce((sum, one) => sum + one.length, 0), encode_mb_per_s_cold: megabytes / cold,
  encode_mb_per_s_warm: megabytes / warm, decode_mb_per_s: megabytes / back}));
