"""The 2-layer network and its loop as one writes them plainly, in minGPT's manner: what the trainer is timed against.

Sequences are made one by one in Python on the host and moved to the device; attention is a product, a mask and a softmax; logits at
every position; AdamW as torch has it unless told otherwise (not fused).  The same network, objective and optimizer settings; no dropout and no
clipping of gradients on either side.
"""

from __future__ import annotations

import math
from bisect import bisect

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from numerics.corpus import Corpus
from numerics.gpt import GPT


class SelfAttention(nn.Module):
    """Causal attention over T positions at most."""

    mask: Tensor

    def __init__(self, d: int, n_heads: int, T: int):
        super().__init__()
        self.c_attn, self.c_proj, self.n_heads = nn.Linear(d, 3 * d), nn.Linear(d, d), n_heads
        self.register_buffer("mask", torch.tril(torch.ones(T, T)).view(1, 1, T, T))

    def forward(self, x: Tensor) -> Tensor:
        """(B, t, d) -> (B, t, d)."""
        B, t, d = x.shape
        q, k, v = (part.view(B, t, self.n_heads, -1).transpose(1, 2) for part in self.c_attn(x).split(d, dim=2))
        att = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.shape[-1]))
        att = F.softmax(att.masked_fill(self.mask[:, :, :t, :t] == 0, float("-inf")), dim=-1)
        return self.c_proj((att @ v).transpose(1, 2).contiguous().view(B, t, d))


class PlainBlock(nn.Module):
    """LayerNorm, attention, LayerNorm, MLP."""

    def __init__(self, d: int, n_heads: int, T: int):
        super().__init__()
        self.ln_1, self.attn, self.ln_2 = nn.LayerNorm(d), SelfAttention(d, n_heads, T), nn.LayerNorm(d)
        self.c_fc, self.act, self.c_proj = nn.Linear(d, 4 * d), nn.GELU(), nn.Linear(4 * d, d)

    def forward(self, x: Tensor) -> Tensor:
        """(B, t, d) -> (B, t, d)."""
        x = x + self.attn(self.ln_1(x))
        return x + self.c_proj(self.act(self.c_fc(self.ln_2(x))))


class PlainGPT(nn.Module):
    """The network of numerics.gpt with the weights of one.  Raises ValueError for one with its own unembedding."""

    def __init__(self, like: GPT):
        super().__init__()
        if like.unembedding is not None:
            raise ValueError("like must be a tied network, got one with its own unembedding")
        self.wte, self.wpe = nn.Embedding(like.V, like.d), nn.Embedding(like.T, like.d)
        self.h = nn.ModuleList(PlainBlock(like.d, like.n_heads, like.T) for _ in range(like.n_layers))
        self.ln_f, self.lm_head = nn.LayerNorm(like.d), nn.Linear(like.d, like.V, bias=False)
        self.lm_head.weight = self.wte.weight
        self.to(like.token)
        names = {
            "norm_1": "ln_1",
            "qkv": "attn.c_attn",
            "out": "attn.c_proj",
            "norm_2": "ln_2",
            "up": "c_fc",
            "down": "c_proj",
        }
        state = {"wte.weight": like.token, "lm_head.weight": like.token, "wpe.weight": like.position}
        for name, weight in like.named_parameters():
            where = name.split(".")
            if where[0] == "blocks":
                state[f"h.{where[1]}.{names[where[2]]}.{where[3]}"] = weight
            elif where[0] == "norm":
                state[f"ln_f.{where[1]}"] = weight
        self.load_state_dict(state, strict=False)

    def forward(self, tokens: Tensor, following: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, t, V) and their mean loss."""
        x = self.wte(tokens) + self.wpe(torch.arange(tokens.shape[1], device=tokens.device))[None]
        for block in self.h:
            x = block(x)
        logits = self.lm_head(self.ln_f(x))
        return logits, F.cross_entropy(logits.view(-1, logits.shape[-1]), following.reshape(-1), ignore_index=-1)


class PlainSampler:
    """PT sequences one after the other, token by token."""

    def __init__(self, corpus: Corpus, S: int, n_tr: int, p_G: float, seed: int):
        self.corpus, self.S, self.n_tr, self.p_G = corpus, S, n_tr, p_G
        self.rng = np.random.default_rng(seed)
        chains = [*corpus.transitions, corpus.grammar_only]
        self.cumulative = [[np.cumsum(row)[:-1].tolist() for row in chain] for chain in chains]
        self.facts = corpus.attribute_token.tolist()

    def _grammar(self, chain: int, length: int) -> list[int]:
        rows, first = self.cumulative[chain], self.corpus.first_grammar
        g = int(self.rng.integers(self.corpus.G))
        out = [first + g]
        for u in self.rng.random(length - 1).tolist():
            g = bisect(rows[g], u)
            out.append(first + g)
        return out

    def sequence(self) -> list[int]:
        """One, its final token included."""
        out: list[int] = []
        subject = int(self.rng.integers(self.corpus.M))
        for number in range(self.n_tr):
            kind = int(self.rng.integers(self.corpus.L))
            if number:
                out.append(self.corpus.sep)
            if self.rng.random() < self.p_G:
                out.extend(self._grammar(self.corpus.L, self.S + 2))
            else:
                out.extend([subject, *self._grammar(kind, self.S), self.facts[subject][kind]])
        return out

    def batch(self, size: int, device: str | torch.device) -> tuple[Tensor, Tensor]:
        """Inputs and next tokens, (B, T) each."""
        full = torch.tensor([self.sequence() for _ in range(size)], dtype=torch.int64).to(device)
        return full[:, :-1].contiguous(), full[:, 1:].contiguous()


def optimizer(model: nn.Module, lr: float, weight_decay: float) -> torch.optim.AdamW:
    """AdamW with the library's defaults: on CUDA all parameters in a few kernels, on the CPU one after the other."""
    return torch.optim.AdamW(model.parameters(), lr, weight_decay=weight_decay)
