"""Empirical claims: the committed measures of trained networks, judged again here by the rules that were fixed before they ran.

What is committed are measures of every network; whether they show what the caption says is decided now, by the rules in
verify.trained.rules, verify.diversity.rules13 and rules14, verify.findings.rules and trends, verify.representations.rules.  Two kinds of
statements are judged:

    as printed      the trend: every part that the rule rests on must be shown
    with numbers    what is said to be measured (counts of seeds, means, rises): every part must come out as said

What is said with numbers is read from the same measures, so that it holds of itself: it is there for the confusions to fail.

A confusion (`as_if`) changes the measures into those of networks that show something else; under it the numbers must change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from paper_checks.contextual_recall import figures, findings
from paper_checks.contextual_recall.figures import Figure
from verify.court import Court
from verify.derived import Derived
from verify.evidence import Evidence, Finding, Route, finding
from verify.judges.measured import Part, parts_of, what_they_show

FIXED = "rule fixed before the first network was judged"


@dataclass(frozen=True)
class _Trend:
    """One part of a trend as evidence: shown or not."""

    part: Part
    setting: str

    def evidence(self) -> Evidence:
        one = self.part
        return Evidence(
            Route.TRAINED, self.setting, one.says, one.measured, one.needed, one.short, 0.0, FIXED, one.shown
        )


def networks_show(statement: Figure, court: Court) -> Finding:
    """The trend as printed, or the numbers that are said."""
    setting, parts = parts_of(statement.name, statement.as_if)
    if statement.found:
        said = dict(statement.found)
        # By name, so that no name may stand for two parts.
        if sorted(name for name, _ in statement.found) != sorted(one.name for one in parts) or len(said) != len(parts):
            raise LookupError(f"{statement.name}: said of {sorted(said)}, measured {sorted(p.name for p in parts)}")
        return finding(
            [
                Evidence(
                    Route.TRAINED,
                    setting,
                    one.says,
                    one.measured,
                    said[one.name],
                    float(one.measured != said[one.name]),
                    0.0,
                    "the same numbers, to the digits shown",
                    one.measured == said[one.name],
                )
                for one in parts
            ]
        )
    main = [one for one in parts if one.main]
    missing = "; ".join(f"{one.says}: {one.measured}, wanted {one.needed}" for one in main if not one.shown)
    return finding([_Trend(one, setting).evidence() for one in main], f"{setting}: {missing}")


def what_was_measured(name: str) -> Callable[[Court], Derived]:
    """What the committed networks show: every number, and in words with the findings about the measures."""

    def derive(court: Court) -> Derived:
        _, parts = parts_of(name, "")
        return Derived(Figure(name, found=tuple((p.name, p.measured) for p in parts)), what_they_show(name))

    return derive


def entries() -> dict[str, tuple[Callable[[Any, Court], Finding], Callable[[Court], Derived]]]:
    """Claim id -> check and what was measured, for the findings and figures of trained networks."""
    tried = (*findings.claims(), *figures.claims())
    return {claim.id: (networks_show, what_was_measured(claim.printed.name)) for claim in tried}
