"""The whole site as name -> text, and its writing. Pages are rendered from the templates beside this file.

index.html            counts, claim graph, tables of all claims by verdict
claims/<id>.html      one page a claim
erratum.html          what to change in the paper, in the order of consequence
figures.html          every plot with its numbers
reading.html          how to read it: letters, abbreviations and words that the pages use
pictures/             the committed pictures of trained networks
style.css             the only other file; no script, nothing from the network
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from paper_checks.contextual_recall.graph import edges
from verify import ledger as recorded
from verify.report.argument import SEVERITY, Argument, Standing, argument
from verify.report.drawing import SIGNS, drawn
from verify.report.figure import Figure
from verify.report.figures import figures
from verify.report.folder import checked, replaced
from verify.report.notation import NOTATION
from verify.report.page import MEANING, Page, address, page, parts, sections
from verify.report.stamp import Stamp, stamp

PAPER_TITLE = "Understanding Contextual Recall in Transformers"


def write(target: str | Path) -> Path:
    """Write the report of the committed ledger. Raises ReportError where the target cannot be used."""
    checked(target)
    return replaced(target, site(recorded.load(), stamp()))


def site(ledger: Mapping[str, Any], made: Stamp, plots: tuple[Figure, ...] | None = None) -> dict[str, str | bytes]:
    """Every file of the report; equal for equal arguments. A few seconds, nearly all of them for the plots."""
    found = argument(ledger, edges())
    plots = figures() if plots is None else plots
    pages = {name: page(found, name, plots) for name in found.claims}
    environment = Environment(
        loader=PackageLoader("verify.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    shared = {
        "stamp": made,
        "paper": ledger["paper"],
        "paper_title": PAPER_TITLE,
        "pages": pages,
        "signs": SIGNS,
        "meaning": MEANING,
        "total": len(pages),
    }

    def rendered(template: str, up: str = "", **more: Any) -> str:
        return environment.get_template(template).render(**shared, up=up, **more)

    files: dict[str, str | bytes] = {
        "index.html": rendered("index.html", **_overview(found)),
        "erratum.html": rendered("erratum.html", **_erratum(found, pages, plots)),
        "figures.html": rendered("figures.html", figures=plots),
        "reading.html": rendered("reading.html", notation=NOTATION),
        "style.css": resources.files("verify.report").joinpath("static/style.css").read_text(encoding="utf-8"),
    }
    for one in pages.values():
        files |= {picture.file: picture.source.read_bytes() for picture in one.pictures}
    names = list(pages)
    for i, name in enumerate(names):
        files[f"claims/{address(name)}"] = rendered(
            "claim.html",
            up="../",
            claim=pages[name],
            before=pages[names[i - 1]] if i else None,
            after=pages[names[i + 1]] if i + 1 < len(names) else None,
        )
    return files


def _overview(found: Argument) -> dict[str, Any]:
    counts = [(v, sum(found.verdict(n) == v for n in found.claims)) for v in reversed(SEVERITY)]
    return {
        "counts": [(verdict, count) for verdict, count in counts if count],
        "standing": {str(s): sum(found.standing(n) is s for n in found.claims) for s in Standing},
        "differing": _by_reading(found),
        "sections": sections(found),
        "graphs": [
            (title, drawn(found, lambda name: f"claims/{address(name)}", names, f"graph-{key}", title))
            for key, title, names in parts(found)
        ],
        "edges": len(found.edges),
        "quoted": sum("“" in edge.words for edge in found.edges),
    }


def _by_reading(found: Argument) -> dict[tuple[tuple[str, str], ...], list[str]]:
    """The claims whose readings differ, by the verdicts of the readings."""
    groups: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for name, entry in found.claims.items():
        if found.differs(name):
            groups.setdefault(tuple(entry["readings"].items()), []).append(name)
    return groups


def _erratum(found: Argument, pages: Mapping[str, Page], plots: tuple[Figure, ...]) -> dict[str, Any]:
    order = found.by_consequence()
    failing = [name for name in order if not found.holds(name)]
    return {
        "order": order,
        "headlines": [p for p in plots if p.id == "region" and any(n in failing for n in p.claims)],
        "roots": [(n, len(found.consequences(n))) for n in found.roots_of_failure()],
        "refuted": [n for n in failing if found.verdict(n) == "false"],
        "unreproduced": [n for n in failing if found.unreproduced(n)],
        "corrected": [n for n in failing if found.verdict(n) == "corrected"],
        "conventions": [n for n in failing if found.verdict(n) in ("reading", "undecided") and not found.differs(n)],
        "approximate": [n for n in order if found.verdict(n) == "approximate"],
        "differing": [n for n in order if found.differs(n)],
        "tried": [n for n in pages if found.standing(n) is Standing.TRIED],
        "kept": [n for n in pages if found.verdict(n) == "exact" and not found.differs(n)],
    }
