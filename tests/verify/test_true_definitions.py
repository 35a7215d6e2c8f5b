"""The conclusion after the true steps is what the definitions have: both steps and the decision in mpmath, at 900 digits."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import product

import mpmath as mp
import numpy as np
import pytest

from numerics.world import World
from verify.conclude import true
from verify.setting import Setting
from verify.witnesses import Witnesses


class Definitions:
    """Both true steps and the decision by their definitions, in mpmath: loops over every sequence, lists, one score at a time.

    The second step is taken with the subject head on the query alone. Scores and logits closer than 1e-600 are equal: 900
    digits leave as many, and half as many again, at the largest steps asked for here.
    """

    def __init__(self, setting: Setting, world: World) -> None:
        self.s, self.world, self.T, self.V = setting, world, setting.T, world.V
        self.width = min(self.T, setting.grammar_length + 2)
        self.F = list(range(setting.M_ft))
        self.steps = [
            mp.mpf(x.numerator) / x.denominator for x in (setting.eta_kq_subj, setting.eta_ov, setting.eta_kq_rel)
        ]
        values = [set(map(int, row)) for row in world.attribute_token]
        everyone = range(world.M)
        attributes = range(world.M, world.M + world.n_attributes)
        self.subject_column = []
        for j in everyone:
            times = {u: sum(u in values[k] for k in everyone if k != j) for u in attributes}
            alike = {u: int(u not in values[j]) for u in attributes}
            chosen = alike if setting.reading == "set" else times
            self.subject_column.append([-mp.mpf(chosen.get(v, 0)) for v in range(self.V)])
        self.weights()

    def sequences(self, queries, contexts):
        """(type, subjects, tokens, target)"""
        for ell in range(self.world.L):
            for subjects in product(*[contexts] * self.s.N_ft, queries):
                tokens = []
                for j in subjects:
                    tokens += [j, self.world.sep_token, int(self.world.attribute_token[j, ell])]
                yield ell, subjects, tokens[:-1], tokens[-1]

    def softmax(self, logits):
        made = [mp.exp(x) for x in logits]
        total = mp.fsum(made)
        return [x / total for x in made]

    def mean(self, columns):
        return [mp.fsum(c[v] for c in columns) / len(columns) for v in range(self.V)]

    def weights(self):
        """Scores (V + T,) of both heads and the columns of W_OV^rel after both steps."""
        V, T, w = self.V, self.T, self.width
        places = range(T - w, T)
        total = self.world.L * len(self.F) ** (self.s.N_ft + 1)
        zero = [mp.mpf(0)] * V
        kq_subj, kq_rel = ([mp.mpf(0)] * (V + T) for _ in range(2))
        gradient = [list(zero) for _ in range(V)]
        for _, subjects, tokens, y in self.sequences(self.F, self.F):
            p = self.softmax(self.mean([self.subject_column[j] for j in subjects]))
            p[y] -= 1
            r = [mp.fsum(a * b for a, b in zip(p, self.subject_column[j], strict=True)) for j in subjects]
            for i, j in enumerate(subjects):
                moved = (r[i] - mp.fsum(r) / len(r)) / len(r)
                kq_subj[j] += moved / total
                kq_subj[V + T - 1 - 3 * i] += moved / total
            for x in places:
                for v in range(V):
                    gradient[tokens[x]][v] += p[v] / (w * total)
        self.ov_rel = [[-self.steps[1] * x for x in column] for column in gradient]
        self.ov_rel[self.world.sep_token] = list(zero)
        for _, subjects, tokens, y in self.sequences(self.F, self.F):
            shown = self.mean([self.ov_rel[tokens[x]] for x in places])
            p = self.softmax([a + b for a, b in zip(self.subject_column[subjects[-1]], shown, strict=True)])
            p[y] = -mp.fsum(x for v, x in enumerate(p) if v != y)
            r = {x: mp.fsum(a * b for a, b in zip(p, self.ov_rel[tokens[x]], strict=True)) for x in places}
            for x in places:
                moved = (r[x] - mp.fsum(r.values()) / w) / w
                kq_rel[tokens[x]] += moved / total
                kq_rel[V + T - 1 - x] += moved / total
        start_subj = [int(i < self.world.M) for i in range(V + T)]
        start_rel = [int(V <= i < V + w) for i in range(V + T)]
        self.kq_subj = [a - self.steps[0] * b for a, b in zip(start_subj, kq_subj, strict=True)]
        self.kq_rel = [a - self.steps[2] * b for a, b in zip(start_rel, kq_rel, strict=True)]

    def attended(self, kq, tokens):
        score = [kq[t] + kq[self.V + self.T - 1 - x] for x, t in enumerate(tokens)]
        return tuple(x for x in range(self.T) if max(score) - score[x] < TIE)

    def decided(self, queries, contexts):
        """{right, ties, total, margin, attention, smallest}"""
        right = ties = total = 0
        margins, failing = [], []
        attention = {"subj": Counter(), "rel": Counter()}
        for ell, subjects, tokens, y in self.sequences(queries, contexts):
            columns = []
            for head, kq, of in (("subj", self.kq_subj, self.subject_column), ("rel", self.kq_rel, self.ov_rel)):
                where = self.attended(kq, tokens)
                columns.append(self.mean([of[tokens[x]] if tokens[x] < len(of) else [0] * self.V for x in where]))
                kinds = {
                    "query" if x == self.T - 2 else ("context subjects", "sep", "attributes")[x % 3] for x in where
                }
                attention[head][" + ".join(k for k in KINDS if k in kinds)] += 1
            logits = [a + b for a, b in zip(*columns, strict=True)]
            margin = logits[y] - max(x for v, x in enumerate(logits) if v != y)
            margins.append(mp.mpf(0) if abs(margin) < TIE else margin)
            total, right, ties = total + 1, right + (margins[-1] > 0), ties + (margins[-1] == 0)
            if margins[-1] <= 0:
                failing.append((len(set(subjects)), tokens, ell, subjects))
        least = min(failing, default=None)
        return right, ties, total, min(margins), {h: dict(a) for h, a in attention.items()}, least


KINDS = ("query", "context subjects", "attributes", "sep")
TIE = mp.mpf(10) ** -600


@pytest.fixture
def digits():
    with mp.workdps(900):
        yield


def agree(rows, M_ft, pools=("seen", "heldout"), **sizes):
    """The conclusion at a setting, every pool of it exact and as the definitions have it."""
    rows = [row.split() for row in rows.split(",")]
    values = [sorted({row[ell] for row in rows}) for ell in range(len(rows[0]))]
    table = np.array([[values[ell].index(x) for ell, x in enumerate(row)] for row in rows])
    setting = Setting(M=len(rows), L=len(rows[0]), U=tuple(map(len, values)), M_ft=M_ft, **{"N_ft": 1, "G": 1, **sizes})
    world = World(table, list(range(M_ft)), setting.G)
    found, plain = true(Witnesses(setting, world)), Definitions(setting, world)
    seen, rest, everyone = range(M_ft), range(M_ft, len(rows)), range(len(rows))
    asked = {"seen": (found.decisions["seen"], seen, seen), "heldout": (found.decisions["heldout"], rest, seen)}
    asked["anywhere"] = found.anywhere, rest, everyone
    for name, (d, queries, contexts) in asked.items():
        if not len(queries):
            assert d.vacuous
            continue
        right, ties, total, margin, attention, failing = plain.decided(queries, contexts)
        assert d.exact and (d.right, d.ties, d.total) == (right, ties, total), name
        assert d.attention == attention, name
        if failing is None:
            assert d.counterexample is None and d.holds is True
        else:
            _, tokens, ell, subjects = failing
            c = d.counterexample
            assert c.smallest and (list(c.token_ids), c.relation_type, c.subjects) == (tokens, ell, tuple(subjects)), (
                name
            )
            where = [
                f"p_{x + 1 - setting.T} {world.token_name(tokens[x])}" for x in plain.attended(plain.kq_subj, tokens)
            ]
            assert list(c.attended_subj) == where
        with mp.workdps(30):
            assert mp.almosteq(
                mp.mpf(d.min_margin.numerator) / d.min_margin.denominator, margin, rel_eps=1e-9, abs_eps=1e-9
            )
    return found


def test_the_window_counts_beside_scores_of_1e12(digits):
    """The query wins by the 1 that it has from the window, over a context subject, at scores of 5e11."""
    found = agree("b,a,a,a,a", 5, S=1, eta_ov=Fraction(10**6), eta_kq_rel=Fraction(10**8))
    assert found.holds is True


def test_what_a_subject_knows_counts_beside_logits_of_1e14(digits):
    found = agree("a a c,b b c,c a a,d b a", 4, S=3, eta_ov=Fraction(10**14))
    assert (found.decisions["seen"].right, found.decisions["seen"].ties) == (24, 0)


def test_saturated_softmaxes_and_literal_columns(digits):
    """At 1e60 the exponentials have 1e58 digits before the first that is not 0."""
    big = Fraction(10**60)
    found = agree(
        "o v4,o v6,o v2,o v5,o v1,o v5,o v1", 7, S=3, G=3, reading="literal",
        eta_kq_subj=Fraction(1, 10**6), eta_ov=big, eta_kq_rel=big,
    )  # fmt: skip
    assert found.decisions["seen"].ties == 21 and found.decisions["seen"].min_margin == -6


@pytest.mark.parametrize("eta", [1, 10**10, 10**16, 10**30])
def test_alike_subjects_share_the_attention_at_every_step(digits, eta):
    """The first step is 0: query and context subject tie, and no other position does, however large the step."""
    found = agree("a p,a p,a p,a q", 3, eta_kq_subj=Fraction(eta))
    for d in (*found.decisions.values(), found.anywhere):
        assert set(d.attention["subj"]) == {"query + context subjects"}


def test_what_surely_fails_has_an_example_a_margin_and_an_attention(digits):
    """One finetuning subject: the subject head attends all subjects alike, and every third held-out query fails."""
    found = agree("a b,a a,a a,b b,a b,a b,a b", 1, S=1, G=2, eta_kq_subj=Fraction(5))
    heldout = found.decisions["heldout"]
    assert (heldout.right, heldout.total, heldout.counterexample.smallest) == (9, 12, True)


def test_two_unseen_values_tie_by_symmetry(digits):
    """A query of which both values are new: the gradient's rows of the two are equal, so no held-out answer is right."""
    found = agree("b a,b b,b c,a d,a e", 3, S=2, G=5)
    assert (found.decisions["heldout"].ties, found.decisions["heldout"].exact) == (12, True)


@pytest.mark.parametrize("seed", range(12))
def test_random_tables_at_random_steps(digits, seed):
    """Whatever is said to be exact is what the definitions have; what is open is a tie that no symmetry proves."""
    rng = np.random.default_rng(seed)
    M, L, G = int(rng.integers(2, 6)), int(rng.integers(1, 3)), 1
    table = rng.integers(0, int(rng.integers(2, 4)), size=(M, L))
    # A larger eta_ov makes differences of e^-(eta_ov), too small for the digits of the definitions.
    steps = [Fraction(10) ** int(rng.integers(-8, most)) for most in (13, 5, 13)]
    setting = Setting(
        M=M, L=L, U=tuple(len(set(column)) for column in table.T.tolist()), M_ft=int(rng.integers(1, M + 1)), N_ft=1, G=G,
        S=int(rng.integers(1, 5)), reading=("set", "literal")[seed % 2],
        eta_kq_subj=steps[0], eta_ov=steps[1], eta_kq_rel=steps[2],
    )  # fmt: skip
    world = World(table, list(range(setting.M_ft)), G)
    found, plain = true(Witnesses(setting, world)), Definitions(setting, world)
    seen, rest = range(setting.M_ft), range(setting.M_ft, M)
    asked = (
        (found.decisions["seen"], seen, seen),
        (found.decisions["heldout"], rest, seen),
        (found.anywhere, rest, range(M)),
    )
    for d, queries, contexts in asked:
        if d.vacuous:
            continue
        right, ties, total, margin, attention, _ = plain.decided(queries, contexts)
        assert d.total == total and d.right_bounds[0] <= right <= d.right_bounds[1]
        assert d.ties_bounds[0] <= ties <= d.ties_bounds[1]
        if d.exact:
            assert (d.right, d.ties) == (right, ties) and d.attention in (None, attention)
            low, high = (mp.mpf(x.numerator) / x.denominator for x in d.min_margin_bounds)
            assert low - TIE <= margin <= high + TIE
