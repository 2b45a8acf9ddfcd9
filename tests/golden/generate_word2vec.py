"""Writes word2vec.safetensors: rows that word2vec.c trains on one thread, for the four pairs of model and loss.

    python3 generate_word2vec.py DIRECTORY_OF_WORD2VEC

The directory is a checkout of github.com/tmikolov/word2vec (made with 20c129a, gcc 12.2, -O2). Two lines of a copy of
word2vec.c are changed: the end-of-file flag is cleared where a thread goes back to its start, or one thread would train a
single epoch whatever -iter says; and the output matrix is written behind the vectors. Neither the build nor the tests run
this; the file in the repository is its output.

The corpus is made here and, by the same rules, in compat_test.cc: nothing but its checksum is stored. The file holds, per
model ("skipgram.ns" and so on), "<model>.input" F32 [words, 12] and "<model>.output", and "counts" I32 [words]; its metadata
holds the words, joined by spaces, and zlib's CRC-32 of the corpus.
"""

import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import zlib

WORDS = 260
DIM = 12
SETTINGS = {
    "skipgram.ns": "-cbow 0 -hs 0 -negative 5 -window 5 -alpha 0.025",
    "skipgram.hs": "-cbow 0 -hs 1 -negative 0 -window 4 -alpha 0.025",
    "cbow.ns": "-cbow 1 -hs 0 -negative 7 -window 8 -alpha 0.15",
    "cbow.hs": "-cbow 1 -hs 1 -negative 0 -window 3 -alpha 0.15",
}
COMMON = "-size %d -sample 1e-3 -iter 3 -min-count 3 -threads 1 -binary 1 -debug 0" % DIM


def corpus():
    """Sentences about ten topics, and what readers trip over: empty lines, carriage returns, tabs, one sentence of more
    than 1000 words, a word of 120 bytes, words too rare, no line break at the end."""
    state = 7

    def draw(n):
        nonlocal state
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (state >> 33) % n

    lines = []
    for sentence in range(600):
        topic = draw(10)
        length = 1500 if sentence == 100 else draw(120)
        words = []
        for _ in range(length):
            if draw(2) == 0:
                words.append("w%d" % draw(draw(draw(WORDS) + 1) + 1))
            else:
                words.append("w%d" % (topic + 10 * draw(WORDS // 10)))
        if sentence % 100 == 3:
            words.append("x" * 120)
        if sentence % 400 == 5:
            words.append("rare%d" % sentence)
        lines.append(("\t" if sentence % 7 == 0 else " ").join(words) + ("\r" if sentence % 5 == 0 else ""))
    return ("\n".join(lines) + " end").encode()


def build(source, directory):
    text = (pathlib.Path(source) / "word2vec.c").read_text()
    again = """      sentence_length = 0;
      fseek(fi,"""
    assert text.count(again) == 1
    text = text.replace(again, "      eof = 0;\n" + again)
    end = "  } else {\n    // Run K-means"
    assert text.count(end) == 1
    text = text.replace(end, "    fwrite(hs ? syn1 : syn1neg, sizeof(real), (hs ? vocab_size - 1 : vocab_size) * layer1_size, fo);\n"
                        + end)
    (directory / "word2vec.c").write_text(text)
    subprocess.run(["gcc", "-O2", "-w", "-pthread", "word2vec.c", "-o", "word2vec", "-lm"], cwd=directory, check=True)


def train(directory, setting):
    """Words, counts, input and output rows as bytes."""
    command = "./word2vec -train corpus -output vectors -save-vocab vocabulary " + COMMON + " " + setting
    subprocess.run(command.split(), cwd=directory, check=True)
    lines = (directory / "vocabulary").read_text().splitlines()
    words, counts = [line.split()[0] for line in lines], [int(line.split()[1]) for line in lines]
    data = (directory / "vectors").read_bytes()
    at = data.index(b"\n") + 1
    rows = b""
    for word in words:
        assert data[at:].startswith(word.encode() + b" ")
        at += len(word) + 1
        rows += data[at:at + 4 * DIM]
        at += 4 * DIM + 1
    return words, counts, rows, data[at:]


def main():
    tensors = {}
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        build(sys.argv[1], directory)
        (directory / "corpus").write_bytes(corpus())
        for model, setting in SETTINGS.items():
            words, counts, rows, output = train(directory, setting)
            tensors[model + ".input"] = ("F32", [len(words), DIM], rows)
            tensors[model + ".output"] = ("F32", [len(output) // 4 // DIM, DIM], output)
    tensors["counts"] = ("I32", [len(counts)], struct.pack("<%di" % len(counts), *counts))
    header, offset = {"__metadata__": {"words": " ".join(words), "crc32": str(zlib.crc32(corpus()))}}, 0
    for key, (dtype, shape, data) in tensors.items():
        header[key] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open("word2vec.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(data for _, _, data in tensors.values()))


if __name__ == "__main__":
    main()
