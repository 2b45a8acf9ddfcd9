#!/usr/bin/env python3
"""Writes sesame/text/unicode/hugging_face_category_tables.h: what Hugging Face's tokenizers thinks of each character.

    python3 scripts/generate_hugging_face_categories.py UnicodeData.txt > sesame/text/unicode/hugging_face_category_tables.h

Needs the Python package tokenizers (0.23), which is asked about every code point. UnicodeData.txt is that of the newest
Unicode version that utf8proc may have: where it gives a character a combining class or a decomposition that tokenizers
does not know, the character goes to `newer`.
"""

import sys

import tokenizers
from tokenizers import normalizers, pre_tokenizers

CODES = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
HANGUL = range(0xAC00, 0xD7A4)


def bert(**on):
    parts = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    return normalizers.BertNormalizer(**{**parts, **on}).normalize_str


def ranges(codes):
    out = []
    for c in codes:
        if out and out[-1][1] == c - 1:
            out[-1][1] = c
        else:
            out.append([c, c])
    return out


def case_ranges(pairs):
    """(first, last, step, distance) for runs of (code, lower case) that keep their distance."""
    out = []
    i = 0
    while i < len(pairs):
        best = (i, 1)
        for step in (1, 2):
            j = i
            while j + 1 < len(pairs) and pairs[j + 1] == (pairs[j][0] + step, pairs[j][1] + step):
                j += 1
            best = max(best, (j, step), key=lambda b: b[0])
        out.append((pairs[i][0], pairs[best[0]][0], best[1], pairs[i][1] - pairs[i][0]))
        i = best[0] + 1
    return out


def newer(unicode_data):
    nfd = normalizers.NFD().normalize_str
    codes = []
    for line in open(unicode_data, encoding="utf-8"):
        field = line.split(";")
        code = int(field[0], 16)
        if code in HANGUL or 0xD800 <= code < 0xE000:
            continue
        char = chr(code)
        if field[5] and not field[5].startswith("<") and nfd(char) == char:
            codes.append(code)
        if field[3] != "0":
            # U+0345 has the highest class and U+0334 the lowest: a mark that changes places with neither has none.
            moves = nfd("a\u0345" + char) != "a\u0345" + char or nfd("a" + char + "\u0334") != "a" + char + "\u0334"
            alone = nfd(char) == char and int(field[3]) not in (1, 240)
            if alone and not moves:
                codes.append(code)
    return codes


def print_table(name, element, rows, comment):
    print(f"\n/// {comment}\ninline constexpr {element} {name}[] = {{")
    line = "   "
    for row in rows:
        item = " {" + ", ".join(hex(v) if v > 9 else str(v) for v in row) + "},"
        if len(line) + len(item) > 120:
            print(line)
            line = "   "
        line += item
    print(line + "\n};")


def main():
    clean, strip, lower = bert(clean_text=True), bert(strip_accents=True), bert(lowercase=True)
    marks = normalizers.StripAccents().normalize_str
    split = pre_tokenizers.BertPreTokenizer().pre_tokenize_str
    select = lambda test: ranges([c for c in CODES if test(chr(c))])
    changed = [(c, lower(chr(c))) for c in CODES if lower(chr(c)) != chr(c)]
    assert [c for c, low in changed if len(low) > 1] == [0x130]

    print("#pragma once\n\n#include <cstdint>\n")
    print(f"// Made by scripts/generate_hugging_face_categories.py from tokenizers {tokenizers.__version__}: not for editing.")
    print("// clang-format off\nnamespace sesame::hugging_face {")
    print("\nstruct CodeRange {\n  uint32_t first;\n  uint32_t last;\n};")
    print("\n/// Every `step`-th character from `first` to `last` has its lower case `distance` behind it.")
    print("struct CaseRange {\n  uint32_t first;\n  uint32_t last;\n  uint32_t step;\n  int32_t distance;\n};")
    print_table("control_ranges", "CodeRange", select(lambda c: clean(c) == ""), "What clean_text drops.")
    print_table("white_space_ranges", "CodeRange", select(lambda c: len(split("a" + c + "a")) == 2), "What splits words.")
    print_table("punctuation_ranges", "CodeRange", select(lambda c: len(split("a" + c + "a")) == 3), "What is a word by itself.")
    print_table("nonspacing_ranges", "CodeRange", select(lambda c: strip(c) == ""), "What BertNormalizer's strip_accents drops.")
    print_table("mark_ranges", "CodeRange", select(lambda c: marks(c) == ""), "What the normalizer StripAccents drops.")
    print_table("newer_ranges", "CodeRange", ranges(newer(sys.argv[1])), "Without the combining class or decomposition that newer Unicode versions give them.")
    print_table("lowercase_ranges", "CaseRange", case_ranges([(c, ord(low)) for c, low in changed if c != 0x130]), "Lower case, but for U+0130.")
    print("\n}  // namespace sesame::hugging_face\n// clang-format on")


main()
