// The tokenizers of other projects, and Sesame's, behind one interface:
//   name, version
//   bytes          whether texts may be any bytes; else they are UTF-8, and others are not given to it
//   answer(texts)  a promise of {ids, decoded: Buffer, offsets?} or {error}, one for each Buffer; offsets are numbers of
//                  characters, begin and end of each token after another
//   offsets        whether it gives them
//   vocabulary()   the texts of all tokens, as Buffers
//   close()

import {spawn} from "node:child_process";
import {createRequire} from "node:module";
import {join} from "node:path";

const ERROR_MARK = 0xffffffff;

/// A program that takes batches of texts on standard input and answers on standard output (encode_texts.cc).
export class Program {
  constructor(command, args, offsets = false) {
    this.name = command;
    this.offsets = offsets ?? false;
    this.bytes = true;
    this.buffers = [];
    this.size = 0;
    this.wake = () => {};
    this.errors = "";
    this.process = spawn(command, args, {stdio: ["pipe", "pipe", "pipe"]});
    this.process.stdout.on("data", chunk => {
      this.buffers.push(chunk);
      this.size += chunk.length;
      this.wake();
    });
    this.process.stderr.on("data", chunk => (this.errors += chunk));
    this.process.stdin.on("error", () => {});
    this.process.on("error", error => {
      this.ended = String(error);
      this.wake();
    });
    this.process.on("close", code => {
      this.ended = `${command} ended with status ${code}: ${this.errors.trim()}`;
      this.wake();
    });
  }

  async answer(texts) {
    const parts = [number(texts.length)];
    for (const text of texts) parts.push(number(text.length), text);
    this.process.stdin.write(Buffer.concat(parts));
    const answers = [];
    while (answers.length < texts.length) answers.push(await this.next(texts[answers.length]));
    return answers;
  }

  async next(text) {
    const count = (await this.take(4)).readUInt32LE();
    if (count === ERROR_MARK) return {error: (await this.text()).toString()};
    const ids = await this.take(4 * count);
    const answer = {ids: Array.from({length: count}, (_, i) => ids.readInt32LE(4 * i)), decoded: await this.text()};
    if (this.offsets) answer.offsets = inCharacters(await this.take(8 * count), text);
    return answer;
  }

  async text() {
    return this.take((await this.take(4)).readUInt32LE());
  }

  async take(size) {
    while (this.size < size) {
      if (this.ended) throw new Error(this.ended);
      await new Promise(resolve => (this.wake = resolve));
    }
    if (this.buffers.length > 1 && this.buffers[0].length < size) this.buffers = [Buffer.concat(this.buffers)];
    if (size === 0) return Buffer.alloc(0);
    const taken = this.buffers[0].subarray(0, size);
    this.buffers[0] = this.buffers[0].subarray(size);
    if (this.buffers[0].length === 0) this.buffers.shift();
    this.size -= size;
    return taken;
  }

  close() {
    this.process.stdin.end();
  }
}

/// Offsets in bytes, as a Buffer of uint32, in characters of a text.
function inCharacters(offsets, text) {
  const before = new Uint32Array(text.length + 1);
  for (let i = 0; i < text.length; ++i) before[i + 1] = before[i] + ((text[i] & 0xc0) === 0x80 ? 0 : 1);
  // The end of a part of a character is the end of the character.
  const inside = at => at < text.length && (text[at] & 0xc0) === 0x80;
  return Array.from({length: offsets.length / 4}, (_, i) => {
    const at = offsets.readUInt32LE(4 * i);
    return i % 2 === 0 && inside(at) ? before[at] - 1 : before[at];
  });
}

function number(value) {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value);
  return buffer;
}

/// Hugging Face's tokenizers, over a tokenizer.json as text.
export class HuggingFace {
  constructor(packages, json) {
    const {Tokenizer} = require(packages, "tokenizers");
    this.name = "tokenizers " + version(packages, "tokenizers");
    this.bytes = false;
    this.offsets = true;
    this.tokenizer = Tokenizer.fromString(json);
    this.tokenizer.disableTruncation();
    this.tokenizer.disablePadding();
  }

  async answer(texts) {
    const sentences = texts.map(text => text.toString());
    const answers = [];
    let encodings;
    try {
      encodings = await this.tokenizer.encodeBatch(sentences, {addSpecialTokens: false});
    } catch (error) {
      if (texts.length === 1) return [{error: String(error.message ?? error)}];
      for (const text of texts) answers.push(...(await this.answer([text])));
      return answers;
    }
    const ids = encodings.map(encoding => encoding.getIds());
    const decoded = await this.tokenizer.decodeBatch(ids, false);
    return ids.map((one, i) => ({ids: one, decoded: Buffer.from(decoded[i]), offsets: encodings[i].getOffsets().flat()}));
  }

  /// As they are spelt, and as they decode.
  async vocabulary() {
    const vocabulary = Object.entries(this.tokenizer.getVocab(true));
    const decoded = await this.tokenizer.decodeBatch(vocabulary.map(([, id]) => [id]), false);
    return [...vocabulary.map(([token]) => token), ...decoded].map(text => Buffer.from(text));
  }

  close() {}
}

/// OpenAI's tiktoken. With `special`, special tokens in texts become their ids.
export class Tiktoken {
  constructor(packages, encoding, special) {
    this.name = "tiktoken " + version(packages, "tiktoken");
    this.bytes = false;
    this.special = special;
    this.tokenizer = require(packages, "tiktoken").get_encoding(encoding);
  }

  async answer(texts) {
    return texts.map(text => {
      const ids = this.special ? this.tokenizer.encode(text.toString(), "all", []) : this.tokenizer.encode_ordinary(text.toString());
      return {ids: Array.from(ids), decoded: Buffer.from(this.tokenizer.decode(ids))};
    });
  }

  async vocabulary() {
    return this.tokenizer.token_byte_values().map(bytes => Buffer.from(bytes));
  }

  close() {
    this.tokenizer.free();
  }
}

/// Google's SentencePiece: `command` is sentencepiece_texts.py or sentencepiece_texts.cc, built.
export class SentencePiece extends Program {
  constructor(command, model, versionText, pieces) {
    const [program, ...args] = command.split(" ");
    super(program, [...args, model]);
    this.name = "sentencepiece " + versionText;
    this.pieces = pieces;
  }

  async vocabulary() {
    return this.pieces().flatMap(piece => [Buffer.from(piece), Buffer.from(piece.replaceAll("▁", " ")), Buffer.from(`a${piece}b`)]);
  }
}

function require(packages, name) {
  return createRequire(join(packages, "package.json"))(name);
}

function version(packages, name) {
  return createRequire(join(packages, "package.json"))(join(packages, "node_modules", name, "package.json")).version;
}
