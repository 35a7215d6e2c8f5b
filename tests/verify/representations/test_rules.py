"""The rules accept what the paper describes, and reject every change of it that is no longer Finding 5."""

import copy

import pytest

from verify.representations import rules

BETAS = [i / 20 for i in range(21)]


def steering(crossing: float = 0.5, best: float = 2.0, worst: float = 20.0):
    source = [best + (worst - best) * beta for beta in BETAS]
    return {"source": source, "target": source[::-1], "crossing": crossing}


def network(top: float = 0.5, crossing: float = 0.5):
    t = range(16)
    curve = [top * i / 15 for i in t]
    flat = [-0.03 for _ in t]
    silhouettes = {"layer1.attention": flat, "layer2.attention": curve, "layer2.residual": [x / 2 for x in curve]}
    return {
        "silhouettes": silhouettes,
        "disjoint": copy.deepcopy(silhouettes),
        "trivial": {"bag": {"silhouettes": [0.1 * i / 15 for i in t], "disjoint": [0.0 for _ in t]}},
        "accuracy": {"seen": [i / 15 for i in t], "heldout": [i / 15 for i in t]},
        "steering": {pool: steering(crossing) for pool in rules.POOLS},
    }


def seeds(n: int = 2):
    return {str(seed): {"low": network(0.4, 0.7), "high": network(0.6, 0.5)} for seed in range(n)}


def verdicts(given):
    return {statement.name: rules.judged(statement, given)["holds"] for statement in rules.STATEMENTS}


def test_what_the_paper_describes_passes():
    assert all(verdicts(seeds()).values())
    assert {statement.name for statement in rules.STATEMENTS if statement.main} == {
        "grows",
        "grows_disjoint",
        "stronger",
        "steers",
        "sooner",
    }


def changed(change):
    given = seeds()
    for pair in given.values():
        for div in rules.DIVS:
            change(pair[div])
    return verdicts(given)


@pytest.mark.parametrize(
    ("change", "fails"),
    [
        (lambda m: m["silhouettes"].update({rules.NAMED: [0.6] * 16}), "grows"),
        (lambda m: m["silhouettes"].update({rules.NAMED: m["silhouettes"][rules.NAMED][::-1]}), "grows"),
        (lambda m: m["silhouettes"].update({rules.NAMED: [0.0, 0.9] * 7 + [0.0, 0.2]}), "grows"),
        (lambda m: m["disjoint"].update({rules.NAMED: [0.05 * i / 15 for i in range(16)]}), "grows_disjoint"),
        (lambda m: [m["steering"][pool].update(crossing=None) for pool in rules.POOLS], "steers"),
        (lambda m: m["steering"]["heldout"].update(crossing=None), "steers"),
        (lambda m: m["steering"]["seen"].update(target=[9.0] * 21, source=[9.0] * 20 + [9.1]), "steers"),
        (lambda m: m["silhouettes"].update({"layer1.attention": [0.15] * 16}), "layers"),
        (lambda m: m["silhouettes"].update({"layer2.residual": [0.9] * 16}), "layers"),
        (lambda m: m["trivial"].update(bag={"silhouettes": [0.5] * 16, "disjoint": [0.0] * 16}), "beyond_trivial"),
        (lambda m: m["trivial"].update(bag={"silhouettes": [0.0] * 16, "disjoint": [0.5] * 16}), "beyond_trivial"),
        (lambda m: m["accuracy"].update(heldout=[0.3] * 16), "accuracy"),
    ],
)
def test_changes_of_both_networks_fail(change, fails):
    assert not changed(change)[fails]


def test_half_of_the_seeds_suffice_for_what_is_said_of_both_networks():
    given = seeds(4)
    for seed in "01":
        given[seed]["low"]["silhouettes"][rules.NAMED] = [0.0] * 16
    assert verdicts(given)["grows"]
    given["2"]["high"]["silhouettes"][rules.NAMED] = [0.0] * 16
    assert not verdicts(given)["grows"]


def test_differences_need_their_size_and_their_sign_in_every_seed():
    given = seeds()
    given["1"]["high"]["silhouettes"][rules.NAMED][-1] = 0.39
    assert not verdicts(given)["stronger"]
    given["1"]["high"]["silhouettes"][rules.NAMED][-1] = 0.41
    found = rules.judged(next(s for s in rules.STATEMENTS if s.name == "stronger"), given)
    assert found["holds"] and found["difference"]["mean"] == pytest.approx(0.105)
    for pair in given.values():
        pair["high"]["silhouettes"][rules.NAMED][-1] = 0.44
    assert not verdicts(given)["stronger"]
    swapped = {seed: {"low": pair["high"], "high": pair["low"]} for seed, pair in seeds().items()}
    failed = {name for name, holds in verdicts(swapped).items() if not holds}
    assert failed == {"stronger", "sooner", "stronger_disjoint"}


def test_sooner_is_the_worse_of_the_two_pools_and_no_passing_counts_as_one():
    pair = seeds()["0"]
    assert rules.sooner(pair) == pytest.approx(0.2)
    pair["high"]["steering"]["seen"]["crossing"] = 0.65
    assert rules.sooner(pair) == pytest.approx(0.05)
    pair["low"]["steering"]["seen"]["crossing"] = None
    assert rules.sooner(pair) == pytest.approx(0.2)
    pair["high"]["steering"]["heldout"]["crossing"] = None
    assert rules.sooner(pair) == pytest.approx(-0.3)


def test_order():
    assert rules.order([0.0, 0.2, 0.3]) == 1
    assert rules.order([1.0, 1.0, 1.0]) == 0
    with pytest.raises(ValueError, match="seeds must be at least one"):
        rules.judged(rules.STATEMENTS[0], {})
