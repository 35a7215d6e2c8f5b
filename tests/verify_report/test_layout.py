"""The layered drawing: direction, no overlaps, nothing outside, determinism."""

from __future__ import annotations

import itertools
import random
from xml.etree import ElementTree

import networkx as nx
import pytest

from verify.report.drawing import drawn
from verify.report.layout import Sizes, crossings, laid_out, layers
from verify.report.page import parts

SVG = "{http://www.w3.org/2000/svg}"


def random_graph(seed: int) -> nx.DiGraph:
    rng = random.Random(seed)
    graph = nx.DiGraph()
    graph.add_nodes_from(f"n{i}" for i in range(20))
    graph.add_edges_from((f"n{i}", f"n{j}") for i in range(20) for j in range(i + 1, 20) if rng.random() < 0.12)
    return graph


@pytest.fixture(params=["ledger", 1, 2, 3, "empty", "loose"])
def graph(request, found) -> nx.DiGraph:
    if request.param == "ledger":
        return found.graph
    if request.param == "empty":
        return nx.DiGraph()
    if request.param == "loose":
        made = nx.DiGraph([("a", "b")])
        made.add_nodes_from(f"alone{i}" for i in range(7))
        return made
    return random_graph(request.param)


def test_edges_run_down(graph):
    layout = laid_out(graph)
    for upper, lower in graph.edges:
        ys = [y for _, y in layout.edges[upper, lower]]
        assert ys == sorted(ys) and ys[0] < ys[-1]
        assert layout.edges[upper, lower][0] == layout.nodes[upper]
        assert layout.edges[upper, lower][-1] == layout.nodes[lower]


def test_nodes_do_not_overlap_and_stay_inside(graph):
    layout, sizes = laid_out(graph), Sizes()
    for a, b in itertools.combinations(layout.nodes.values(), 2):
        apart = abs(a[0] - b[0]) >= sizes.node_width or abs(a[1] - b[1]) >= sizes.node_height
        assert apart, (a, b)
    for x, y in layout.nodes.values():
        assert sizes.node_width / 2 <= x <= layout.width - sizes.node_width / 2
        assert sizes.node_height / 2 <= y <= layout.height - sizes.node_height / 2


def test_bends_pass_beside_nodes(graph):
    layout, sizes = laid_out(graph), Sizes()
    for (upper, lower), points in layout.edges.items():
        for x, y in points[1:-1]:
            near = [n for n, (nx_, ny) in layout.nodes.items() if ny == y and abs(nx_ - x) < sizes.node_width / 2]
            assert not near, (upper, lower, near)


def test_twice_the_same(graph):
    assert laid_out(graph) == laid_out(graph)


def test_layers_put_claims_below_their_grounds(graph):
    layer = layers(graph)
    assert all(layer[a] < layer[b] for a, b in graph.edges)


def test_crossings_are_counted():
    rows = [["a", "b"], ["c", "d"]]
    assert crossings(rows, {"a": ["d"], "b": ["c"]}) == 1
    assert crossings(rows, {"a": ["c"], "b": ["d"]}) == 0


def test_drawing_links_every_claim_and_says_its_verdict(found):
    root = ElementTree.fromstring(drawn(found, lambda name: f"claims/{name}.html"))
    links = {a.get("href"): a for a in root.iter(f"{SVG}a")}
    assert set(links) == {f"claims/{name}.html" for name in found.claims}
    for name in found.claims:
        node = links[f"claims/{name}.html"]
        verdict, standing = found.verdict(name), found.standing(name)
        assert node.get("class") == f"node v-{verdict.replace(' ', '-')} s-{standing}"
        assert f"{name}: {verdict}" in (node.get("aria-label") or "")
        assert verdict in "".join(node.itertext())


def test_an_edge_a_line(found):
    root = ElementTree.fromstring(drawn(found, lambda name: name))
    assert len([p for p in root.iter(f"{SVG}path") if "edge" in (p.get("class") or "")]) == len(found.edges)


def test_a_part_shows_its_own_claims_and_what_they_use(found):
    part = found.part(["thm2.accuracy"])
    assert set(part) == {"thm2.accuracy"} | {e.ground for e in found.direct_grounds("thm2.accuracy")}
    assert all(lower == "thm2.accuracy" for _, lower in part.edges)
    links = list(ElementTree.fromstring(drawn(found, str, ["grad.f"], "one")).iter(f"{SVG}a"))
    assert len(links) == 1 + len(found.direct_grounds("grad.f"))


def test_parts_hold_every_claim_once(found):
    names = [name for _, _, names in parts(found) for name in names]
    assert sorted(names) == sorted(found.claims)
