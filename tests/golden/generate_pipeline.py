#!/usr/bin/env python3
"""Writes pipeline.json: what Hugging Face's tokenizers makes of difficult texts with every type of stage.

    python tests/golden/generate_pipeline.py > tests/golden/pipeline.json

Needs the Python package tokenizers (the file names its version). Offsets are in code points, as that package has them.
"""

import json
import sys

import tokenizers
from tokenizers import Tokenizer

TEXTS = [
    "", " ", "Hello, World! it's 3.14", "  two  spaces \n\ttab ", "é e\u0301 Å \u212b ﬁ ㎏ ﷺ Ⅷ½²",
    "中文，字符 豈\u2b820x", "한국어 \u1112\u1161\u11ab", "हिन्दी क़", "İstanbul ΟΔΟΣ ſ ǅ", "a\u0000b\u0007c\u200bd\ue000e\ufffdf\u0085g",
    "👩‍👩‍👧🇩🇪 x\u0334\u0345\u0301y", "\u3000x\u00a0y\u2028z", "Ab <s> ab<|im|> [SEP]foo_foo foo", "a1b22c333 -- (x)[y]",
    "ひらがなカタカナー漢字abc вас", "\u2581a \u2581 Ġa",
]
PAIRS = [("one two three four", "five six"), ("a", "b c d e f g h"), ("", "x")]

VOCABULARY = ["[UNK]", "[CLS]", "[SEP]", "[PAD]"] + [chr(c) for c in range(33, 127)] + [
    " ", "▁", "Ġ", "ab", "▁a", "Ġa", "##a", "##b", "##l", "##o", "foo", "é", "中", "ll", "he"]
MERGES = [["a", "b"], ["▁", "a"], ["Ġ", "a"], ["l", "l"], ["h", "e"]]


def added(content, id, **flags):
    plain = dict(id=id, content=content, single_word=False, lstrip=False, rstrip=False, normalized=False, special=False)
    return {**plain, **flags}


CONTROLS = [added(c, i, special=True) for i, c in enumerate(VOCABULARY[1:4], 1)]
SIZE = len(VOCABULARY)
ADDED = CONTROLS + [
    added("<s>", SIZE, lstrip=True), added("<|im|>", SIZE + 1, rstrip=True, special=True),
    added("AB", SIZE + 2, normalized=True), added("foo_", SIZE + 3, single_word=True)]

BPE = dict(type="BPE", dropout=None, unk_token="[UNK]", continuing_subword_prefix=None, end_of_word_suffix=None,
           fuse_unk=False, byte_fallback=False, ignore_merges=False, vocab={t: i for i, t in enumerate(VOCABULARY)},
           merges=MERGES)
WORD_PIECE = dict(type="WordPiece", unk_token="[UNK]", continuing_subword_prefix="##", max_input_chars_per_word=100,
                  vocab=BPE["vocab"])

NORMALIZERS = [
    dict(type="BertNormalizer", clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=True),
    dict(type="BertNormalizer", clean_text=False, handle_chinese_chars=True, strip_accents=True, lowercase=False),
    dict(type="NFC"), dict(type="NFD"), dict(type="NFKC"), dict(type="NFKD"), dict(type="Lowercase"), dict(type="Nmt"),
    dict(type="StripAccents"), dict(type="Strip", strip_left=True, strip_right=True), dict(type="ByteLevel"),
    dict(type="Prepend", prepend="▁"), dict(type="Replace", pattern={"String": " "}, content="▁"),
    dict(type="Replace", pattern={"Regex": "\\s+"}, content=""), dict(type="Replace", pattern={"String": ""}, content="-"),
    dict(type="Sequence", normalizers=[dict(type="NFKD"), dict(type="StripAccents"), dict(type="Lowercase")]),
]
BEHAVIORS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]
PRE_TOKENIZERS = [
    dict(type="BertPreTokenizer"), dict(type="Whitespace"), dict(type="WhitespaceSplit"), dict(type="UnicodeScripts"),
    dict(type="FixedLength", length=3), dict(type="CharDelimiterSplit", delimiter="a"),
    dict(type="Digits", individual_digits=True), dict(type="Digits", individual_digits=False),
    dict(type="ByteLevel", add_prefix_space=True, trim_offsets=True, use_regex=True),
    dict(type="Sequence", pretokenizers=[dict(type="ByteLevel", add_prefix_space=False, trim_offsets=True, use_regex=True),
                                         dict(type="Whitespace")]),
    dict(type="Sequence", pretokenizers=[dict(type="WhitespaceSplit"),
                                         dict(type="Metaspace", replacement="▁", prepend_scheme="first", split=True)]),
] + [dict(type="Metaspace", replacement="▁", prepend_scheme=p, split=s) for p in ("always", "first", "never")
     for s in (True, False)
] + [dict(type="Punctuation", behavior=b) for b in BEHAVIORS
] + [dict(type="Split", pattern={"String": " "}, behavior=b, invert=i) for b in BEHAVIORS for i in (True, False)
] + [dict(type="Split", pattern={"Regex": "\\s|[0-9]+"}, behavior=b, invert=False) for b in ("Isolated", "MergedWithNext")]


def token(name, type_id):
    return {"SpecialToken": {"id": name, "type_id": type_id}}


def sequence(name, type_id):
    return {"Sequence": {"id": name, "type_id": type_id}}


TEMPLATE = dict(
    type="TemplateProcessing", single=[token("[CLS]", 0), sequence("A", 0), token("[SEP]", 0)],
    pair=[token("[CLS]", 0), sequence("A", 0), token("[SEP]", 0), sequence("B", 1), token("[SEP]", 1)],
    special_tokens={n: dict(id=n, ids=[i], tokens=[n]) for n, i in (("[CLS]", 1), ("[SEP]", 2))})
POST_PROCESSORS = [
    TEMPLATE, dict(type="BertProcessing", sep=["[SEP]", 2], cls=["[CLS]", 1]),
    dict(type="RobertaProcessing", sep=["[SEP]", 2], cls=["[CLS]", 1], trim_offsets=True, add_prefix_space=False),
    dict(type="ByteLevel", add_prefix_space=True, trim_offsets=True, use_regex=True),
    dict(type="Sequence", processors=[dict(type="ByteLevel", add_prefix_space=False, trim_offsets=True, use_regex=True),
                                      TEMPLATE]),
]
TRUNCATIONS = [dict(direction=d, max_length=n, strategy=s, stride=t) for d, n, s, t in (
    ("Right", 9, "LongestFirst", 0), ("Left", 17, "LongestFirst", 1), ("Right", 14, "OnlyFirst", 1),
    ("Left", 14, "OnlySecond", 0))]
PADDINGS = [dict(strategy=s, direction=d, pad_to_multiple_of=m, pad_id=3, pad_type_id=1, pad_token="[PAD]")
            for s, d, m in (("BatchLongest", "Right", 8), ({"Fixed": 20}, "Left", None))]
DECODERS = [
    None, dict(type="ByteLevel", add_prefix_space=True, trim_offsets=True, use_regex=True),
    dict(type="WordPiece", prefix="##", cleanup=True), dict(type="WordPiece", prefix="##", cleanup=False),
    dict(type="Metaspace", replacement="▁", prepend_scheme="always", split=True), dict(type="BPEDecoder", suffix="</w>"),
    dict(type="CTC", pad_token="<pad>", word_delimiter_token="|", cleanup=True),
    dict(type="Sequence", decoders=[dict(type="Replace", pattern={"String": "▁"}, content=" "), dict(type="ByteFallback"),
                                    dict(type="Fuse"), dict(type="Strip", content=" ", start=1, stop=0)]),
]
DECODED = [
    ["▁a", "b", "▁", "c"], ["Ġa", "Ã", "©", "Ĥ", "中"], ["do", "n't", "##x", ",", " do not", "'s"], ["a</w>", "b</w>", "c"],
    ["h", "h", "<pad>", "h", "|", "i", "i"], ["<0xE4>", "<0xB8>", "<0xAD>", "x", "<0xE4>", "<0xff>", "y", "<0x0A>"], ["▁▁a"], [],
]


def pipeline(**parts):
    empty = dict(version="1.0", truncation=None, padding=None, added_tokens=ADDED, normalizer=None, pre_tokenizer=None,
                 post_processor=None, decoder=None, model=BPE)
    return {**empty, **parts}


def encoding(e, whole):
    """With `whole` all that an Encoding holds, else what stages before the post-processor decide."""
    none = lambda values: [-1 if v is None else v for v in values]
    text = dict(ids=e.ids, offsets=[x for pair in e.offsets for x in pair], words=none(e.word_ids))
    if not whole:
        return text
    return dict(**text, type_ids=e.type_ids, sequences=none(e.sequence_ids), special=e.special_tokens_mask,
                attention=e.attention_mask, overflowing=[encoding(o, True) for o in e.overflowing])


def encode_case(parts, texts, whole):
    tokenizer = Tokenizer.from_str(json.dumps(pipeline(**parts)))
    results = [encoding(tokenizer.encode(*t, add_special_tokens=whole), whole) for t in texts]
    return dict(parts=parts, add_special=whole, texts=texts, encodings=results)


def main():
    singles = [[t] for t in TEXTS]
    encoded = [encode_case(dict(normalizer=n), singles, False) for n in NORMALIZERS]
    encoded += [encode_case(dict(pre_tokenizer=p), singles, False) for p in PRE_TOKENIZERS]
    encoded += [encode_case(dict(pre_tokenizer=dict(type="BertPreTokenizer"), normalizer=NORMALIZERS[0], model=WORD_PIECE),
                            singles, False)]
    words = dict(type="ByteLevel", add_prefix_space=True, trim_offsets=True, use_regex=True)
    for post in POST_PROCESSORS:
        for truncation, padding in [(None, None), (TRUNCATIONS[1], PADDINGS[0])]:
            encoded.append(encode_case(dict(pre_tokenizer=words, post_processor=post, truncation=truncation,
                                            padding=padding), singles[2:5] + [list(p) for p in PAIRS], True))
    for truncation in TRUNCATIONS:
        for padding in PADDINGS:
            encoded.append(encode_case(dict(post_processor=TEMPLATE, truncation=truncation, padding=padding),
                                       [["one two", "three 4"]], True))
    decoded = []
    for decoder in DECODERS:
        chain = Tokenizer.from_str(json.dumps(pipeline(decoder=decoder))).decoder
        texts = [chain.decode(t) if chain else " ".join(t) for t in DECODED if t or not decoder or decoder["type"] != "BPEDecoder"]
        decoded.append(dict(decoder=decoder, texts=texts))
    json.dump(dict(library=f"tokenizers {tokenizers.__version__}", pipeline=pipeline(), word_piece=WORD_PIECE,
                   encoded=[{**c, "parts": {k: ("WordPiece" if k == "model" else v) for k, v in c["parts"].items()}}
                            for c in encoded],
                   tokens=DECODED, decoded=decoded), sys.stdout, ensure_ascii=True, separators=(",", ":"))


if __name__ == "__main__":
    sys.exit(main())
