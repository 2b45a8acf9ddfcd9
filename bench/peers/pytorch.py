"""PyTorch as a peer: one process that stays and runs steps when asked."""

import json
import os
import pathlib
import statistics
import subprocess
import sys

# How memory is taken, which alone moves PyTorch by some ten percent: as the system does it; in huge pages where glibc is
# asked to; and kept in the heap instead of given back to the system at each free.
ALLOCATORS = {
    "default": {},
    "huge": {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1", "THP_MEM_ALLOC_ENABLE": "1"},
    "kept": {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1", "MALLOC_MMAP_MAX_": "0", "MALLOC_ARENA_MAX": "1",
             "MALLOC_TRIM_THRESHOLD_": str(1 << 40), "MALLOC_TOP_PAD_": str(1 << 26)},
}


class PyTorch:
    def __init__(self, model, threads, compiled, allocator, processor_time):
        self.name = "pytorch-compiled" if compiled else "pytorch-eager"
        self.allocator = allocator
        self.figure = "processor_seconds" if processor_time else "seconds"
        self.setting = ""
        self.peak_bytes = 0
        self.process = None
        worker = pathlib.Path(__file__).resolve().parent / "gpt2_pytorch.py"
        self.command = [os.environ.get("PEER_PYTHON", sys.executable), str(worker), "--threads", str(threads)]
        for key, value in model.items():
            self.command += ["--" + key, str(value)]
        if compiled:
            self.command.append("--compile")

    def start(self, verbose):
        """False where PyTorch is not installed. With "best" all settings are tried for some steps first."""
        if subprocess.run([self.command[0], "-c", "import torch"], capture_output=True).returncode != 0:
            return False
        best = self.allocator
        if best == "best":
            seconds = {}
            for name in ALLOCATORS:
                self.launch(name)
                self.turn(2)
                seconds[name] = statistics.median(self.turn(5))
                self.close()
                if verbose:
                    print("%s, %s memory: %.4f s a step" % (self.name, name, seconds[name]), file=sys.stderr)
            best = min(seconds, key=seconds.get)
        hello = self.launch(best)
        self.setting = "torch %s, %s memory%s" % (hello["torch"], best, ", fused AdamW" if hello["fused_adamw"] else "")
        return True

    def launch(self, allocator):
        environment = dict(os.environ, **ALLOCATORS[allocator])
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        stderr=subprocess.DEVNULL, env=environment)
        return self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit("bench/peers/run: %s ended; run it by hand: %s" % (self.name, " ".join(self.command)))
        return json.loads(line)

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.answer()

    def turn(self, steps):
        return self.ask("time %d" % steps)[self.figure]

    def close(self):
        self.peak_bytes = self.ask("memory")["peak"]
        self.process.stdin.close()
        self.process.wait()
