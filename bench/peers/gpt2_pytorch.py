"""Trains GPT-2 with PyTorch on random tokens, as its users write it, so that its steps can be timed beside another program's.

Reads commands from standard input, one a line, and answers each with one line of JSON: `time N` runs N steps and gives
their seconds and processor seconds; `memory` gives the highest resident bytes, and what importing torch alone took. The first line, given when
it is ready and has warmed up, says what runs.
"""

import argparse
import json
import resource
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

IMPORT_BYTES = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.c_attn = nn.Linear(width, 3 * width)
        self.c_proj = nn.Linear(width, width)

    def forward(self, x):
        batch, time_steps, width = x.shape
        q, k, v = self.c_attn(x).split(width, dim=2)
        q, k, v = (t.view(batch, time_steps, self.heads, width // self.heads).transpose(1, 2) for t in (q, k, v))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.c_proj(y.transpose(1, 2).contiguous().view(batch, time_steps, width))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = Attention(width, heads)
        self.ln_2 = nn.LayerNorm(width)
        self.c_fc = nn.Linear(width, 4 * width)
        self.c_proj = nn.Linear(4 * width, width)

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.c_proj(F.gelu(self.c_fc(self.ln_2(x)), approximate="tanh"))


class GPT2(nn.Module):
    def __init__(self, layers, heads, width, context, vocab):
        super().__init__()
        self.wte = nn.Embedding(vocab, width)
        self.wpe = nn.Embedding(context, width)
        self.h = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.ln_f = nn.LayerNorm(width)
        self.lm_head = nn.Linear(width, vocab, bias=False)
        self.apply(self.initialise)
        self.lm_head.weight = self.wte.weight

    @staticmethod
    def initialise(module):
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, std=0.02)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)

    def forward(self, tokens, targets):
        x = self.wte(tokens) + self.wpe(torch.arange(tokens.shape[1]))
        for block in self.h:
            x = block(x)
        logits = self.lm_head(self.ln_f(x))
        return F.cross_entropy(logits.view(-1, logits.shape[-1]), targets.view(-1))


def make_optimizer(model):
    decayed = [p for p in model.parameters() if p.dim() >= 2]
    others = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    try:
        return torch.optim.AdamW(groups, lr=1e-4, betas=(0.9, 0.95), fused=True), True
    except (RuntimeError, TypeError):  # before 2.4 not on a CPU
        return torch.optim.AdamW(groups, lr=1e-4, betas=(0.9, 0.95)), False


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("layers", "heads", "width", "context", "batch", "vocab"):
        parser.add_argument("--" + name, type=int, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--warm-up", type=int, default=3)
    parser.add_argument("--clip", type=float, default=1.0)
    parser.add_argument("--compile", action="store_true")
    a = parser.parse_args()

    torch.set_num_threads(a.threads)
    torch.manual_seed(1)
    model = GPT2(a.layers, a.heads, a.width, a.context, a.vocab)
    optimizer, fused = make_optimizer(model)
    run = torch.compile(model) if a.compile else model
    parameters = list(model.parameters())
    tokens = torch.randint(a.vocab, (8, a.batch, a.context))
    targets = torch.randint(a.vocab, (8, a.batch, a.context))

    def step(i):
        loss = run(tokens[i % len(tokens)], targets[i % len(targets)])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if a.clip > 0:
            torch.nn.utils.clip_grad_norm_(parameters, a.clip)
        optimizer.step()
        return loss.item()

    def answer(**fields):
        print(json.dumps(fields), flush=True)

    for i in range(a.warm_up):
        loss = step(i)
    answer(torch=torch.__version__, compiled=a.compile, fused_adamw=fused, threads=torch.get_num_threads(),
           parameters=sum(p.numel() for p in parameters), loss=loss)
    for line in sys.stdin:
        command = line.split()
        if command[:1] == ["time"]:
            seconds, processor_seconds = [], []
            for i in range(int(command[1])):
                start, processor_start = time.perf_counter(), time.process_time()
                step(i)
                seconds.append(time.perf_counter() - start)
                processor_seconds.append(time.process_time() - processor_start)
            answer(seconds=seconds, processor_seconds=processor_seconds)
        elif command == ["memory"]:
            answer(peak=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, import_only=IMPORT_BYTES)
        else:
            answer(error="unknown command " + line.strip())


main()
