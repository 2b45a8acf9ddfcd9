"""SentencePiece's side of the comparison, in the version of this Python. The same exchange as encode_texts.cc has."""

import struct
import sys

import sentencepiece


def read_number():
    data = sys.stdin.buffer.read(4)
    return struct.unpack("<I", data)[0] if len(data) == 4 else None


def sized(data):
    return struct.pack("<I", len(data)) + data


def answer(processor, text):
    try:
        ids = processor.Encode(text)
        decoded = processor.Decode(ids)
    except Exception as error:
        return struct.pack("<I", 0xFFFFFFFF) + sized(str(error).encode())
    return struct.pack("<I%di" % len(ids), len(ids), *ids) + sized(decoded if isinstance(decoded, bytes) else decoded.encode())


def main():
    if sys.argv[1] == "--version":
        print(sentencepiece.__version__)
        return
    processor = sentencepiece.SentencePieceProcessor(model_file=sys.argv[1])
    while (texts := read_number()) is not None:
        for _ in range(texts):
            sys.stdout.buffer.write(answer(processor, sys.stdin.buffer.read(read_number())))
        sys.stdout.buffer.flush()


main()
