"""The argument as a graph: its data, what counts as standing, and the order of the erratum."""

from __future__ import annotations

import networkx as nx
import pytest

from paper_checks.contextual_recall.graph import Edge, edges, grounds
from verify.report.argument import HOLDS, SEVERITY, Standing, argument
from verify.verdict import Verdict


def made(verdicts: dict[str, str | tuple[str, str]], *pairs: tuple[str, str]):
    """A small ledger; a pair is (claim, ground)."""
    claims = []
    for name, given in verdicts.items():
        both = (given, given) if isinstance(given, str) else given
        claims.append({"id": name, "verdict": both[0], "readings": {"set": both[0], "literal": both[1]}})
    return argument({"claims": claims}, [Edge(claim, ground, "") for claim, ground in pairs])


def test_the_paper_has_no_circular_argument():
    graph = nx.DiGraph((e.ground, e.claim) for e in edges())
    assert nx.is_directed_acyclic_graph(graph)


def test_edges_are_distinct_and_say_where():
    assert len({(e.claim, e.ground) for e in edges()}) == len(edges())
    assert all(e.words.strip() and e.claim != e.ground for e in edges())


def test_every_claim_of_the_ledger_is_in_the_graph_or_rests_on_nothing(ledger):
    named = {e.claim for e in edges()} | {e.ground for e in edges()}
    theorem = {c["id"] for c in ledger["claims"] if c["id"].startswith(("subj", "rel", "lem", "thm", "eq12"))}
    assert theorem <= named


def test_the_theorem_rests_on_the_updates_and_on_both_lemmas(found):
    direct = {e.ground for e in found.direct_grounds("thm2.accuracy")}
    assert {"subj.update", "rel.ov.update", "rel2.update", "thm2.last_step", "window"} <= direct
    assert {"lemC1", "lemC2", "eq11", "eq12"} <= set(found.grounds("thm2.accuracy"))
    assert "lemC1.logit" in grounds()["lemC1"]


def test_edges_to_unknown_claims_are_left_out():
    found = made({"a": "exact"}, ("a", "nowhere"), ("nowhere", "a"))
    assert found.edges == ()
    assert found.standing("a") is Standing.SOUND


def test_green_needs_every_ancestor():
    found = made({"a": "false", "b": "exact", "c": "exact", "d": "exact"}, ("b", "a"), ("c", "b"))
    assert [found.standing(n) for n in "abcd"] == [Standing.FAILS, Standing.ALONE, Standing.ALONE, Standing.SOUND]
    assert found.weak_grounds("c") == ["a"]


def test_what_was_seen_at_one_setting_is_never_green_and_carries_nothing():
    found = made({"a": "reproduced", "b": "exact"}, ("b", "a"))
    assert found.standing("a") is Standing.TRIED and found.holds("a")
    assert found.standing("b") is Standing.ALONE and found.weak_grounds("b") == ["a"]


def test_approximate_grounds_carry_and_corrected_ones_do_not():
    found = made({"a": "approximate", "b": "exact", "c": "corrected", "d": "exact"}, ("b", "a"), ("d", "c"))
    assert found.standing("b") is Standing.SOUND
    assert found.standing("d") is Standing.ALONE


def test_a_claim_that_fails_in_one_reading_is_never_green():
    found = made({"a": ("exact", "false"), "b": "exact"}, ("b", "a"))
    assert found.standing("a") is Standing.ALONE
    assert found.standing("b") is Standing.ALONE
    assert found.differs("a") and not found.differs("b")


def test_circles_are_refused_by_name():
    found = made({"a": "exact", "b": "exact"}, ("a", "b"), ("b", "a"))
    with pytest.raises(ValueError, match="rest on each other in a circle"):
        _ = found.graph


def test_order_of_consequence_by_dependents_then_verdict_then_place():
    found = made(
        {"x": "corrected", "y": "false", "z": "corrected", "a": "exact", "b": "approximate", "c": "exact"},
        ("a", "z"),
        ("b", "z"),
    )
    assert found.by_consequence() == ["z", "y", "x", "b"]


def test_roots_are_failures_on_holding_ground():
    found = made({"a": "exact", "b": "false", "c": "corrected"}, ("b", "a"), ("c", "b"))
    assert found.roots_of_failure() == ["b"]


def test_an_experiment_not_reproduced_is_nothing_to_mend():
    found = made({"a": "not reproduced", "b": "false"})
    assert found.roots_of_failure() == ["b"] and found.standing("a") is Standing.FAILS
    assert found.unreproduced("a") and not found.unreproduced("b")


def test_every_verdict_has_a_severity():
    assert set(SEVERITY) == {str(v) for v in Verdict}
    assert set(HOLDS) <= set(SEVERITY)


def test_order_on_the_ledger_is_the_documented_one(found):
    order = found.by_consequence()
    keys = [(-len(nx.descendants(found.graph, n)), SEVERITY.index(found.verdict(n))) for n in order]
    assert keys == sorted(keys)
    assert set(order) == {n for n in found.claims if found.verdict(n) != "exact" or found.differs(n)}
