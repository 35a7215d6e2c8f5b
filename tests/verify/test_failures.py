"""What is said of failing sequences, against the plain forward pass over every sequence of small tables."""

from __future__ import annotations

import io
import itertools
import re
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from rich.console import Console

from numerics.conclusion import decide
from numerics.conclusion.forward import forward
from numerics.conclusion.setting import make_setting
from numerics.population import hat_gradients
from numerics.updates import updated_weights
from numerics.world import World
from verify import tables
from verify.conclude import POOLS, Conclusion, hat
from verify.failures import CENTRE, DERIVED, OPEN, _heads, _kind, failures, mark, unproven
from verify.setting import Setting
from verify.witnesses import Witnesses


def concluded(world: World, n: int, weights, objective: str = "hat") -> Conclusion:
    decisions = {pool: decide(world, n, weights, pool) for pool in POOLS}
    answers = [d.holds for d in decisions.values() if not d.vacuous]
    return Conclusion(objective, "exact rationals", decisions, None, all(answers))


def hat_weights(world: World, n: int, window=None, reading="set", eta=(1, 1, 1)):
    subj, ov, rel = map(Fraction, eta)
    gradients = hat_gradients(world, n, ov, window=window, reading=reading)
    return updated_weights(world, gradients, subj, rel)


def sequences(world: World, n: int, weights, pool: str) -> dict[bool, dict[str, str]]:
    """The right and the failing sequences of a pool, by their tokens: what is said of their heads."""
    setting = make_setting(world, n, pool, "finetune")
    found: dict[bool, dict[str, str]] = {True: {}, False: {}}
    for ell in range(world.L):
        for subjects in itertools.product(*[setting.contexts.tolist()] * n, setting.queries.tolist()):
            tokens = setting.tokens(ell, subjects)
            out = forward(setting, tokens, weights)
            target = int(world.attribute_token[subjects[-1], ell])
            others = [x for v, x in enumerate(out.logits) if v != target]
            kinds = [
                sorted({_kind(f"p_{x + 1 - len(tokens)} -") for x in where})
                for where in (out.attended_subj, out.attended_rel)
            ]
            right = out.logits[target] > max(others)
            found[right][" ".join(world.token_name(t) for t in tokens)] = _heads(*kinds)
    return found


def untrue(said: str, world: World, n: int, weights) -> list[str]:
    """Parts of a sentence on failing sequences that are not so."""
    found = {pool: sequences(world, n, weights, pool) for pool in POOLS}
    truth = {pool: some[False] for pool, some in found.items() if some[False]}
    right = {words for some in found.values() for words in some[True].values()}
    if not said:
        return ["silent"] if truth else []
    wrong, (head, *rest) = [], said.split("; ")
    for pool, some in truth.items():
        total = make_setting(world, n, pool, "finetune").total
        many = f"all {total} " if len(some) == total > 1 else f"{len(some)} of {total} "
        if many + POOLS[pool] not in head:
            wrong.append(f"{pool}: {len(some)} of {total}")
    for part in rest:
        example = re.match(r"e\.g\. on \[(.*)\] (the (?:subject|relation) head .*)", part)
        pools = [p for p in truth if part.startswith((f"on every failing {POOLS[p]} one ", "on every one of them "))]
        if example:
            # Of the first pool that fails.
            words = truth[next(iter(truth))].get(example[1])
            wrong += [] if words is not None and example[2].startswith(f"{words}, and ") else [part]
        else:
            words = {words for p in pools for words in truth[p].values()}
            told = len(words) == 1 and part.split(" one " if " one the " in part else " of them ")[1]
            alike = ", as on sequences that are right" if words & right else ""
            wrong += (
                []
                if told and told.removesuffix(", and the target still does not win") == words.pop() + alike
                else [part]
            )
    return wrong


def table(rows: list[str]) -> list[list[int]]:
    return [[ord(value) for value in row] for row in rows]


#: rows, M_ft, demonstrations, window, reading, step sizes, what the line must say.
CASES = {
    "a few fail, by the query": (
        ["0340", "0331", "0202", "0113", "0404", "2325"],
        6,
        1,
        3,
        "set",
        (1, 1, Fraction(1, 3)),
        "after hat steps 16 of 144 seen sequences fail; e.g. on [s5 [sep] a^0=50 s5 [sep]] the relation head attends the"
        " query, not the attributes, and the target a^0=50 ties with a^1=51, a^2=50, a^3=53",
    ),
    "held-out only, by context subjects": (
        ["a", "b", "c"],
        2,
        1,
        None,
        "set",
        (1, 1, 1),
        "after hat steps all 2 held-out sequences fail; on every one of them the relation head attends context subjects, not"
        " the attributes",
    ),
    "held-out only, by attributes alone": (
        ["00", "21", "00", "21", "10", "21", "20", "21"],
        4,
        1,
        3,
        "set",
        (1, 1000, 1000),
        "after hat steps 4 of 32 held-out sequences fail; on every one of them the relation head attends attributes only, as"
        " on sequences that are right",
    ),
    "each pool its own way": (
        ["aa", "ba", "ab", "bb", "aa", "ba", "ab", "bb"],
        4,
        2,
        4,
        "literal",
        (1, 1, 1),
        "after hat steps all 128 seen and all 128 held-out sequences fail; on every failing seen one the relation head attends"
        " the query and attributes; on every failing held-out one the relation head attends attributes only, and the target"
        " still does not win",
    ),
    "both pools alike": (
        ["ap", "aq", "bp", "br", "cq"],
        3,
        1,
        None,
        "set",
        (1, 1, 1),
        "after hat steps 12 of 18 seen and all 12 held-out sequences fail; on every one of them the relation head attends the"
        " query, not the attributes, as on sequences that are right",
    ),
    "held-out only, alike the seen ones": (
        ["0", "0", "1", "2"],
        3,
        1,
        None,
        "set",
        (1, 1, 1),
        "after hat steps all 3 held-out sequences fail; on every one of them the relation head attends the query, not the"
        " attributes, as on sequences that are right",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_line_says_what_the_failing_sequences_do(case):
    rows, M_ft, n, window, reading, eta, said = CASES[case]
    world = World(table(rows), range(M_ft))
    weights = hat_weights(world, n, window, reading, eta)
    c = concluded(world, n, weights)
    assert untrue(failures(c), world, n, weights) == []
    assert failures(c) == said


def test_where_nothing_fails_nothing_is_said():
    world = World.balanced(12, 2, 2, 6)
    weights = hat_weights(world, 1)
    c = concluded(world, 1, weights)
    assert c.holds and failures(c) == "" and untrue("", world, 1, weights) == []


@pytest.mark.parametrize("seed", range(24))
def test_of_random_tables_everything_said_is_so(seed):
    generator = np.random.default_rng(seed)
    M, L, n = int(generator.integers(3, 6)), int(generator.integers(1, 4)), int(generator.integers(1, 3))
    M_ft = int(generator.integers(1, M + 1))
    world = World.random(M, L, int(generator.integers(1, 4)), M_ft, n_grammar=1, seed=seed)
    window = None if generator.random() < 0.5 else int(generator.integers(3, 3 * n + 2))
    eta = [Fraction(str(generator.choice(["1/50", "1", "5", "1000"]))) for _ in range(3)]
    weights = hat_weights(world, n, window, str(generator.choice(["set", "literal"])), eta)
    c = concluded(world, n, weights)
    said = failures(c)
    assert untrue(said, world, n, weights) == []
    if said:
        # The check is one: other heads, other counts and silence are noticed.
        for swapped in (said.replace("the query", "x"), re.sub(r"(\d+) (seen|held)", r"1\1 \2", said), ""):
            assert swapped == said or untrue(swapped, world, n, weights)


def _failing_conclusion() -> Conclusion:
    rows, M_ft, n, window, reading, eta, _ = CASES["both pools alike"]
    world = World(table(rows), range(M_ft))
    return concluded(world, n, hat_weights(world, n, window, reading, eta), "true")


def opened(c: Conclusion) -> Conclusion:
    """The same counts, of which only bounds are proven on seen queries."""
    d = c.decisions["seen"]
    bounds = {"right_bounds": (d.right, d.right + 3), "ties_bounds": (0, d.ties), "wrong_bounds": (0, d.total)}
    loose = replace(d, exact=False, method=f"count patterns {OPEN}", **bounds)
    return replace(c, decisions={**c.decisions, "seen": loose})


def test_what_is_only_bounded_is_said_so():
    c = opened(_failing_conclusion())
    said = failures(c)
    assert said.startswith("after true steps at least 9 of 18 seen and all 12 held-out sequences fail; e.g. on [")
    assert f", {CENTRE}, the relation head attends" in said and "every" not in said


def test_counts_are_marked_wherever_the_bounds_are_not_a_point():
    """Also where the bounds say that it fails."""
    proven, loose = _failing_conclusion(), opened(_failing_conclusion())
    assert loose.decisions["seen"].holds is False
    texts = []
    for c in (proven, loose):
        console = Console(width=400, record=True, file=io.StringIO())
        tables.conclusion_lines(console, c)
        texts.append(console.export_text())
    assert "at the centre" not in texts[0]
    seen, heldout = texts[1].split("held-out queries:")
    assert "(at the centre: 6 of 18 right, at the centre: 6 ties)" in seen and "fails, at the centre: On [" in seen
    assert "smallest margin, at the centre: -" in seen and "(share of sequences, at the centre):" in seen
    assert "at the centre" not in heldout


def test_what_no_radius_bounds_is_not_proven():
    """Counts of float64 gradients are at no centre."""
    d = replace(_failing_conclusion().decisions["seen"], exact=False, right_bounds=(0, 18), ties_bounds=(6, 6))
    assert mark(d) == unproven(d, d.right_bounds) == "not proven" and unproven(d, d.ties_bounds) == ""


def test_what_the_proof_leaves_open_names_no_head():
    """Exact counts without attention: the sequence fails for all weights, and what is attended is that of the centre."""
    c = _failing_conclusion()
    only = replace(c, decisions={"seen": replace(c.decisions["seen"], attention=None)})
    assert f", {CENTRE}, " in failures(only) and "on every one" not in failures(only)


def test_no_example_no_cause():
    """A vocabulary too large for dense matrices leaves counts only."""
    c = _failing_conclusion()
    d = replace(c.decisions["seen"], exact=False, attention=None, counterexample=None, right_bounds=(0, 17), right=None)
    counted = replace(c, decisions={"seen": d}, reason="seen queries: the query alone")
    said = "after true steps at least 1 of 18 seen sequences fail"
    assert failures(counted) == said
    assert (
        failures(replace(counted, method="derivation, ranges of scores over all sequences"))
        == f"{said}; {counted.reason}"
    )


def test_the_derivation_says_why_where_it_decides(monkeypatch):
    monkeypatch.setattr("verify.witnesses.DENSE_V", 10)
    s = Setting(M=8, L=2, U=(2, 2), M_ft=4, N_ft=1, G=4)
    c = hat(Witnesses(s, World.balanced(8, 2, 2, 4), "cpu"))
    assert c.method.startswith(DERIVED) and c.holds is False
    assert failures(c).startswith("after hat steps at least ") and failures(c).endswith(f" sequences fail; {c.reason}")


def test_long_sequences_lose_their_middle():
    c = _failing_conclusion()
    d = c.decisions["seen"]
    long = replace(d.counterexample, tokens=tuple(f"t{i}" for i in range(26)))
    said = failures(replace(opened(c), decisions={"seen": replace(d, exact=False, counterexample=long)}))
    assert "on [t0 t1 t2 … t21 t22 t23 t24 t25]," in said


def test_kinds_by_position():
    names = {
        0: "sep",
        1: "query",
        2: "attributes",
        3: "sep",
        4: "context subjects",
        5: "attributes",
        13: "context subjects",
    }
    assert {back: _kind(f"p_-{back} x y" if back else "p_0 x y") for back in names} == names
