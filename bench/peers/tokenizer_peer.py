"""One turn of a peer that is called from Python: tokenizer_peer.py PEER TOKENIZER FILE LIMIT [--ids FILE].

Encodes the texts of FILE (documents of some hundred kB, cut where every tokenizer cuts) once with empty caches and once
more, until LIMIT seconds are over each time, decodes what it has, and prints JSON. Loading the tokenizer is not counted.
Peers: tiktoken (TOKENIZER: the name of an encoding, a rank file), gigatoken and huggingface (tokenizer.json),
sentencepiece (a model; its texts are lines). As the library returns ids: arrays where it has them, lists where not.
"""

import base64
import json
import re
import sys
import time

import numpy

DOCUMENT = 400_000  # characters


def tiktoken_encoding(argument):
    import tiktoken
    name, path = argument.split(",")
    known = {"cl100k_base": r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
             "r50k_base": r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s",
             "o200k_base": "|".join([
                 r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
                 r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
                 r"\p{N}{1,3}", r" ?[^\s\p{L}\p{N}]+[\r\n/]*", r"\s*[\r\n]+", r"\s+(?!\S)", r"\s+"])}
    with open(path, "rb") as file:
        ranks = {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in file if line.strip())}
    encoding = tiktoken.Encoding(name, pat_str=known[name], mergeable_ranks=ranks, special_tokens={})
    return encoding.encode_to_numpy, lambda ids: encoding.decode_bytes(ids)


def gigatoken_tokenizer(path):
    import gigatoken
    tokenizer = gigatoken.Tokenizer.from_tiktoken(path) if path.endswith(".tiktoken") else gigatoken.Tokenizer(path)
    return lambda text: tokenizer.encode(text), lambda ids: tokenizer.decode(ids)


def huggingface_tokenizer(path):
    import tokenizers
    tokenizer = tokenizers.Tokenizer.from_file(path)
    tokenizer.no_truncation()
    return (lambda text: tokenizer.encode(text, add_special_tokens=False).ids,
            lambda ids: tokenizer.decode(ids, skip_special_tokens=False))


def sentencepiece_model(path):
    import sentencepiece
    model = sentencepiece.SentencePieceProcessor(model_file=path)
    return model.encode, model.decode


def documents(path, lines):
    text = open(path, encoding="utf-8", newline="").read()
    if lines:
        return [line for line in text.split("\n") if line]
    cuts, at = [0], DOCUMENT
    while (found := re.compile(r"(?<=\S)\n(?=[A-Za-z])").search(text, at)) is not None:
        cuts.append(found.end())
        at = found.end() + DOCUMENT
    return [text[begin:end] for begin, end in zip(cuts, cuts[1:] + [len(text)])]


def timed(call, inputs, limit):
    """Seconds, results."""
    results = []
    began = time.perf_counter()
    for one in inputs:
        results.append(call(one))
        if time.perf_counter() - began > limit:
            break
    return time.perf_counter() - began, results


def main():
    peer, tokenizer, path, limit = sys.argv[1:5]
    encode, decode = {"tiktoken": tiktoken_encoding, "gigatoken": gigatoken_tokenizer, "huggingface": huggingface_tokenizer,
                      "sentencepiece": sentencepiece_model}[peer](tokenizer)
    texts = documents(path, peer == "sentencepiece")
    cold, ids = timed(encode, texts, float(limit))
    size = sum(len(text.encode()) for text in texts[:len(ids)])
    warm, _ = timed(encode, texts[:len(ids)], float("inf"))
    back, _ = timed(decode, ids, float(limit))
    if "--ids" in sys.argv:
        numpy.concatenate([numpy.asarray(one, dtype=numpy.int32) for one in ids]).tofile(sys.argv[sys.argv.index("--ids") + 1])
    print(json.dumps({"bytes": size, "tokens": sum(len(one) for one in ids), "encode_mb_per_s_cold": size * 1e-6 / cold,
                      "encode_mb_per_s_warm": size * 1e-6 / warm, "decode_mb_per_s": size * 1e-6 / back}))


main()
