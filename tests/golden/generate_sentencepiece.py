"""Writes sentencepiece.txt: small models that SentencePiece trains, and what it makes of texts.

    python3 generate_sentencepiece.py

Needs the package sentencepiece (made with 0.2.3). Neither the build nor the tests run it; the file in the repository is its
output. Lines of the file: "model <name> <base64 of sentencepiece.model>", then for each text "text <hex of the text>", "ids
<ids>" and "decoded <hex of the text that the ids decode to>"; "normalized <hex>" is the text as the model sees it.
"""

import base64
import pathlib
import random
import tempfile

import sentencepiece

CORPUS = """the quick brown fox jumps over the lazy dog and the dog sleeps
pack my box with five dozen liquor jugs 1234 567 890
she sells sea shells on the sea shore, the shells she sells are sea shells
how much wood would a woodchuck chuck if a woodchuck could chuck wood
das ist ein kleiner Satz über Öl und Äpfel
le café est fermé à midi, voilà
nooooo oooo ooo aaa aaaa bbb abab ababab
"""

# Rules of every kind, in a file of a few bytes: one to many, many to one, to a space, to nothing, a common prefix.
RULES = "41\t61\nC4\t61 65\n61 300\tE0\n61 300 301\t78\nFB01\t66 69\n3000\t20\n9\t20\nA\t20\n7F\t\nFDFA\t61 20 62 20 63\n2581\t20\n"

MODELS = {
    "unigram": dict(model_type="unigram", vocab_size=90),
    "unigram_bytes": dict(model_type="unigram", vocab_size=340, byte_fallback=True, user_defined_symbols=["<x>", "ou", "."]),
    "unigram_suffix": dict(model_type="unigram", vocab_size=90, treat_whitespace_as_suffix=True),
    "unigram_plain": dict(model_type="unigram", vocab_size=90, identity=True, remove_extra_whitespaces=False,
                          add_dummy_prefix=False, split_by_whitespace=False),
    "bpe": dict(model_type="bpe", vocab_size=120),
    "bpe_llama": dict(model_type="bpe", vocab_size=380, identity=True, byte_fallback=True, split_digits=True,
                      remove_extra_whitespaces=False, allow_whitespace_only_pieces=True),
    "bpe_symbols": dict(model_type="bpe", vocab_size=120, user_defined_symbols=["<x>", "ab", "aba", "\u2581foo"],
                        control_symbols=["<c>"]),
    "word": dict(model_type="word", vocab_size=60),
    "character": dict(model_type="char", vocab_size=50, user_defined_symbols=["ell"]),
}

TEXTS = [
    "", " ", "   ", "hello", " hello", "hello ", "  the  quick   fox  ", "the dog", "the\tdog\nsleeps", "nooooo", "ooooooooooo",
    "abababab", "a<x>b <x>", "<c> </s> <s> <unk>", "\u2581", "\u2581\u2581the", "the \u2581 dog", "the \u2581", "foo \u2581foo", "12 345 6789",
    "ABBA", "Äpfel", "a\u0300", "a\u0300\u0301 a\u0301", "\ufb01ve", "\u3000the\u3000", "the \u3000 dog\u3000", "\ufdfa\ufdfa", "\x7f", "a\x7f b",
    "的一是", "a的b一 c", "😀👍🏽", "é", "<0x41>", "a.b ou.", "x" * 40, "sea " * 30, " " * 20 + "x", "a\0b",
    b"\xff", b"a\xc3", b"\xe2\x96", b"\xe2\x96\x81\x81", b"the \xf0\x9f dog", b"\xed\xa0\x80",
]


def random_texts(count):
    draw = random.Random(20)
    words = CORPUS.split() + ["  ", "\t", "\u2581", "é", "的", "😀", "a\u0300", "\u3000", "<x>", "Ä"]
    for _ in range(count):
        yield "".join(draw.choice(words) + draw.choice(["", "", " ", " ", "  "]) for _ in range(draw.randrange(1, 9)))


def train(directory, name, settings):
    settings = dict(settings)
    if settings.pop("identity", False):
        settings["normalization_rule_name"] = "identity"
    else:
        settings["normalization_rule_tsv"] = str(directory / "rules.tsv")
    sentencepiece.SentencePieceTrainer.train(
        input=str(directory / "corpus.txt"), model_prefix=str(directory / name), hard_vocab_limit=False, minloglevel=2,
        num_threads=1, character_coverage=1.0, **settings)
    return (directory / (name + ".model")).read_bytes()


def main():
    lines = []
    with tempfile.TemporaryDirectory() as temporary:
        directory = pathlib.Path(temporary)
        (directory / "corpus.txt").write_text(CORPUS * 3)
        (directory / "rules.tsv").write_text(RULES)
        for name, settings in MODELS.items():
            model = train(directory, name, settings)
            processor = sentencepiece.SentencePieceProcessor(model_proto=model)
            lines.append(f"model {name} {base64.b64encode(model).decode()}")
            for text in TEXTS + list(random_texts(10)):
                data = text if isinstance(text, bytes) else text.encode()
                ids = processor.encode(data)
                normalized = processor.normalize(data)
                normalized = normalized if isinstance(normalized, bytes) else normalized.encode()
                lines += [f"text {data.hex()}", f"normalized {normalized.hex()}", "ids " + " ".join(map(str, ids)),
                          f"decoded {processor.decode(ids).encode().hex()}"]
    pathlib.Path("sentencepiece.txt").write_text("\n".join(line.rstrip() for line in lines) + "\n")


if __name__ == "__main__":
    main()
