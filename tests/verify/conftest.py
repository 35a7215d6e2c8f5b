"""The trials of all claims, made once; small runs of the main job; and the definitions in plain Python, over every sequence."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from numerics.world import World
from tests.one_thread import one_thread as one_thread
from verify import theorem1
from verify.court import Court
from verify.docket import Outcome, entries, tried
from verify.findings.entry import Options
from verify.records import record
from verify.setting import Setting

Token = tuple
Column = dict[Token, Fraction]


@pytest.fixture(scope="session")
def courts() -> dict[str, Court]:
    """The court of each reading at the paper's setting."""
    world = World.balanced(256, 8, 32, 128)
    sizes = {"M": 256, "L": 8, "U": (32,) * 8, "M_ft": 128}
    return {reading: Court(Setting(**sizes, reading=reading), world) for reading in ("set", "literal")}


@pytest.fixture(scope="session")
def outcomes(courts) -> dict[str, list[Outcome]]:
    """Every claim tried in both readings, with its mutants."""
    return {reading: [tried(entry, court) for entry in entries().values()] for reading, court in courts.items()}


@pytest.fixture(scope="session")
def records(outcomes) -> dict[tuple[str, str], dict[str, Any]]:
    """The same as plain data, by claim and reading."""
    return {(o.entry.claim.id, reading): record(o, reading) for reading, found in outcomes.items() for o in found}


@dataclass(frozen=True)
class Plain:
    """The hat steps and the decision by their definitions: loops over all sequences, dictionaries of Fractions.

    table: one tuple of values a subject, F: the finetuning subjects. A token is ("s", j), ("a", l, value), ("r", l),
    ("g", i) or ("sep",); ("p", -i) is a position.
    """

    table: tuple[tuple[Any, ...], ...]
    F: tuple[int, ...]
    n_demos: int
    n_grammar: int
    window: int | None = None
    reading: str = "set"
    eta: tuple[Fraction, Fraction, Fraction] = (Fraction(1), Fraction(1), Fraction(1))

    @property
    def L(self) -> int:
        return len(self.table[0])

    @property
    def T(self) -> int:
        return 3 * self.n_demos + 2

    @property
    def values(self) -> list[Token]:
        return [("a", l, v) for l in range(self.L) for v in sorted({row[l] for row in self.table})]

    @property
    def vocabulary(self) -> list[Token]:
        subjects = [("s", j) for j in range(len(self.table))]
        rest = [("r", l) for l in range(self.L)] + [("g", i) for i in range(self.n_grammar)] + [("sep",)]
        return subjects + self.values + rest

    def sequence(self, l: int, subjects: tuple[int, ...]) -> tuple[list[Token], Token]:
        tokens: list[Token] = []
        for j in subjects:
            tokens += [("s", j), ("sep",), ("a", l, self.table[j][l])]
        return tokens[:-1], tokens[-1]

    def population(self, query: str = "seen", context: str = "finetune"):
        everyone = range(len(self.table))
        queries = self.F if query == "seen" else [j for j in everyone if j not in self.F]
        contexts = self.F if context == "finetune" else everyone
        for l in range(self.L):
            for head in itertools.product(contexts, repeat=self.n_demos):
                for q in queries:
                    yield self.sequence(l, (*head, q))

    def foreign(self, u: Token, x: Token) -> Fraction:
        """The entry [u, x] of W_OV^subj."""
        if x[0] != "s" or u[0] != "a":
            return Fraction(0)
        own = self.table[x[1]][u[1]] == u[2]
        if self.reading == "set":
            return Fraction(0 if own else -1)
        return Fraction(own - sum(row[u[1]] == u[2] for row in self.table))

    def keys(self, tokens: list[Token], i: int) -> tuple[Token, Token]:
        return tokens[i], ("p", i + 1 - len(tokens))

    def last(self, tokens: list[Token]) -> list[int]:
        w = self.T if self.window is None else min(self.window, self.T)
        return list(range(len(tokens) - w, len(tokens)))

    def hat_gradients(self) -> tuple[Column, dict[tuple[Token, Token], Fraction], Column]:
        """kq_subj, ov_rel (by [output, input], not projected), kq_rel (after the projected step)."""
        everything = list(self.population())
        n = len(everything)
        kq_subj: Column = {}
        ov: dict[tuple[Token, Token], Fraction] = {}
        kq_rel: Column = {}

        def add(column, tokens, where, value):
            r = {i: value(tokens[i]) for i in where}
            mean = sum(r.values()) / Fraction(len(where))
            for i in where:
                for key in self.keys(tokens, i):
                    column[key] = column.get(key, Fraction(0)) + (r[i] - mean) / len(where) / n

        for tokens, y in everything:
            where = [i for i, x in enumerate(tokens) if x[0] == "s"]
            add(kq_subj, tokens, where, lambda x, y=y: -self.foreign(y, x))
            for i in self.last(tokens):
                ov[y, tokens[i]] = ov.get((y, tokens[i]), Fraction(0)) - Fraction(1, len(self.last(tokens)) * n)
        self_ov = self.updated_ov(ov)
        for tokens, y in everything:
            add(kq_rel, tokens, self.last(tokens), lambda x, y=y: -self_ov.get((y, x), Fraction(0)))
        return kq_subj, ov, kq_rel

    def updated_ov(self, gradient) -> dict[tuple[Token, Token], Fraction]:
        found = {(u, ("r", u[1])): Fraction(1) for u in self.values}
        for (out, into), value in gradient.items():
            if into != ("sep",):
                found[out, into] = found.get((out, into), Fraction(0)) - self.eta[1] * value
        return found

    def weights(self):
        """The final weights per unit beta: two columns of scores, and W_OV^rel."""
        g_subj, g_ov, g_rel = self.hat_gradients()
        subj: Column = {("s", j): Fraction(1) for j in range(len(self.table))}
        rel: Column = {("r", l): Fraction(1) for l in range(self.L)}
        w = self.T if self.window is None else min(self.window, self.T)
        rel.update({("p", -i): Fraction(1) for i in range(w)})
        for column, gradient, step in ((subj, g_subj, self.eta[0]), (rel, g_rel, self.eta[2])):
            for key, value in gradient.items():
                column[key] = column.get(key, Fraction(0)) - step * value
        return subj, rel, self.updated_ov(g_ov)

    def logits(self, tokens: list[Token], weights) -> dict[Token, Fraction]:
        """The forward pass as beta -> inf on one sequence."""
        subj, rel, ov = weights
        out = dict.fromkeys(self.vocabulary, Fraction(0))
        for column, entry in ((subj, self.foreign), (rel, lambda u, x: ov.get((u, x), Fraction(0)))):
            score = [sum(column.get(k, Fraction(0)) for k in self.keys(tokens, i)) for i in range(len(tokens))]
            where = [i for i, s in enumerate(score) if s == max(score)]
            for v in out:
                out[v] += sum((entry(v, tokens[i]) for i in where), Fraction(0)) / len(where)
        return out

    def decide(self, query: str = "seen", context: str = "finetune", weights=None) -> dict[str, int]:
        """right, ties and total over every sequence."""
        weights = self.weights() if weights is None else weights
        right = ties = total = 0
        for tokens, y in self.population(query, context):
            out = self.logits(tokens, weights)
            best = max(value for v, value in out.items() if v != y)
            right, ties, total = right + (out[y] > best), ties + (out[y] == best), total + 1
        return {"right": right, "ties": ties, "total": total}


@pytest.fixture(scope="session")
def plain() -> type[Plain]:
    return Plain


@pytest.fixture(scope="session")
def plain_of() -> Callable[..., Plain]:
    """The plain description of a world; only its table and its finetuning subjects are taken from it."""

    def make(world: World, n_demos: int, **more: Any) -> Plain:
        table = tuple(tuple(int(v) for v in row) for row in world.value_index)
        return Plain(table, tuple(int(j) for j in world.finetune), n_demos, world.G, **more)

    return make


@pytest.fixture
def few_claims(monkeypatch) -> list[str]:
    """The main job with three quick claims of 39: what is tried does not depend on the setting."""
    names = ["index", "subj.E_Cy", "lemC2"]
    chosen = {name: entry for name, entry in entries().items() if name in names}
    monkeypatch.setattr(theorem1, "theorem_entries", lambda: chosen)
    return names


@pytest.fixture
def run_json(few_claims, tmp_path: Path, capsys) -> Callable[..., tuple[int, dict[str, Any], str]]:
    """main([...]) -> exit status, the JSON that it wrote, what it printed."""

    def run(*arguments: str) -> tuple[int, dict[str, Any], str]:
        target = tmp_path / "result.json"
        status = theorem1.main([*arguments, "--json", str(target)])
        out = capsys.readouterr()
        assert out.err == ""
        assert [p.name for p in tmp_path.glob("*result*")] == ["result.json"]
        return status, json.loads(target.read_text(encoding="utf-8")), out.out

    return run


@pytest.fixture(scope="module")
def options(tmp_path_factory) -> Options:
    """A folder of a test file's own for the networks that it trains, one process."""
    return Options(tmp_path_factory.mktemp("runs"), 1)
