"""Writes gpt2_block.safetensors, llama_block.safetensors and adamw.safetensors: golden numbers for one GPT-2 block, one Llama
block and the optimiser.

A plain implementation of both models in PyTorch, float64, with PyTorch's own autodiff and AdamW; it shares no code with Sesame.
Needs only torch (made with 1.13.0). Run it in this directory; the files in the repository are its output. Neither the build
nor the tests run it.

Each block's file holds, as F64 or I32 tensors: the parameters under Hugging Face's names, "tokens" and "targets" [batch, time] (-1:
ignored), "logits" [batch * time, vocab], "loss" [], and "grad.<parameter>"; its metadata holds the config.json.
"""

import json
import math
import struct

import torch
from torch.nn.functional import cross_entropy, embedding, silu

torch.set_default_dtype(torch.float64)
BATCH, TIME, VOCAB = 2, 6, 13


def write_safetensors(path, tensors, metadata):
    header, chunks, offset = {"__metadata__": metadata}, [], 0
    for name in sorted(tensors, key=lambda n: (tensors[n].dtype != torch.float64, n)):
        data = tensors[name].detach().contiguous()
        raw = data.numpy().tobytes()
        header[name] = {
            "dtype": "F64" if data.dtype == torch.float64 else "I32",
            "shape": list(data.shape),
            "data_offsets": [offset, offset + len(raw)],
        }
        chunks.append(raw)
        offset += len(raw)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(chunks))


def causal_attention(q, k, v):
    """[batch, heads, time, head_dim] each."""
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    future = torch.ones(TIME, TIME).triu(1).bool()
    return scores.masked_fill(future, -math.inf).softmax(-1) @ v


def split_heads(x, heads):
    return x.view(BATCH, TIME, heads, -1).transpose(1, 2)


def join_heads(x):
    return x.transpose(1, 2).reshape(BATCH, TIME, -1)


def layer_norm(x, gain, bias):
    x = x - x.mean(-1, keepdim=True)
    return x / torch.sqrt((x * x).mean(-1, keepdim=True) + 1e-5) * gain + bias


def rms_norm(x, gain):
    return x / torch.sqrt((x * x).mean(-1, keepdim=True) + 1e-6) * gain


def gelu_new(x):
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def gpt2(p, tokens):
    x = embedding(tokens, p["transformer.wte.weight"]) + p["transformer.wpe.weight"][:TIME]
    h = "transformer.h.0."
    y = layer_norm(x, p[h + "ln_1.weight"], p[h + "ln_1.bias"])
    q, k, v = (y @ p[h + "attn.c_attn.weight"] + p[h + "attn.c_attn.bias"]).chunk(3, -1)
    y = join_heads(causal_attention(split_heads(q, 2), split_heads(k, 2), split_heads(v, 2)))
    x = x + y @ p[h + "attn.c_proj.weight"] + p[h + "attn.c_proj.bias"]
    y = layer_norm(x, p[h + "ln_2.weight"], p[h + "ln_2.bias"])
    y = gelu_new(y @ p[h + "mlp.c_fc.weight"] + p[h + "mlp.c_fc.bias"])
    x = x + y @ p[h + "mlp.c_proj.weight"] + p[h + "mlp.c_proj.bias"]
    x = layer_norm(x, p["transformer.ln_f.weight"], p["transformer.ln_f.bias"])
    return x @ p["transformer.wte.weight"].T


def rotate(x, theta=10000.0):
    half = x.shape[-1] // 2
    angle = torch.arange(TIME)[:, None] * theta ** (-torch.arange(half) / half)
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * angle.cos() - b * angle.sin(), b * angle.cos() + a * angle.sin()], -1)


def llama(p, tokens):
    x = embedding(tokens, p["model.embed_tokens.weight"])
    h = "model.layers.0."
    y = rms_norm(x, p[h + "input_layernorm.weight"])
    q = rotate(split_heads(y @ p[h + "self_attn.q_proj.weight"].T, 4))
    k = rotate(split_heads(y @ p[h + "self_attn.k_proj.weight"].T, 2)).repeat_interleave(2, 1)
    v = split_heads(y @ p[h + "self_attn.v_proj.weight"].T, 2).repeat_interleave(2, 1)
    x = x + join_heads(causal_attention(q, k, v)) @ p[h + "self_attn.o_proj.weight"].T
    y = rms_norm(x, p[h + "post_attention_layernorm.weight"])
    y = silu(y @ p[h + "mlp.gate_proj.weight"].T) * (y @ p[h + "mlp.up_proj.weight"].T)
    x = x + y @ p[h + "mlp.down_proj.weight"].T
    return rms_norm(x, p["model.norm.weight"]) @ p["lm_head.weight"].T


def random_parameters(shapes):
    parameters = {}
    for name, shape in shapes.items():
        values = torch.randn(shape) * 0.4
        if len(shape) == 1 and name.endswith(".weight"):  # gains of norms
            values = 1 + 0.5 * values
        parameters[name] = values.requires_grad_()
    return parameters


def write_golden(path, model, shapes, config):
    p = random_parameters(shapes)
    tokens = torch.randint(0, VOCAB, (BATCH, TIME))
    targets = torch.randint(0, VOCAB, (BATCH, TIME))
    targets[0, 2] = targets[1, 5] = -1
    logits = model(p, tokens).view(BATCH * TIME, VOCAB)
    loss = cross_entropy(logits, targets.flatten(), ignore_index=-1)
    loss.backward()
    tensors = dict(p, logits=logits, loss=loss, tokens=tokens.int(), targets=targets.int())
    tensors.update({"grad." + name: value.grad for name, value in p.items()})
    write_safetensors(path, tensors, {"config": json.dumps(config)})
    print(f"{path}: loss {loss.item():.15f}")


def gpt2_shapes(width, inner, context):
    h = "transformer.h.0."
    return {
        "transformer.wte.weight": (VOCAB, width),
        "transformer.wpe.weight": (context, width),
        h + "ln_1.weight": (width,),
        h + "ln_1.bias": (width,),
        h + "attn.c_attn.weight": (width, 3 * width),
        h + "attn.c_attn.bias": (3 * width,),
        h + "attn.c_proj.weight": (width, width),
        h + "attn.c_proj.bias": (width,),
        h + "ln_2.weight": (width,),
        h + "ln_2.bias": (width,),
        h + "mlp.c_fc.weight": (width, inner),
        h + "mlp.c_fc.bias": (inner,),
        h + "mlp.c_proj.weight": (inner, width),
        h + "mlp.c_proj.bias": (width,),
        "transformer.ln_f.weight": (width,),
        "transformer.ln_f.bias": (width,),
    }


def llama_shapes(width, inner, heads, kv_heads, head_dim):
    h = "model.layers.0."
    return {
        "model.embed_tokens.weight": (VOCAB, width),
        h + "input_layernorm.weight": (width,),
        h + "self_attn.q_proj.weight": (heads * head_dim, width),
        h + "self_attn.k_proj.weight": (kv_heads * head_dim, width),
        h + "self_attn.v_proj.weight": (kv_heads * head_dim, width),
        h + "self_attn.o_proj.weight": (width, heads * head_dim),
        h + "post_attention_layernorm.weight": (width,),
        h + "mlp.gate_proj.weight": (inner, width),
        h + "mlp.up_proj.weight": (inner, width),
        h + "mlp.down_proj.weight": (width, inner),
        "model.norm.weight": (width,),
        "lm_head.weight": (VOCAB, width),
    }


def write_adamw(path, decayed=48, others=32, steps=5):
    """Parameters before and after `steps` updates with the gradients of each step, clipped to a norm of 1 together."""
    p = [torch.randn(decayed).requires_grad_(), torch.randn(others).requires_grad_()]
    tensors = {"before": torch.cat(p).clone()}
    groups = [dict(params=[p[0]], weight_decay=0.1), dict(params=[p[1]], weight_decay=0.0)]
    optimizer = torch.optim.AdamW(groups, lr=0.0, betas=(0.9, 0.95), eps=1e-8)
    for step in range(steps):
        for tensor in p:
            # Above the norm in the first steps, below it later.
            tensor.grad = torch.randn(tensor.shape) * 0.5 / (1 + step) ** 2
        tensors[f"gradients.{step}"] = torch.cat([tensor.grad for tensor in p]).clone()
        torch.nn.utils.clip_grad_norm_(p, 1.0)
        for group in optimizer.param_groups:
            group["lr"] = 0.01 * (step + 1)
        optimizer.step()
    tensors["after"] = torch.cat(p)
    write_safetensors(path, tensors, {"format": "pt"})


if __name__ == "__main__":
    torch.manual_seed(20240229)
    write_golden(
        "gpt2_block.safetensors",
        gpt2,
        gpt2_shapes(width=8, inner=32, context=8),
        dict(model_type="gpt2", vocab_size=VOCAB, n_positions=8, n_embd=8, n_layer=1, n_head=2,
             layer_norm_epsilon=1e-5),
    )
    write_golden(
        "llama_block.safetensors",
        llama,
        llama_shapes(width=8, inner=12, heads=4, kv_heads=2, head_dim=4),
        dict(model_type="llama", vocab_size=VOCAB, max_position_embeddings=8, hidden_size=8, num_hidden_layers=1,
             num_attention_heads=4, num_key_value_heads=2, head_dim=4, intermediate_size=12, rms_norm_eps=1e-6,
             rope_theta=10000.0, tie_word_embeddings=False),
    )
    write_adamw("adamw.safetensors")
