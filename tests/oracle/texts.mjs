// The texts that both sides get, by category. All are Buffers, the same in each run.

import {execFileSync} from "node:child_process";
import {readFileSync, readdirSync, statSync} from "node:fs";
import {join} from "node:path";
import {isUtf8} from "node:buffer";
import {edgeTexts} from "./edge_cases.mjs";

/// Mulberry32: numbers in [0, 1) from a seed.
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/// Two characters of ASCII with apostrophes and spaces around them.
export function* asciiPairs() {
  for (let a = 0; a < 128; ++a) {
    for (let b = 0; b < 128; ++b) {
      const [x, y] = [String.fromCharCode(a), String.fromCharCode(b)];
      for (const text of [x + y, ` ${x}${y}`, `'${x}${y}`, `${x}'${y} `, `${x} ${y}'`, ` '${x}  ${y}a`]) yield Buffer.from(text);
    }
  }
}

/// Every code point between letters, digits and spaces, eight neighbours a text.
export function* codePoints() {
  const each = 8;
  for (let first = 0; first < 0x110000; first += each) {
    if (first >= 0xd800 && first < 0xe000) continue;
    let text = "";
    for (let i = 0; i < each; ++i) {
      const c = String.fromCodePoint(first + i);
      text += `a${c}B ${c}1 '${c}${c} `;
    }
    yield Buffer.from(text);
  }
}

// Stretches of code points that make tokenizers branch: [first, last, weight].
const RANGES = [
  [0x20, 0x7e, 30], [0x61, 0x7a, 20], [0x30, 0x39, 8], [0x20, 0x20, 15], [0x27, 0x27, 6], [0x09, 0x0d, 8], [0x00, 0x1f, 2], [0x80, 0xff, 8],
  [0x100, 0x24f, 5], [0x300, 0x36f, 5], [0x370, 0x3ff, 4], [0x400, 0x52f, 4], [0x590, 0x6ff, 4], [0x900, 0xdff, 4], [0xe00, 0xeff, 2], [0x1100, 0x11ff, 3],
  [0x1e00, 0x1fff, 3], [0x2000, 0x206f, 5], [0x20a0, 0x214f, 3], [0x2150, 0x218f, 2], [0x2460, 0x27bf, 3], [0x3000, 0x30ff, 6], [0x4e00, 0x9fff, 10],
  [0xac00, 0xd7a3, 4], [0xe000, 0xf8ff, 1], [0xf900, 0xfaff, 2], [0xfb00, 0xfdff, 3], [0xfe00, 0xfe0f, 3], [0xff00, 0xffef, 3], [0xfff0, 0xffff, 1],
  [0x10000, 0x1ffff, 3], [0x1f300, 0x1faff, 6], [0x1f1e6, 0x1f1ff, 2], [0x200d, 0x200d, 3], [0x17f, 0x17f, 1], [0x212a, 0x212a, 1], [0x2581, 0x2581, 3],
  [0x20000, 0x3ffff, 2], [0x40000, 0x10ffff, 1],
];
const TOTAL = RANGES.reduce((sum, range) => sum + range[2], 0);
const SNIPPETS = ["'s", "'LL", "'ſ", "  ", "\r\n", "\n\n ", "//", "<s>", "</s>", "<|endoftext|>", "[MASK]", "##", "<0x0A>", "ǅ", "ß", "İ", "Σ", "ﷺ",
  "👍🏽", "don't", "HTTPServer", "12345", "the", " of", "中文", "한국", "e\u0301"];

export function* randomUnicode(count, seed) {
  const next = random(seed);
  const character = () => {
    let at = next() * TOTAL;
    const range = RANGES.find(([, , weight]) => (at -= weight) < 0);
    return String.fromCodePoint(range[0] + Math.floor(next() * (range[1] - range[0] + 1)));
  };
  for (let i = 0; i < count; ++i) {
    const length = 1 + Math.floor(next() ** 2 * 60);
    let text = "";
    for (let k = 0; k < length; ++k) {
      if (next() < 0.06) {
        text += SNIPPETS[Math.floor(next() * SNIPPETS.length)];
      } else {
        const c = character();
        text += next() < 0.04 ? c.repeat(1 + Math.floor(next() * 20)) : c;
      }
    }
    yield Buffer.from(text);
  }
}

/// Bytes at random, and texts with some bytes changed, dropped or doubled.
export function* randomBytes(count, seed) {
  const next = random(seed);
  const below = n => Math.floor(next() * n);
  for (const text of randomUnicode(count, seed + 1)) {
    if (next() < 0.3) {
      yield Buffer.from(Array.from({length: 1 + below(40)}, () => below(256)));
      continue;
    }
    const values = [...text];
    for (let edits = 1 + below(3); edits > 0 && values.length > 0; --edits) {
      const at = below(values.length);
      const kind = below(3);
      if (kind === 0) values[at] = below(256);
      if (kind === 1) values.splice(at, 1);
      if (kind === 2) values.splice(at, 0, 0x80 + below(128));
    }
    yield Buffer.from(values);
  }
}

/// The bytes of a file, those of .xz and .gz decompressed.
export function readText(path) {
  const program = path.endsWith(".xz") ? "xz" : path.endsWith(".gz") ? "gzip" : null;
  return program ? execFileSync(program, ["-dc", path], {maxBuffer: 2 ** 30}) : readFileSync(path);
}

export function* filesUnder(directory, matches) {
  for (const name of readdirSync(directory).sort()) {
    const path = join(directory, name);
    if (statSync(path).isDirectory()) yield* filesUnder(path, matches);
    else if (matches(path)) yield path;
  }
}

/// Lines, paragraphs and stretches of the texts under a data directory, `limit` bytes of each file, drawn evenly.
export function* fileTexts(directory, limit) {
  for (const folder of ["english", "chinese", "multilingual", "unicode"]) {
    let files;
    try {
      files = [...filesUnder(join(directory, folder), path => /\.(txt|json|xml|tokens|en|de|fr|cs)(\.xz|\.gz)?$/.test(path))];
    } catch {
      continue;
    }
    for (const file of files) {
      const text = readText(file);
      const stride = Math.max(1, Math.floor(text.length / limit));
      const stretch = 8192;
      for (let begin = 0, i = 0; begin < text.length; begin += stretch * stride, ++i) {
        const part = wholeCharacters(text.subarray(begin, begin + stretch));
        if (!isUtf8(part)) continue;
        if (i % 2 === 0) yield part;
        else for (const line of part.toString().split("\n")) yield Buffer.from(line);
      }
    }
  }
}

/// A stretch without the halves of characters at its ends, and without its last character.
function wholeCharacters(part) {
  let [begin, end] = [0, part.length];
  while (begin < end && (part[begin] & 0xc0) === 0x80) ++begin;
  while (end > begin && (part[end - 1] & 0xc0) === 0x80) --end;
  return part.subarray(begin, Math.max(begin, end - 1));
}

/// {category: generator of Buffers}.
export function categories({data, vocabulary, seed, count, megabytes}) {
  return {
    edge: () => edgeTexts().map(edge => edge.text),
    vocabulary: () => vocabulary(),
    ascii: () => asciiPairs(),
    "code-points": () => codePoints(),
    unicode: () => randomUnicode(count, seed),
    bytes: () => randomBytes(count, seed),
    files: () => (data ? fileTexts(data, megabytes * 1e6) : []),
  };
}
