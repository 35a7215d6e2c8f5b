"""The five entry points: what the paper says, the networks each needs, how its seeds are measured and judged, what is drawn."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from verify.findings import rules, trends
from verify.findings.measured import (
    Trained,
    by_format,
    data_point,
    finetuning,
    of_attributes,
    of_other_targets,
    pretraining,
    subjects_point,
)
from verify.findings.networks import Network
from verify.findings.rules import Measured
from verify.findings.settings import Size, config, grid, nested
from verify.trained.intervals import share, spread

Judged = tuple[list[dict[str, Any]], dict[str, Any] | None]
KINDS = {"icl": "ICL", "icl+grm": "ICL+Grm"}


@dataclass(frozen=True)
class Finding:
    """name of the entry point and claim id; needed(size, seed): networks; measured(networks as they stand, size, device): one seed.

    judged(seeds): the statements, and for how many seeds all main ones hold (None where means over seeds are judged).
    curves: whether its number of seeds is that of the curves or that of the sweeps.
    """

    name: str
    title: str
    printed: str
    rule: str
    needed: Callable[[Size, int], list[Network]]
    measured: Callable[[list[Trained], Size, str], Measured]
    judged: Callable[[list[Measured]], Judged]
    pictures: tuple[str, ...]
    curves: bool = True


def entry(name: str, says: str, why: str, main: bool, holds: bool, **more: Any) -> dict[str, Any]:
    """A judged statement: by_seed and count where seeds are judged one by one, trend where means are."""
    found = {
        "name": name,
        "says": says,
        "why": why,
        "main": main,
        "verdict": "reproduced" if holds else "not reproduced",
    }
    return found | {"by_seed": None, "count": None, "values": {}, "trend": None} | more


def by_seed(statements: Sequence[rules.Statement]) -> Callable[[list[Measured]], Judged]:
    """Judges each statement on every seed, where all of them have what it is judged by."""

    def judged(seeds: list[Measured]) -> Judged:
        out = []
        for statement in (one for one in statements if one.measured is None or all(one.measured in m for m in seeds)):
            held = {str(one["seed"]): bool(statement.holds(one)) for one in seeds}
            count = share(sum(held.values()), len(held))
            values = [statement.values(one) for one in seeds]
            out.append(
                entry(
                    statement.name,
                    statement.says,
                    statement.why,
                    statement.main,
                    count["share"] >= rules.SEEDS,
                    by_seed=held,
                    count=count,
                    values={name: spread([float(one[name]) for one in values]) for name in values[0]},
                )
            )
        whole = sum(all(statement.holds(one) for statement in statements if statement.main) for one in seeds)
        return out, share(whole, len(seeds))

    return judged


# Curves: Findings 1-3.


def _curve(kind: str) -> Callable[[Size, int], list[Network]]:
    def needed(size: Size, seed: int) -> list[Network]:
        own = config(size, seed)
        start = Network(own)
        if kind == "pretraining":
            return [start]
        others = (Network(own, kind, scratch=True), Network(own, kind, objective="last"))
        more = [Network(own, kind, objective="attributes")] if kind == "icl+grm" else []
        return [start, Network(own, kind), *others, *more]

    return needed


def _pretrained(networks: list[Trained], size: Size, device: str) -> Measured:
    return pretraining(networks[0], size.final, device)


def _finetuned(networks: list[Trained], size: Size, device: str) -> Measured:
    start, own, scratch, last = networks
    return finetuning(own, scratch, last, start, size.final, device)


def _finetuned_with_grammar(networks: list[Trained], size: Size, device: str) -> Measured:
    start, own, scratch, last, attributes = networks
    # A quarter of the sequences in each of dozens of cells.
    formats = by_format(own, last, max(1, size.final // 4), device)
    among = of_attributes(own, scratch, last, start, size.final, device)
    targets = of_other_targets(attributes, start, size.final, device)
    return _finetuned(networks[:4], size, device) | targets | {"formats": formats, "among_attributes": among}


# Sweeps: Fig. 5 and Finding 4.

_ADDED = (
    "transfer of facts to held-out subjects without the change of format; added after the search for settings and before any sweep,"
    " no verdict rests on it"
)


def _subjects_needed(size: Size, seed: int) -> list[Network]:
    own = config(size, seed)
    chosen = nested(range(own.corpus.M), size.subjects)
    return [Network(own), *(Network(own, kind, subjects) for kind in KINDS for subjects in chosen)]


def _subjects_measured(networks: list[Trained], size: Size, device: str) -> Measured:
    start, *rest = networks
    points: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
    for one in rest:
        points[one.network.kind].append(subjects_point(one, start, size.final, device))
    return {"seed": start.network.config.model.seed, "run": start.folder.name, "points": points}


def _subjects_judged(seeds: list[Measured]) -> Judged:
    curves = {kind: [[point["best"] for point in one["points"][kind]] for one in seeds] for kind in KINDS}
    ends = {kind: [[point["end"] for point in one["points"][kind]] for one in seeds] for kind in KINDS}
    out = []
    for kind, name in KINDS.items():
        found = trends.trend(curves[kind], trends.RISE)
        out.append(
            entry(
                f"rises_{kind}",
                f"finetuned on {name}: held-out ICL exact match (best step, mean over seeds) at least {trends.RISE} higher with the most"
                f" subjects than with the fewest, and down by more than {trends.DIP} from no number to the next",
                "improves monotonically; App. B.1: the best performance across finetuning iterations",
                True,
                found["holds"],
                trend=found,
            )
        )
    own = [[point["grm"] for point in one["points"]["icl+grm"]] for one in seeds]
    found = trends.trend(own, trends.RISE)
    says = "finetuned on ICL+Grm: the same of held-out exact match on ICL+Grm sequences (S_ft = 1), their own format"
    out.append(entry("rises_own_format", says, _ADDED, False, found["holds"], trend=found))
    both = trends.comparable(curves["icl"], curves["icl+grm"])
    out.append(
        entry(
            "comparable",
            f"ICL and ICL+Grm within {trends.COMPARABLE} of each other at every number of subjects",
            "comparable sample complexity",
            True,
            both["holds"],
            trend=both,
        )
    )
    for kind, name in KINDS.items():
        found = trends.trend(ends[kind], trends.RISE)
        says = f"finetuned on {name}: the same of the accuracy at the end of finetuning"
        out.append(
            entry(
                f"end_{kind}", says, "the best step is chosen on held-out queries", False, found["holds"], trend=found
            )
        )
    return out, None


def _data_points(size: Size, seed: int) -> list[Network]:
    first, second = grid(size)
    wanted = [config(size, seed, S=int(p["S"]), div=p["Div"]) for p in first]
    wanted += [config(size, seed, div=p["Div"], M=int(p["M"])) for p in second]
    return [network for one in wanted for network in (Network(one), Network(one, "icl+grm"), Network(one, "icl"))]


def _data_measured(networks: list[Trained], size: Size, device: str) -> Measured:
    triples = list(zip(networks[::3], networks[1::3], networks[2::3], strict=True))
    known: dict[str, dict[str, Any]] = {}
    for start, own, direct in triples:
        if own.folder.name not in known:
            known[own.folder.name] = data_point(own, start, direct, size.final, device)
    points = [known[own.folder.name] for _, own, _ in triples]
    split = len(size.S) * len(size.Div)
    return {"seed": networks[0].network.config.model.seed, "fig6": points[:split], "fig7": points[split:]}


# What Figs. 6 and 7 show first; then two measures beside.
MEASURES = {
    "icl_heldout": "held-out ICL",
    "pt": "PT",
    "grm_heldout": "held-out ICL+Grm (S_ft = 1)",
    "icl_direct": "held-out ICL, finetuned on ICL,",
}


def _data_judged(seeds: list[Measured]) -> Judged:
    out = []
    for factor, panel, names in (
        ("S", "fig6", ("S", "Div")),
        ("Div", "fig6", ("S", "Div")),
        ("M", "fig7", ("M", "Div")),
    ):
        for measure, words in MEASURES.items():
            curves = []
            for one in seeds:
                points = {tuple((n, p[n]) for n in names): p[measure] for p in one[panel]}
                curves.append(list(trends.marginal(points, factor).values()))
            found = trends.trend(curves, trends.EFFECT)
            main = measure == "icl_heldout" or (measure == "pt" and factor != "M")
            says = (
                f"{words} exact match (mean over the rest of the grid and over seeds) at least {trends.EFFECT} higher at the largest {factor}"
                f" than at the smallest, and down by more than {trends.DIP} from no value to the next"
            )
            why = "Fig. 6 names both accuracies" if factor != "M" else "Fig. 7 names the accuracy after finetuning"
            why = why if measure in ("icl_heldout", "pt") else _ADDED
            out.append(entry(f"{factor}_{measure}", says, why, main, found["holds"], trend=found))
    return out, None


_SEEDS = f"reproduced if at least {rules.SEEDS:g} of the seeds show every main statement"
_MEANS = "reproduced if every main statement holds of the means over seeds"

FINDINGS = {
    finding.name: finding
    for finding in (
        Finding(
            "finding1",
            "Finding 1, Fig. 2: pretraining on PT sequences",
            "Pretraining on PT sequences does not suffice for good ICL performance; the model first learns to predict the attribute type,"
            " and then the exact attribute token.",
            _SEEDS,
            _curve("pretraining"),
            _pretrained,
            by_seed(rules.FINDING1),
            ("fig2",),
        ),
        Finding(
            "finding2",
            "Finding 2, Fig. 3: finetuning on ICL sequences with half of the subjects",
            "Finetuning on ICL sequences with a subset of subjects leads to generalization on ICL sequences with held-out subjects.",
            _SEEDS,
            _curve("icl"),
            _finetuned,
            by_seed(rules.FINDING2),
            ("fig3",),
        ),
        Finding(
            "finding3",
            "Finding 3, Fig. 4, 15: finetuning on ICL+Grm sequences with half of the subjects",
            "Finetuning on ICL+Grm sequences with short, variable grammar length using a subset of subjects leads to out-of-distribution"
            " generalization on ICL sequences with held-out subjects; performance improves first on ICL+Grm and later on ICL.",
            _SEEDS,
            _curve("icl+grm"),
            _finetuned_with_grammar,
            by_seed(rules.FINDING3),
            ("fig4_15", "formats"),
        ),
        Finding(
            "fig5",
            "Fig. 5: the number of finetuning subjects",
            "Increasing the number of finetuning subjects with ICL or ICL+Grm sequences improves performance on ICL sequences with held-out"
            " query subjects, monotonically; the sample complexity is comparable.",
            _MEANS,
            _subjects_needed,
            _subjects_measured,
            _subjects_judged,
            ("fig5",),
            curves=False,
        ),
        Finding(
            "finding4",
            "Finding 4, Fig. 6, 7: grammar length, separation of the chains, number of subjects",
            "Increasing the number of subjects, the grammar sequence length, or the separation between the Markov chains used while"
            " pretraining improves the final performance on ICL sequences.",
            _MEANS,
            _data_points,
            _data_measured,
            _data_judged,
            ("fig6_7",),
            curves=False,
        ),
    )
}


def finding(name: str) -> Finding:
    """Raises ValueError for an unknown name."""
    if name not in FINDINGS:
        raise ValueError(f"finding must be one of {', '.join(FINDINGS)}, got {name!r}")
    return FINDINGS[name]
