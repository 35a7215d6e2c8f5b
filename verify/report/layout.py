"""A layered drawing of a directed acyclic graph: where its nodes and edges go.

  layers     a node stands one layer below the lowest node it rests on (longest path from the top)
  bends      an edge over several layers gets a bend in each layer it crosses, so that it can be ordered like a node
  order      sweeps down and up, each layer sorted by the mean place of its neighbours in the layer before (Sugiyama);
             the order with the fewest crossings is kept
  places     every layer is spread around the middle of the widest one; then nodes move towards their neighbours as far
             as the space between them allows

Everything is deterministic: ties keep the order of the nodes as they were given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import networkx as nx

Bend = tuple[str, str, int]  # an edge and the layer in which it bends
Spot = str | Bend


@dataclass(frozen=True)
class Layout:
    """Centres of the nodes and the points of every edge, from its upper to its lower end; sizes of the whole drawing."""

    nodes: dict[str, tuple[float, float]]
    edges: dict[tuple[str, str], tuple[tuple[float, float], ...]]
    width: float
    height: float


@dataclass(frozen=True)
class Sizes:
    """Of a node, of the gap between neighbours, between layers, and of the margin around all (in user units)."""

    node_width: float = 142.0
    node_height: float = 44.0
    gap: float = 14.0
    layer_gap: float = 46.0
    bend_gap: float = 10.0
    margin: float = 14.0


def layers(graph: nx.DiGraph) -> dict[str, int]:
    """The layer of every node, from 0 at the top."""
    found: dict[str, int] = {}
    for node in nx.lexicographical_topological_sort(graph, key=list(graph).index):
        found[node] = 1 + max((found[ground] for ground in graph.predecessors(node)), default=-1)
    # A node that nothing forces upwards stands just above the first node that uses it: shorter edges.
    for node in reversed(list(nx.lexicographical_topological_sort(graph, key=list(graph).index))):
        users = [found[user] for user in graph.successors(node)]
        if users and not list(graph.predecessors(node)):
            found[node] = min(users) - 1
    return found


def laid_out(graph: nx.DiGraph, sizes: Sizes | None = None) -> Layout:
    """The drawing; nodes without an edge stand in rows of their own below the rest.

    O(sweeps * edges * depth) for the order, and as much for the places.
    """
    sizes = sizes or Sizes()
    loose = [node for node in graph if graph.degree(node) == 0]
    joined = _joined(graph.subgraph([node for node in graph if graph.degree(node)]), sizes)
    if not loose:
        return joined
    step = sizes.node_width + sizes.gap
    columns = max(4, int((joined.width - 2 * sizes.margin + sizes.gap) // step))
    top = joined.height - sizes.margin + sizes.layer_gap if joined.nodes else sizes.margin
    nodes = dict(joined.nodes)
    for i, node in enumerate(loose):
        row, column = divmod(i, columns)
        x = sizes.margin + sizes.node_width / 2 + column * step
        nodes[node] = (x, top + sizes.node_height / 2 + row * (sizes.node_height + sizes.gap))
    width = max(joined.width, sizes.margin * 2 + min(columns, len(loose)) * step - sizes.gap)
    height = max(y for _, y in nodes.values()) + sizes.node_height / 2 + sizes.margin
    return Layout(nodes, joined.edges, round(width, 1), round(height, 1))


def _joined(graph: nx.DiGraph, sizes: Sizes) -> Layout:
    layer = layers(graph)
    rows: list[list[Spot]] = [[] for _ in range(1 + max(layer.values(), default=-1))]
    for node in graph:
        rows[layer[node]].append(node)
    above: dict[Spot, list[Spot]] = {node: [] for node in graph}
    below: dict[Spot, list[Spot]] = {node: [] for node in graph}
    chains: dict[tuple[str, str], list[Spot]] = {}
    for upper, lower in graph.edges:
        chain: list[Spot] = [upper]
        for level in range(layer[upper] + 1, layer[lower]):
            bend: Bend = (upper, lower, level)
            rows[level].append(bend)
            above[bend], below[bend] = [], []
            chain.append(bend)
        chain.append(lower)
        for a, b in pairwise(chain):
            below[a].append(b)
            above[b].append(a)
        chains[upper, lower] = chain
    rows = _ordered(rows, above, below)
    x = _placed(rows, above, below, sizes)
    step = sizes.node_height + sizes.layer_gap
    y = {spot: sizes.margin + sizes.node_height / 2 + level * step for level, row in enumerate(rows) for spot in row}
    left = min((x[n] for n in graph), default=0.0) - sizes.node_width / 2
    left = min([left, *(x[s] for row in rows for s in row)]) - sizes.margin
    right = max((x[n] for n in graph), default=0.0) + sizes.node_width / 2
    right = max([right, *(x[s] for row in rows for s in row)]) + sizes.margin
    at = {spot: (round(x[spot] - left, 1), round(y[spot], 1)) for spot in x}
    return Layout(
        nodes={node: at[node] for node in graph},
        edges={edge: tuple(at[spot] for spot in chain) for edge, chain in chains.items()},
        width=round(right - left, 1),
        height=round(len(rows) * step - sizes.layer_gap + 2 * sizes.margin, 1),
    )


def crossings(rows: list[list[Spot]], below: dict[Spot, list[Spot]]) -> int:
    """How many pairs of edges cross between neighbouring layers."""
    total = 0
    for upper, lower in pairwise(rows):
        place = {spot: i for i, spot in enumerate(lower)}
        ends = [sorted(place[b] for b in below[spot]) for spot in upper]
        flat = [(i, end) for i, found in enumerate(ends) for end in found]
        total += sum(1 for k, (i, a) in enumerate(flat) for j, b in flat[k + 1 :] if j > i and b < a)
    return total


def _ordered(rows: list[list[Spot]], above: dict[Spot, list[Spot]], below: dict[Spot, list[Spot]]) -> list[list[Spot]]:
    best, fewest = [list(row) for row in rows], crossings(rows, below)
    for sweep in range(24):
        down = sweep % 2 == 0
        order = range(1, len(rows)) if down else range(len(rows) - 2, -1, -1)
        near = above if down else below
        for level in order:
            other = rows[level - 1] if down else rows[level + 1]
            place = {spot: i for i, spot in enumerate(other)}
            mean = {
                spot: sum(place[n] for n in near[spot]) / len(near[spot]) if near[spot] else float(i)
                for i, spot in enumerate(rows[level])
            }
            rows[level] = sorted(rows[level], key=mean.__getitem__)
        found = crossings(rows, below)
        if found < fewest:
            best, fewest = [list(row) for row in rows], found
    return best


def _placed(
    rows: list[list[Spot]], above: dict[Spot, list[Spot]], below: dict[Spot, list[Spot]], sizes: Sizes
) -> dict[Spot, float]:
    def apart(a: Spot, b: Spot) -> float:
        bends = (not isinstance(a, str)) + (not isinstance(b, str))
        return (2 - bends) * sizes.node_width / 2 + (sizes.gap, sizes.bend_gap, sizes.bend_gap)[bends]

    x: dict[Spot, float] = {}
    for row in rows:
        at = 0.0
        for i, spot in enumerate(row):
            at += apart(row[i - 1], spot) if i else 0.0
            x[spot] = at
        for spot in row:
            x[spot] -= at / 2
    for sweep in range(40):
        near = above if sweep % 2 == 0 else below
        for row in rows if sweep % 2 == 0 else reversed(rows):
            wanted = {s: sum(x[n] for n in near[s]) / len(near[s]) if near[s] else x[s] for s in row}
            x.update(_spread(row, wanted, apart))
    return x


def _spread(row: list[Spot], wanted: dict[Spot, float], apart: Callable[[Spot, Spot], float]) -> dict[Spot, float]:
    """Places as near to the wanted ones as order and distances allow (pool adjacent violators, least squares)."""
    offsets, at = [], 0.0
    for i, spot in enumerate(row):
        at += apart(row[i - 1], spot) if i else 0.0
        offsets.append(at)
    blocks: list[list[float]] = []  # [sum, count]
    for spot, offset in zip(row, offsets, strict=True):
        blocks.append([wanted[spot] - offset, 1])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1]:
            total, count = blocks.pop()
            blocks[-1][0] += total
            blocks[-1][1] += count
    found, i = {}, 0
    for total, count in blocks:
        for _ in range(int(count)):
            found[row[i]] = total / count + offsets[i]
            i += 1
    return found
