#!/usr/bin/env python3
"""Writes tests/golden/wordpiece.json: how Hugging Face's BertNormalizer and BertPreTokenizer cut text into words.

    python3 tests/golden/generate_wordpiece.py > tests/golden/wordpiece.json

Needs the Python package tokenizers (0.23). `characters`: for each of some settings a checksum for every 4096 code points,
of the words of "aXb aYb aZb ...". `texts`: random texts, full of marks and of characters that decompose, with their words.
"""

import json
import random
import sys

import tokenizers
from tokenizers import normalizers, pre_tokenizers

# clean_text, handle_chinese_chars, strip_accents, lowercase
SETTINGS = ["1111", "1100", "0000", "1001", "0010"]
split = pre_tokenizers.BertPreTokenizer().pre_tokenize_str


def words(setting, text):
    clean, chinese, strip, lower = (flag == "1" for flag in setting)
    normalizer = normalizers.BertNormalizer(
        clean_text=clean, handle_chinese_chars=chinese, strip_accents=strip, lowercase=lower)
    return [word for word, _ in split(normalizer.normalize_str(text))]


def checksum(words):
    """FNV-1a, 32 bits, of the words, each with a NUL behind it."""
    value = 0x811C9DC5
    for byte in b"".join(word.encode() + b"\0" for word in words):
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


def block_text(block):
    codes = [c for c in range(block << 12, (block + 1) << 12) if not 0xD800 <= c < 0xE000]
    return " ".join("a" + chr(c) + "b" for c in codes)


def random_text(draw, marks, composed):
    parts = []
    for _ in range(draw.randint(1, 12)):
        kind = draw.randint(0, 6)
        if kind < 2:
            parts.append("".join(chr(draw.choice(marks)) for _ in range(draw.randint(1, 4))))
        elif kind == 2:
            parts.append(chr(draw.choice(composed)))
        elif kind == 3:
            parts.append(draw.choice(" \t\n.,'-$#\u3000\u00a0\u200b\u00ad\0\x7f\ufffd"))
        elif kind == 4:
            parts.append(chr(draw.choice([draw.randint(0x3041, 0x30FF), draw.randint(0x4E00, 0x9FFF), draw.randint(0xAC00, 0xD7A3)])))
        else:
            parts.append("".join(draw.choice("abcXYZ09") for _ in range(draw.randint(1, 6))))
    return "".join(parts)


def main():
    codes = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    nfd, marks_of = normalizers.NFD().normalize_str, normalizers.StripAccents().normalize_str
    marks = [c for c in codes if marks_of(chr(c)) == ""]
    composed = [c for c in codes if nfd(chr(c)) != chr(c)]
    draw = random.Random(20)
    texts = [(SETTINGS[i % len(SETTINGS)], random_text(draw, marks, composed)) for i in range(250)]
    out = sys.stdout
    out.write('{"oracle": "tokenizers %s",\n"characters": {\n' % tokenizers.__version__)
    rows = ['"%s": [%s]' % (s, ",".join(str(checksum(words(s, block_text(b)))) for b in range(0x110))) for s in SETTINGS]
    out.write(",\n".join(rows) + '},\n"texts": [\n')
    out.write(",\n".join(json.dumps([s, text, words(s, text)]) for s, text in texts) + "]}\n")


main()
