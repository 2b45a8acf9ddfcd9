"""llm.c's CPU program (train_gpt2.c) as a peer. LLMC names a checkout of it; it is built with its own flags in a
temporary directory, where it finds a model of random weights and random tokens in the files that it asks for. It knows
GPT-2's shapes alone, and vocabularies padded to a multiple of 128. A new process for each turn."""

import array
import os
import pathlib
import random
import re
import struct
import subprocess

PADDED = 128


class LlmC:
    name = "llm.c"

    def __init__(self, model, threads, directory):
        self.model = model
        self.threads = threads
        self.directory = pathlib.Path(directory)
        self.setting = "-Ofast -march=native, OpenMP"
        self.peak_bytes = 0

    def start(self):
        """False where there is no checkout, no compiler, or the model is none that it is written for."""
        source = pathlib.Path(os.environ.get("LLMC", "")) / "train_gpt2.c"
        if "LLMC" not in os.environ or not source.exists() or self.model["vocab"] != 50257:
            return False
        text = source.read_text()
        text = re.sub(r"int B = \d+;", "int B = %d;" % self.model["batch"], text)
        text = re.sub(r"int T = \d+;", "int T = %d;" % self.model["context"], text)
        text = re.sub(r"step % 10 == 0", "0", text)  # no evaluation
        text = re.sub(r"step > 0 && step % 20 == 0", "0", text)  # no generation
        text = text.replace("int main() {", "int main() { setvbuf(stdout, NULL, _IOLBF, 0);")
        (self.directory / "train_gpt2.c").write_text(text)
        build = ["gcc", "-Ofast", "-march=native", "-fno-finite-math-only", "-fopenmp", "-DOMP", "-Wno-unused-result",
                 "-I", str(source.parent), "train_gpt2.c", "-o", "train_gpt2", "-lm", "-lgomp"]
        if subprocess.run(build, cwd=self.directory, capture_output=True).returncode != 0:
            return False
        self.write_model()
        self.write_tokens()
        return True

    def write_model(self):
        m = self.model
        padded = (m["vocab"] + PADDED - 1) // PADDED * PADDED
        width, layers = m["width"], m["layers"]
        header = [20240326, 3, m["context"], m["vocab"], layers, m["heads"], width, padded]
        # wte, wpe, then per layer ln_1, qkv, attention projection, ln_2, fc, fc projection, then ln_f
        sizes = [(padded * width, 0.02), (m["context"] * width, 0.02), (layers * width, 1), (layers * width, 0),
                 (layers * 3 * width * width, 0.02), (layers * 3 * width, 0), (layers * width * width, 0.02),
                 (layers * width, 0), (layers * width, 1), (layers * width, 0), (layers * 4 * width * width, 0.02),
                 (layers * 4 * width, 0), (layers * 4 * width * width, 0.02), (layers * width, 0), (width, 1), (width, 0)]
        rng = random.Random(1)
        noise = array.array("f", (rng.gauss(0, 1) for _ in range(1 << 16)))
        with open(self.directory / "gpt2_124M.bin", "wb") as file:
            file.write(struct.pack("<256i", *(header + [0] * (256 - len(header)))))
            for count, scale in sizes:
                if scale in (0, 1):
                    file.write(array.array("f", [float(scale)]).tobytes() * count)
                    continue
                block = array.array("f", (scale * x for x in noise)).tobytes()
                whole, rest = divmod(4 * count, len(block))
                file.write(block * whole + block[:rest])

    def write_tokens(self):
        rng = random.Random(2)
        count = 1 << 17
        tokens = array.array("H", (rng.randrange(self.model["vocab"]) for _ in range(count)))
        data = struct.pack("<256i", *([20240520, 1, count] + [0] * 253)) + tokens.tobytes()
        for name in ("tiny_shakespeare", "TinyStories"):
            folder = self.directory / "dev/data" / name.lower().replace("_", "")
            folder.mkdir(parents=True, exist_ok=True)
            for part in ("train", "val"):
                (folder / ("%s_%s.bin" % (name, part))).write_bytes(data)

    def turn(self, steps):
        environment = dict(os.environ, OMP_NUM_THREADS=str(self.threads))
        process = subprocess.Popen(["./train_gpt2"], cwd=self.directory, env=environment, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        seconds = []
        for line in process.stdout:  # "step 3: train loss 5.3 (took 2301.1 ms)"
            found = re.match(r"step \d+: .*took ([0-9.]+) ms", line)
            if found:
                seconds.append(1e-3 * float(found.group(1)))
            if len(seconds) > steps:  # the first one touches its memory for the first time
                process.terminate()
                break
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
        self.peak_bytes = max(self.peak_bytes, usage.ru_maxrss * 1024)
        return seconds[1:]

    def close(self):
        pass
