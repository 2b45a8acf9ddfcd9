#!/usr/bin/env python3
"""Writes tests/golden/unigram_training.txt: a small corpus, and what SentencePiece's trainer learns from it.

Needs spm_train, version 0.1.97 (Debian 12: package sentencepiece 0.1.97-3). The corpus is drawn at random: words of
syllables of three scripts, Chinese sentences without spaces, numbers. Format: lines that begin with "= " begin a
section; the first one, "= corpus", is followed by the corpus, each other one, "= flag=value flag=value ...", by the
vocabulary that spm_train learns with these flags, a piece, a tab and its score a line.
"""

import pathlib
import random
import subprocess
import tempfile

RUNS = [
    "vocab_size=300",
    "vocab_size=240 treat_whitespace_as_suffix=true",
    "vocab_size=300 split_by_unicode_script=false split_by_number=false max_sentencepiece_length=6",
    "vocab_size=300 split_digits=true num_sub_iterations=3 shrinking_factor=0.6",
    "vocab_size=600 byte_fallback=true user_defined_symbols=<sep>,12 pad_id=3 unk_id=1 bos_id=0 bos_piece=<go>",
    "vocab_size=300 remove_extra_whitespaces=false allow_whitespace_only_pieces=true",
    "vocab_size=260 add_dummy_prefix=false required_chars=\u2603\u03c9 character_coverage=0.99",
    "vocab_size=260 split_by_whitespace=false",
    "vocab_size=240 normalization_rule_name=nmt_nfkc_cf",
]


def corpus(seed):
    r = random.Random(seed)

    def lexicon(count, onsets, vowels, codas):
        return ["".join(r.choice(onsets) + r.choice(vowels) + r.choice(codas) for _ in range(r.randint(1, 4)))
                for _ in range(count)]

    latin = lexicon(220, "bcdfglmnprst", ["a", "e", "i", "o", "u", "ea"], ["", "", "n", "r", "s", "t"])
    latin += [w.capitalize() for w in latin[40:80]]
    greek = lexicon(40, "βγδθκλμνπρστ", "αειοω", ["", "ς", "ν"])
    cyrillic = lexicon(40, "бвгдклмнпрст", "аеиоуы", ["", "й", "т"])
    han = lexicon(60, "天地人大小中上下山水火木金土日月", [""], "来去见有无为之不")
    weights = {id(words): [1 / (i + 1) for i in range(len(words))] for words in (latin, greek, cyrillic, han)}

    def draw(words, count):
        return r.choices(words, weights[id(words)], k=count)

    lines = []
    for i in range(420):
        kind = r.random()
        if kind < 0.7:
            words = draw(latin, r.randint(3, 10))
            if r.random() < 0.3:
                words.insert(r.randrange(len(words)), str(r.randint(0, 2030)))
            line = (" " if r.random() < 0.9 else "  ").join(words) + r.choice([".", ",", "!", ""])
        elif kind < 0.8:
            line = " ".join(draw(greek, 5))
        elif kind < 0.9:
            line = " ".join(draw(cyrillic, 5))
        else:
            line = "".join(draw(han, 8)) + "。"
        lines.append(line)
    lines[7] += " Ångström ﬁx １２"
    lines[11] = "<s> " + lines[11] + " <sep> x"
    return lines


def main():
    lines = corpus(2018)
    out = ["= corpus"] + lines
    with tempfile.TemporaryDirectory() as directory:
        text = pathlib.Path(directory, "corpus.txt")
        text.write_text("\n".join(lines) + "\n", encoding="utf-8")
        for run in RUNS:
            flags = ["--normalization_rule_name=identity"] + [f"--{flag}" for flag in run.split(" ")]
            subprocess.run(["spm_train", f"--input={text}", f"--model_prefix={directory}/m", "--num_threads=1",
                            "--minloglevel=2", *flags], check=True)
            out.append("= " + run)
            vocabulary = pathlib.Path(directory, "m.vocab").read_text(encoding="utf-8")
            out += vocabulary.rstrip("\n").split("\n")
    target = pathlib.Path(__file__).with_name("unigram_training.txt")
    target.write_text("\n".join(out) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
