"""The argument as a graph: what stands, what stands only by itself, and what a failure brings down.

Nodes are the claims of the ledger in its order; an edge runs from a ground to the claim that uses it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

import networkx as nx

from paper_checks.contextual_recall.graph import Edge

#: Verdicts under which a statement may be used as it is printed.
HOLDS = ("exact", "approximate", "reproduced")
#: Those that speak of every setting in scope, not of networks trained at one.
EVERYWHERE = ("exact", "approximate")
#: From the one that asks most of an author to the one that asks least.
SEVERITY = ("undecided", "false", "not reproduced", "corrected", "reading", "approximate", "reproduced", "exact")


class Standing(StrEnum):
    """How a claim stands together with all it rests on.

    sound      it holds in every reading, and so does everything it rests on, directly or not
    tried      seen in networks trained at the setting tried, which says nothing of other sizes
    alone      it holds in the default reading, but not in every reading, or not everything it rests on does
    fails      it does not hold as printed
    """

    SOUND = "sound"
    TRIED = "tried"
    ALONE = "alone"
    FAILS = "fails"


@dataclass(frozen=True)
class Argument:
    """The claims of a ledger (id -> entry, in order) and the edges between them."""

    claims: Mapping[str, Mapping[str, Any]]
    edges: tuple[Edge, ...]

    @cached_property
    def graph(self) -> nx.DiGraph:
        """Grounds point to what uses them. Raises ValueError if the argument is circular."""
        made = nx.DiGraph()
        made.add_nodes_from(self.claims)
        made.add_edges_from((e.ground, e.claim) for e in self.edges)
        if not nx.is_directed_acyclic_graph(made):
            loop = " -> ".join(ground for ground, _ in nx.find_cycle(made))
            raise ValueError(f"the claims rest on each other in a circle: {loop}; an argument has none")
        return made

    @cached_property
    def _place(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.claims)}

    def part(self, names: Iterable[str]) -> nx.DiGraph:
        """The graph of these claims, with the claims outside that they use directly."""
        inside = set(names)
        edges = [(g, c) for g, c in self.graph.edges if c in inside]
        made = nx.DiGraph()
        made.add_nodes_from(self._ordered(inside | {ground for ground, _ in edges}))
        made.add_edges_from(edges)
        return made

    def _ordered(self, names: Iterable[str]) -> list[str]:
        return sorted(names, key=self._place.__getitem__)

    def verdict(self, name: str) -> str:
        return self.claims[name]["verdict"]

    def holds(self, name: str) -> bool:
        """In the default reading, whatever it rests on."""
        return self.verdict(name) in HOLDS

    def differs(self, name: str) -> bool:
        """Whether the readings give different verdicts."""
        return len(set(self.claims[name]["readings"].values())) > 1

    def _everywhere(self, name: str) -> bool:
        return all(v in EVERYWHERE for v in (self.verdict(name), *self.claims[name]["readings"].values()))

    def standing(self, name: str) -> Standing:
        if not self.holds(name):
            return Standing.FAILS
        if self.verdict(name) == "reproduced":
            return Standing.TRIED
        if self._everywhere(name) and not self.weak_grounds(name):
            return Standing.SOUND
        return Standing.ALONE

    def weak_grounds(self, name: str) -> list[str]:
        """Everything it rests on, directly or not, that does not hold in every reading and at every setting."""
        return [other for other in self.grounds(name) if not self._everywhere(other)]

    def grounds(self, name: str) -> list[str]:
        """Everything it rests on, directly or not."""
        return self._ordered(nx.ancestors(self.graph, name))

    def consequences(self, name: str) -> list[str]:
        """Everything that rests on it, directly or not."""
        return self._ordered(nx.descendants(self.graph, name))

    def direct_grounds(self, name: str) -> list[Edge]:
        return sorted((e for e in self.edges if e.claim == name), key=lambda e: self._place[e.ground])

    def direct_consequences(self, name: str) -> list[Edge]:
        return sorted((e for e in self.edges if e.ground == name), key=lambda e: self._place[e.claim])

    def by_consequence(self) -> list[str]:
        """Claims that are not exact in every reading: most dependents first, then verdict, then the paper's order."""
        listed = [name for name in self.claims if self.verdict(name) != "exact" or self.differs(name)]
        return sorted(
            listed,
            key=lambda name: (
                -len(self.consequences(name)),
                SEVERITY.index(self.verdict(name)),
                self._place[name],
            ),
        )

    def unreproduced(self, name: str) -> bool:
        """Not seen in networks trained at some setting, which says nothing of other sizes: no error to mend."""
        return self.verdict(name) == "not reproduced"

    def roots_of_failure(self) -> list[str]:
        """Claims that do not hold although everything they rest on does, experiments apart: the places to begin."""
        found = [n for n in self.by_consequence() if not self.holds(n) and not self.unreproduced(n)]
        return [name for name in found if all(self.holds(other) for other in self.grounds(name))]


def argument(ledger: Mapping[str, Any], edges: Iterable[Edge]) -> Argument:
    """The argument among the claims that the ledger has; edges to other claims are left out."""
    claims = {entry["id"]: entry for entry in ledger["claims"]}
    return Argument(claims, tuple(e for e in edges if e.claim in claims and e.ground in claims))
