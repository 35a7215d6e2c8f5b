"""Ranges of Div and requests: scaling between readings, agreement with the selection they come from, the rule of reaching."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from numerics.corpus.bayes import bayes_accuracy
from numerics.corpus.config import selected
from numerics.pretraining.chains import NORMS, divergence, greedy_selection, transition_pool
from verify.evidence import Status
from verify.framework.reach import Reading, Request, Search, Selected, Sizes, as_json, readings
from verify.framework.statement import BEST, FIRST, NAMES, TARGETS, reached, words
from verify.judges.framework import divergence as judged

SIZES = Sizes(G=2, L=2, alpha=(1.0, 5.0), pool=12, S=(3, 6), div=(0.05, 0.5), seeds=(3, 4), paths=100)


@pytest.fixture(scope="module")
def found() -> dict[tuple[str, float], Reading]:
    return {(one.norm, one.alpha): one for one in readings(SIZES)}


def test_every_reading_once(found):
    assert list(found) == [(norm, alpha) for alpha in (1.0, 5.0) for norm in NORMS]


@pytest.mark.parametrize("norm", NORMS)
def test_two_matrices_by_trying_every_pair(found, norm):
    """With L = 2 and every start tried, greedy selection is the best there is: the nearest and the farthest pair."""
    for k, seed in enumerate(SIZES.seeds):
        pool = transition_pool(12, 2, 1.0, seed)
        pairs = [divergence([a, b], norm) for a, b in itertools.combinations(pool, 2)]
        one = found[norm, 1.0]
        assert one.least[k] == pytest.approx(min(pairs)) and one.largest[k] == pytest.approx(max(pairs))
        for request in one.requests:
            chosen = request.by_seed[k]
            chains = selected(pool, 2, norm, request.div)
            assert chosen.reached == divergence(chains, norm) and chosen.variation == divergence(chains, "variation")
            assert [a.value for a in chosen.accuracies] == [bayes_accuracy(chains, S).value for S in (3, 6)]


def test_scales_of_the_readings(found):
    # entries = G rows = 2 G variation.
    for alpha in SIZES.alpha:
        ends = {norm: (*found[norm, alpha].least, *found[norm, alpha].largest) for norm in NORMS}
        assert ends["rows"] == pytest.approx([2 * x for x in ends["variation"]])
        assert ends["entries"] == pytest.approx([4 * x for x in ends["variation"]])
        assert all(a >= b - 1e-12 for a, b in zip(ends["max_row"], ends["rows"], strict=True))


def test_a_request_is_reached_when_every_seed_rounds_to_it():
    def request(*reached):
        return Request(0.3, tuple(Selected(seed, x, x, ()) for seed, x in enumerate(reached)))

    assert request(0.3, 0.349, 0.251).reached
    assert not request(0.3, 0.3501).reached and not request(0.2499, 0.3).reached
    one = Reading("rows", 1.0, (0.1,), (0.4,), (request(0.3), request(0.5)))
    assert not one.reaches_all and Reading("rows", 1.0, (0.1,), (0.4,), (request(0.3),)).reaches_all


def test_json_says_what_was_found(found):
    data = as_json(SIZES, list(found.values()))
    assert data["reach_all"] == [{"norm": n, "alpha": a} for (n, a), one in found.items() if one.reaches_all]
    first, one = data["readings"][0], found["entries", 1.0]
    assert first["requests"][1]["mean"][0] == {"S": 3, "bayes": one.requests[1].mean(0), "chance": 0.5}
    values = [chosen.accuracies[0].value for chosen in one.requests[1].by_seed]
    assert one.requests[1].mean(0) == pytest.approx(sum(values) / 2)


def test_a_search_is_the_selection_of_the_command(found):
    """What the claim on Div is judged by, and what the table of the command shows, at the same sizes."""
    search = Search(pool=12, seeds=(3, 4))
    for request in found["operator", 5.0].requests:
        assert search.values(2, 2, 5.0, "operator", request.div) == tuple(one.reached for one in request.by_seed)
    first = Search(pool=12, starts=1, seeds=(3,)).values(2, 2, 5.0, "rows", 0.5)
    assert Search(pool=12, seeds=(3, 4)).values(2, 2, 5.0, "rows", 0.5) == Search(pool=12, seeds=(3, 4)).values(
        2, 2, 5.0, "rows", 0.5
    )
    assert first == (greedy_selection(transition_pool(12, 2, 5.0, 3), 2, "rows", 0.5).div,)


def test_the_sentence_on_div_agrees_with_the_committed_table():
    """results/divergence comes from the command; the claim's table has to say the same of every norm, prior and Div."""
    committed = json.loads(Path("results/divergence/divergence.json").read_text(encoding="utf-8"))
    assert (committed["setting"]["pool"], committed["setting"]["starts"]) == (BEST.pool, BEST.starts)
    table = reached()
    for one in committed["readings"]:
        of = {request["div"]: request["reached"] for request in one["requests"] if request["div"] in TARGETS}
        assert of == table[BEST, one["norm"], one["alpha"]]
    for one in committed["reach_all"]:
        assert f"{NAMES[one['norm']]} (alpha = {one['alpha']:g})" in words().split("In full")[0]


def test_the_claim_on_div_rejects_a_table_that_differs():
    asked = (FIRST, "rows", 1.0)
    assert judged({asked: {0.5: True, 0.3: True}}, None).status is Status.HOLDS
    assert judged({asked: {0.5: False}}, None).status is Status.FAILS
    assert judged({(FIRST, "variation", 1.0): {0.1: True}}, None).status is Status.FAILS
