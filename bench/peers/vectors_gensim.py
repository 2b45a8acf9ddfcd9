"""Trains word vectors with gensim: vectors_gensim.py CORPUS OUT key=value..., the keys of vector_peers.Setting."""

import sys

from gensim.models import Word2Vec

corpus, out = sys.argv[1:3]
setting = dict(argument.split("=") for argument in sys.argv[3:])
model = Word2Vec(corpus_file=corpus, sg=int(setting["model"] == "skipgram"), vector_size=int(setting["dim"]),
                 window=int(setting["window"]), negative=int(setting["negative"]), sample=float(setting["sample"]),
                 min_count=int(setting["min_count"]), epochs=int(setting["epochs"]), workers=int(setting["threads"]),
                 alpha=float(setting["rate"]), min_alpha=float(setting["rate"]) * 1e-4)
model.wv.save_word2vec_format(out, binary=True)
