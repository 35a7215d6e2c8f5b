"""The explanation as a Markdown page: for a file, and for a terminal."""

from __future__ import annotations

from numerics.conclusion.conditions import Condition as Measured
from theory.finetuning.tables import Diagnosis
from verify.conclude import Conclusion
from verify.explain.explanation import Explanation, Run
from verify.setting import Setting

POOL = {"seen": "seen queries", "heldout": "held-out queries"}
HOLDS = {True: "holds", False: "**fails**", None: "open"}
HEAD = {"subj": "subject head: the query", "rel": "relation head: the attributes", "output": "output: the target"}


def _table(header: list[str], rows: list[list[str]]) -> list[str]:
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return [*lines, *("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)]


def _setting(setting: Setting, name: str) -> list[str]:
    return [
        f"# {name}: what the two steps make of it",
        "",
        f"M = {setting.M} subjects, {setting.M_ft} of them for finetuning, L = {setting.L} types, N_ft = {setting.N_ft}"
        f" demonstrations (m = {setting.m}, T = {setting.T}); eta_KQ^subj = {setting.eta_kq_subj}, eta_OV^rel ="
        f" {setting.eta_ov}, eta_KQ^rel = {setting.eta_kq_rel}; reading {setting.reading}; beta -> infinity;"
        f" {setting.population:.4g} finetuning sequences.",
    ]


def _columns(found: Explanation) -> list[str]:
    rows = [
        [c.name, str(c.values), str(c.seen), f"{c.least[0]} ({c.least[1]})", f"{c.most[0]} ({c.most[1]})"]
        for c in found.columns
    ]
    header = ["type", "values", "seen in finetuning", "rarest of those (holders)", "most frequent (holders)"]
    return ["", "## The table", "", *_table(header, rows)]


def _names(found: Explanation, d: Diagnosis, index: int) -> str:
    one = d.conditions[index].sequence
    world = found.world
    kind = world.type_names[one.kind] if world.type_names else f"type {one.kind}"
    contexts = list(dict.fromkeys(one.contexts))
    some = ", ".join(world.token_name(j) for j in contexts)
    times = f" (all {len(one.contexts)})" if len(contexts) == 1 and len(one.contexts) > 1 else ""
    return f"{kind}; contexts {some}{times}; query {world.token_name(one.query)}"


def _theorem(found: Explanation) -> list[str]:
    lines = ["", "## What the theorem predicts", ""]
    if found.missing:
        return [*lines, f"Not stated: {found.missing}."]
    lines.append(
        "After the two hat steps, with the frequencies of this table. Each line is one inequality that must hold on every"
        " sequence; the worst sequence is where it is tightest. The last column is the number of finetuning subjects, at these"
        " frequencies, from which it holds for good."
    )
    for pool, d in found.diagnoses.items():
        answer = "right on every sequence" if d.holds else "not right on every sequence"
        rows = [
            [
                c.name,
                c.head,
                f"{float(c.slack):.4g}",
                HOLDS[c.holds],
                _names(found, d, i),
                str(c.prediction.outcome),
                "no number" if c.critical_M_ft is None else str(c.critical_M_ft),
            ]
            for i, c in enumerate(d.conditions)
        ]
        header = ["inequality", "head", "slack", "", "worst sequence", "predicted there", "holds from M_ft ="]
        lines += [
            "",
            f"**{POOL[pool].capitalize()}: {answer}.** What breaks first: *{d.first.name}*, {d.first.statement}.",
            "",
        ]
        lines += _table(header, rows)
    return lines


def _conclusion(c: Conclusion) -> list[list[str]]:
    rows = []
    for pool, d in c.decisions.items():
        if d.vacuous:
            continue
        if d.accuracy is not None:
            accuracy = f"{float(d.accuracy):.6g} ({d.right} of {d.total})"
        else:
            low, high = d.accuracy_bounds or (0, 1)
            accuracy = f"between {float(low):.6g} and {float(high):.6g}"
        rows.append([c.objective, POOL[pool], accuracy, "-" if d.ties is None else str(d.ties), HOLDS[d.holds]])
    return rows


def _exact(found: Explanation) -> list[str]:
    lines = ["", "## What the exact computation says", "", "Accuracy over all sequences, beta -> infinity:", ""]
    rows = [row for c in found.conclusions.values() for row in _conclusion(c)]
    lines += _table(["steps", "queries", "accuracy", "ties", "right everywhere"], rows)
    lines += [
        "",
        *(
            f"{name} steps: {c.method}." + (f" {c.reason}." if c.reason else "")
            for name, c in found.conclusions.items()
        ),
    ]
    if not found.measured:
        return lines
    lines += [
        "",
        "The same comparisons on the updated weights, smallest gap over all sequences, per unit of the step:",
        "",
    ]
    keys = list(found.measured)
    first = found.measured[keys[0]]
    header = ["preferred", "against", *(f"{objective}, {POOL[pool]}" for objective, pool in keys)]
    rows = [[HEAD[c.head], c.against, *(_gap(found.measured[key][i]) for key in keys)] for i, c in enumerate(first)]
    return [*lines, *_table(header, rows)]


def _gap(c: Measured) -> str:
    middle, half = (c.low + c.high) / 2, (c.high - c.low) / 2
    # Ends of either sign: a tie, or too close to one to tell; the bounds say more than a digit of noise.
    return f"0 ± {max(c.high, -c.low):.0e}" if c.holds is None and abs(middle) <= half else f"{middle:.4g}"


def _run(one: Run) -> list[str]:
    rivals = ", ".join(one.predicted[:4]) + (f" and {len(one.predicted) - 4} more" if len(one.predicted) > 4 else "")
    attended = "; ".join(f"{head} head attends {', '.join(names)}" for head, names in one.attended.items())
    return [
        f"* {one.objective} steps, {one.why}: `{' '.join(one.tokens)}` → target `{one.target}`, highest logit: {rivals} —"
        f" **{one.outcome}** (margin {one.margin:.3g}). {attended}."
    ]


def page(found: Explanation, setting: Setting, name: str) -> str:
    """The whole page."""
    lines = [*_setting(setting, name), *_columns(found), *_theorem(found), *_exact(found)]
    if found.runs:
        lines += [
            "",
            "## What the network does",
            "",
            "The literal network with the updated weights, hard attention:",
            "",
        ]
        lines += [line for one in found.runs for line in _run(one)]
    return "\n".join(lines) + "\n"
