"""Word vector programs as peers: how each is built from its own source and how it is called for equal settings."""

import dataclasses
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent

# word2vec.c's makefile, and what its own comment recommends.
AS_SHIPPED = "-lm -pthread -O3 -march=native -Wall -funroll-loops -Wno-unused-result".split()
FASTEST = "-lm -pthread -Ofast -march=native -w".split()

# pWord2Vec is written for Intel's compiler and MKL; a header of MKL's name hands its three products to OpenBLAS, which is
# told to use the calling thread alone as MKL is.
MKL_HEADER = """#include <cblas.h>
#include <immintrin.h>
#include <cstdio>
#include <cstdlib>
#define mkl_set_num_threads openblas_set_num_threads
"""


@dataclasses.dataclass
class Setting:
    model: str = "skipgram"  # or cbow
    dim: int = 100
    window: int = 5
    negative: int = 5
    sample: float = 1e-4
    min_count: int = 5
    epochs: int = 1
    threads: int = 2
    max_n: int = 0  # n-grams of 3 to max_n characters
    buckets: int = 2000000

    @property
    def rate(self):
        return 0.025 if self.model == "skipgram" else 0.05

    def __str__(self):
        text = "%s, %d dimensions, window %d, %d negatives, sample %g, min-count %d, %d epoch(s), %d threads" % (
            self.model, self.dim, self.window, self.negative, self.sample, self.min_count, self.epochs, self.threads)
        return text + (", n-grams 3 to %d in %d buckets" % (self.max_n, self.buckets) if self.max_n else "")


def compiled(compiler, source, program, flags):
    program.parent.mkdir(parents=True, exist_ok=True)
    process = subprocess.run([compiler, str(source), "-o", str(program)] + flags, capture_output=True, text=True)
    if process.returncode != 0:
        sys.exit("cannot build %s:\n%s" % (source, process.stderr))
    return program


def replaced(text, old, new):
    if text.count(old) != 1:
        sys.exit("word2vec.c: this version is not known: expected once:\n" + old)
    return text.replace(old, new)


def word2vec_source(directory, work, save_output=False):
    """A copy of word2vec.c. Its last version never clears the end-of-file flag, so that a thread which reaches the end
    trains no further epoch: that is mended, or it would do less work than asked for. With `save_output` the output matrix
    follows the vectors in a file of its own, "<output>.output.bin"."""
    text = (pathlib.Path(directory) / "word2vec.c").read_text()
    if "feof(fi)" not in text:
        again = "      sentence_length = 0;\n      fseek(fi,"
        text = replaced(text, again, "      eof = 0;\n" + again)
    if save_output:
        end = "  fclose(fo);\n}\n\nint ArgPos"
        text = replaced(text, end, """  fclose(fo);
  if (negative > 0) {
    char output_matrix[MAX_STRING + 16];
    snprintf(output_matrix, sizeof(output_matrix), "%s.output.bin", output_file);
    fo = fopen(output_matrix, "wb");
    fprintf(fo, "%lld %lld\\n", vocab_size, layer1_size);
    for (a = 0; a < vocab_size; a++) {
      fprintf(fo, "%s ", vocab[a].word);
      fwrite(&syn1neg[a * layer1_size], sizeof(real), layer1_size, fo);
      fprintf(fo, "\\n");
    }
    fclose(fo);
  }
}

int ArgPos""")
    work.mkdir(parents=True, exist_ok=True)
    path = work / "word2vec.c"
    path.write_text(text)
    return path


class Word2vec:
    def __init__(self, directory, work, flags, name="word2vec.c", save_output=False):
        self.name = name
        work = pathlib.Path(work) / name.replace(" ", "_")
        self.program = compiled("gcc", word2vec_source(directory, work, save_output), work / "word2vec", flags)

    def command(self, setting, corpus, out, vocabulary=None):
        return [str(self.program), "-train", str(corpus), "-output", str(out), "-binary", "1", "-debug", "0"] + (
            ["-read-vocab", str(vocabulary)] if vocabulary else []) + [
            "-cbow", str(int(setting.model == "cbow")), "-size", str(setting.dim), "-window", str(setting.window),
            "-negative", str(setting.negative), "-hs", "0", "-sample", repr(setting.sample), "-min-count",
            str(setting.min_count), "-iter", str(setting.epochs), "-threads", str(setting.threads), "-alpha",
            repr(setting.rate)]

    def vocabulary_command(self, setting, corpus, out):
        return [str(self.program), "-train", str(corpus), "-save-vocab", str(out), "-min-count", str(setting.min_count),
                "-debug", "0"]

    def can(self, setting):
        return setting.max_n == 0


class PWord2vec:
    """Its products by OpenBLAS or by its own loops."""

    def __init__(self, directory, work, blas):
        self.name = "pWord2Vec " + ("OpenBLAS" if blas else "loops")
        work = pathlib.Path(work) / self.name.replace(" ", "_")
        work.mkdir(parents=True, exist_ok=True)
        flags = ["-std=c++11", "-fopenmp", "-Ofast", "-march=native", "-w"]
        if blas:
            (work / "mkl.h").write_text(MKL_HEADER)
            flags += ["-DUSE_MKL", "-I" + str(work), "-lopenblas"]
        else:
            flags += ["-include", "cstdio", "-include", "cstdlib", "-include", "immintrin.h"]
        self.program = compiled("g++", pathlib.Path(directory) / "pWord2Vec.cpp", work / "pWord2Vec", flags)

    def command(self, setting, corpus, out):
        return [str(self.program), "-train", str(corpus), "-output", str(out), "-binary", "1", "-debug", "0", "-size",
                str(setting.dim), "-window", str(setting.window), "-negative", str(setting.negative), "-sample",
                repr(setting.sample), "-min-count", str(setting.min_count), "-iter", str(setting.epochs), "-threads",
                str(setting.threads), "-alpha", repr(setting.rate), "-batch-size", str(2 * setting.window + 1)]

    def can(self, setting):
        return setting.model == "skipgram" and setting.max_n == 0


class FastText:
    name = "fastText"

    def __init__(self, program):
        self.program = program

    def command(self, setting, corpus, out):
        """It writes its text and its binary file; the latter holds both matrices."""
        ngrams = ["-minn", "3", "-maxn", str(setting.max_n), "-bucket", str(setting.buckets)] if setting.max_n else [
            "-minn", "0", "-maxn", "0", "-bucket", "0"]
        return [self.program, setting.model, "-input", str(corpus), "-output", str(out), "-dim", str(setting.dim), "-ws",
                str(setting.window), "-neg", str(setting.negative), "-t", repr(setting.sample), "-minCount",
                str(setting.min_count), "-epoch", str(setting.epochs), "-thread", str(setting.threads), "-lr",
                repr(setting.rate), "-loss", "ns", "-verbose", "0"] + ngrams

    def can(self, setting):
        return True


class Gensim:
    def __init__(self, python, version):
        self.name = "gensim " + version
        self.python = python

    def command(self, setting, corpus, out):
        return [self.python, str(HERE / "vectors_gensim.py"), str(corpus), str(out)] + [
            "%s=%s" % (key, value) for key, value in dataclasses.asdict(setting).items()] + ["rate=%r" % setting.rate]

    def can(self, setting):
        return setting.max_n == 0


def find_gensim():
    """In the Python that PEER_PYTHON names, in this one, or in the system's."""
    for python in [os.environ.get("PEER_PYTHON"), sys.executable, "/usr/bin/python3"]:
        if python and shutil.which(python):
            process = subprocess.run([python, "-c", "import gensim; print(gensim.__version__)"], capture_output=True,
                                     text=True)
            if process.returncode == 0:
                return Gensim(python, process.stdout.strip())
    return None


def find_fasttext():
    program = shutil.which("fasttext")
    return FastText(program) if program else None
