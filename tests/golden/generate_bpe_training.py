"""Golden results of tokenizer training, for sesame/text/bpe/training_golden_test.cc.

Written with Python 3.11, tokenizers 0.23.3, rustbpe 0.1.0, sentencepiece 0.2.3:
    python tests/golden/generate_bpe_training.py > tests/golden/bpe_training.json
Words are counted by the libraries' own pre-tokenizers; the texts are random words of a few letters, so that ties and
runs of equal letters abound.
"""

import json
import os
import random
import sys
import tempfile

import rustbpe
import sentencepiece
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

GPT2 = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def text_of(rng, letters, words, runs):
    made = []
    for _ in range(words):
        word = "".join(rng.choice(letters) for _ in range(rng.randint(1, 8)))
        if rng.random() < runs:
            word = word.replace(letters[0], letters[0] * rng.randint(2, 7))
        made.append(word)
    return " ".join(made)


def vocabulary_of(tokenizer):
    model = json.loads(tokenizer.to_str())["model"]
    vocabulary = [token for token, _ in sorted(model["vocab"].items(), key=lambda entry: entry[1])]
    merges = [merge if isinstance(merge, list) else merge.split(" ") for merge in model["merges"]]
    return {"vocabulary": vocabulary, "merges": merges}


def byte_level(text, size, **options):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
        **options,
    )
    tokenizer.train_from_iterator([text], trainer=trainer)
    return {"text": text, "size": size, "options": options, **vocabulary_of(tokenizer)}


def characters(text, size, special_tokens, **options):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=special_tokens, show_progress=False, **options
    )
    tokenizer.train_from_iterator([text], trainer=trainer)
    made = vocabulary_of(tokenizer)
    return {"text": text, "size": size, "special_tokens": special_tokens, "options": options, **made}


def rust(text, size):
    tokenizer = rustbpe.Tokenizer()
    tokenizer.train_from_iterator(iter([text]), size, pattern=GPT2)
    tokens = sorted(tokenizer.get_mergeable_ranks(), key=lambda entry: entry[1])
    return {"text": text, "size": size, "tokens": [bytes(token).hex() for token, _ in tokens[256:]]}


def sentence_piece(text, size, **options):
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "text")
        with open(path, "w", encoding="utf8") as file:
            file.write(text)
        prefix = os.path.join(directory, "model")
        sentencepiece.SentencePieceTrainer.train(
            input=path,
            model_prefix=prefix,
            vocab_size=size,
            model_type="bpe",
            normalization_rule_name="identity",
            minloglevel=2,
            **options,
        )
        model = sentencepiece.SentencePieceProcessor(model_file=prefix + ".model")
        pieces = [model.id_to_piece(i) for i in range(model.vocab_size())]
        scores = [model.get_score(i) for i in range(model.vocab_size())]
    return {"text": text, "size": size, "options": options, "pieces": pieces, "scores": scores}


def main():
    rng = random.Random(5)
    letters = ["ab", "abc", "abcdefgh", "αβγé", "日本語文字"]
    texts = [text_of(rng, choice, 120, 0.3) for choice in letters]
    lines = "\n".join(text_of(rng, "etaoinshrdlu", 12, 0.1) for _ in range(40))
    golden = {
        "byte_level": [byte_level(text, 300) for text in texts]
        + [byte_level(text, 330, min_frequency=3, max_token_length=5) for text in texts],
        "characters": [characters(text, 60, ["<unk>"]) for text in texts]
        + [characters(text, 50, ["<unk>"], max_token_length=4) for text in texts]
        # Special tokens that merges make too: the one way to a token that is there already.
        + [characters(text, 70, ["aa", "ab", "aab", "baa", "bb"]) for text in texts[:3]]
        + [characters(text, 90, ["aa", "ba", "abaa", "bab"], max_token_length=5) for text in texts[:2]],
        "rustbpe": [rust(text, 310) for text in texts],
        "sentencepiece": [sentence_piece(lines, size) for size in (40, 120)]
        + [sentence_piece(lines + "\nab12 3 4.5 日本 カナ", 90, byte_fallback=False, character_coverage=1.0)]
        + [sentence_piece(lines, 330, byte_fallback=True, split_by_whitespace=False)],
    }
    json.dump(golden, sys.stdout, ensure_ascii=False, indent=None, separators=(",", ":"))
    print()


if __name__ == "__main__":
    main()
