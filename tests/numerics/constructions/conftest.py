"""An oracle for the constructions: heads as rules on single tokens, pure Python, exact at beta = inf."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import strategies as st

from numerics.world import World


@dataclass(frozen=True)
class Oracle:
    """kind 1..4 is the proposition; window = S + 2."""

    world: World
    kind: int
    window: int
    reading: str

    def __post_init__(self) -> None:
        w = self.world
        object.__setattr__(self, "values", [set(w.attribute_token[:, ell].tolist()) for ell in range(w.L)])
        finetune = w.attribute_token[list(w.finetune)]
        object.__setattr__(self, "seen", [set(finetune[:, ell].tolist()) for ell in range(w.L)])
        object.__setattr__(self, "R", [w.relation_token(ell) for ell in range(w.L)])
        object.__setattr__(self, "Gr", [w.grammar_token(g) for g in range(w.G)])

    def score(self, head: str, key: int, back: int, query: int) -> int:
        w, inside = self.world, back < self.window
        if head in ("subj", "rel") and query != w.sep_token:
            return 0
        if head == "subj":
            return (key < w.M) + (self.kind in (2, 4) and back == 1)
        if head == "rel":
            if self.kind in (1, 3):
                return (key in self.R) + inside
            return any(key in seen for seen in self.seen) + (self.kind == 2 and key in self.R)
        if query == w.sep_token:
            return 0
        if query in self.R:
            return (key == query) + (key == w.sep_token) + inside
        if query in self.Gr:
            return (key in self.R) + (key == w.sep_token) + inside
        return key == query

    def value(self, head: str, token: int) -> dict[int, Fraction]:
        w = self.world
        out: dict[int, Fraction] = {}

        def add(tokens, c=1):
            for v in tokens:
                out[v] = out.get(v, Fraction(0)) + Fraction(c)

        if head == "subj":
            if token < w.M:
                own = w.attribute_token[token].tolist()
                others = [v for j in range(w.M) if j != token for v in w.attribute_token[j].tolist()]
                add(others if self.reading == "literal" else {v for v in others if v not in own}, -1)
        elif head == "rel":
            for ell in range(w.L):
                if token == self.R[ell]:
                    add(self.seen[ell] if self.kind == 4 else self.values[ell])
                if self.kind in (2, 4) and token in self.seen[ell]:
                    add(self.seen[ell])
        else:
            add([j for j in range(w.M) for v in w.attribute_token[j].tolist() if v == token])
            if token < w.M or token == w.sep_token:
                add([*self.Gr, *self.R])
            if token in self.R:
                add(self.Gr, Fraction(1, 2))
                add([w.sep_token])
        return out

    def logits(self, tokens, t: int, beta: float = math.inf):
        heads = ("subj", "rel", "grm") if self.kind in (3, 4) else ("subj", "rel")
        out = [Fraction(0) if math.isinf(beta) else 0.0] * self.world.V
        for head in heads:
            scores = [self.score(head, tokens[i], t - 1 - i, tokens[t - 1]) for i in range(t)]
            hard = math.isinf(beta)
            weights = [Fraction(s == max(scores)) if hard else math.exp(beta * (s - max(scores))) for s in scores]
            for weight, token in zip(weights, tokens, strict=False):
                for v, c in self.value(head, token).items():
                    out[v] += weight / sum(weights) * (c if math.isinf(beta) else float(c))
        return out


@pytest.fixture(scope="package", autouse=True)
def one_thread() -> Iterator[None]:
    """The networks here are tiny: threads that wait for each other cost far more than they save."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def oracle() -> Callable[..., Oracle]:
    return Oracle


@st.composite
def _tables(draw, most: int = 4) -> World:
    M, L = draw(st.integers(1, most)), draw(st.integers(1, 2))
    table = draw(st.lists(st.lists(st.integers(0, 2), min_size=L, max_size=L), min_size=M, max_size=M))
    finetune = draw(st.permutations(range(M)))[: draw(st.integers(1, M))]
    return World(np.array(table), finetune, draw(st.integers(1, 2)))


@pytest.fixture(scope="session")
def tables() -> st.SearchStrategy[World]:
    return _tables()
