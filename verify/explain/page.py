"""The explanation as a Markdown page: for a file, and for a terminal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from numerics.conclusion.conditions import Condition as Measured
from numerics.conclusion.decision import Decision
from theory.finetuning.tables import Diagnosis
from verify.conclude import Conclusion
from verify.explain.explanation import SAME, Column, Explanation, Run
from verify.failures import example, unproven
from verify.region.finite import PARTS, Failing
from verify.setting import Setting

POOL = {"seen": "seen queries", "heldout": "held-out queries"}
HOLDS = {True: "holds", False: "**fails**", None: "open"}
HEAD = {
    "subj": "subject head: the query",
    "rel": "relation head: the attributes",
    "output": "output if they do: the target",
}


def _text(name: str) -> str:
    """A name as running text: on one line, and no character of it read as markup."""
    return re.sub(r"([\\`*_<>|\[\]$#~&])", r"\\\1", " ".join(name.split()))


def _code(name: str) -> str:
    """A name in a code span, which the longest run of backticks in it must not end."""
    name = " ".join(name.split())
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", name)), default=0))
    return f"{fence} {name} {fence}" if len(fence) > 1 else f"`{name}`"


def _table(header: list[str], rows: list[list[str]]) -> list[str]:
    """Cells are Markdown already, without a bare |."""
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return [*lines, *("| " + " | ".join(row) + " |" for row in rows)]


def _count(n: int, name: str) -> str:
    return f"{n} {name}" if n == 1 else f"{n} {name}s"


def _setting(found: Explanation, setting: Setting, name: str) -> list[str]:
    world = found.world
    j, x = (world.token_name(int(k)) for k in (world.finetune_array[0], world.finetune_array[-1]))
    value = world.token_name(int(world.attribute_token[world.finetune_array[0], 0]))
    return [
        f"# {_text(name)}: what the two steps make of it",
        "",
        f"{_count(setting.M, 'subject')}, {setting.M_ft} of them for finetuning; {_count(setting.L, 'type')} of facts;"
        f" {_count(setting.N_ft, 'demonstration')} in a sequence. M = {setting.M}, M_ft = {setting.M_ft}, L = {setting.L},"
        f" N_ft = {setting.N_ft}, m = {setting.m}, T = {setting.T}, S = {setting.grammar_length}; eta_KQ^subj ="
        f" {setting.eta_kq_subj}, eta_OV^rel = {setting.eta_ov}, eta_KQ^rel = {setting.eta_kq_rel}; reading"
        f" {setting.reading}; beta -> infinity; {setting.population:.4g} finetuning "
        f"{'sequence' if setting.population == 1 else 'sequences'}.",
        "",
        "The model has two attention heads: the subject head, which is to attend the query, and the relation head, which is to"
        " attend the values given before it. It knows every fact of the table beforehand. Two steps of gradient descent"
        f" finetune it on sequences such as {_code(f'{j} [sep] {value} … {x} [sep]')}: demonstrations that share a type of fact"
        " which is never named, then a query, whose value of that type is to be predicted. The question: does it then name the"
        " right value on every sequence, for queries from the finetuning subjects (seen) and for queries from outside"
        " (held-out)? *hat* steps drop the softmax term from the gradients, as the paper does; *true* steps keep it.",
    ]


def _columns(found: Explanation) -> list[str]:
    rows = [
        [_text(c.name), str(c.values), str(c.seen), *(f"{_value(c, name)} ({n})" for name, n in (c.least, c.most))]
        for c in found.columns
    ]
    header = ["type", "values", "seen in finetuning", "rarest of those (holders)", "most frequent (holders)"]
    words = "Holders are counted among the finetuning subjects."
    return ["", "## The table", "", *_table(header, rows), "", words]


def _value(column: Column, name: str) -> str:
    """The value without its type, which stands in the first cell."""
    return _text(name.removeprefix(f"{column.name}="))


def _names(found: Explanation, d: Diagnosis, index: int) -> str:
    one = d.conditions[index].sequence
    return _named(found, one.kind, one.contexts, one.query)


def _named(found: Explanation, kind: int, subjects: Sequence[int], query: int) -> str:
    """A sequence in a cell: type, contexts, query."""
    world = found.world
    contexts = list(dict.fromkeys(subjects))
    some = ", ".join(_text(world.token_name(j)) for j in contexts)
    times = f" (all {len(subjects)})" if len(contexts) == 1 and len(subjects) > 1 else ""
    named = world.type_names[kind] if world.type_names else f"type {kind}"
    return f"{_text(named)}; contexts {some}{times}; query {_text(world.token_name(query))}"


def _plain(statement: str) -> str:
    """An inequality's statement without LaTeX, which a terminal shows as it is written."""
    words = re.sub(r"\\frac\{(.*)\}\{(\w+)\}", r"\1/(\2)", statement).replace("$", "")
    words = re.sub(r"\\eta_\{(\w+)\}", r"eta_\1", words).replace(r"\max", "max").replace(r"\in", "in")
    return _text(re.sub(r"_\{(\w+)\}", r"_\1", words))


def _verdict(d: Diagnosis) -> str:
    """What the inequalities come to for one pool of queries, in a sentence or two."""
    broken = len(d.failing)
    if not broken:
        first = f"*{d.first.name}*, {_plain(d.first.statement)}"
        return f"right on every sequence. All inequalities hold; the one that needs the most data: {first}."
    if d.holds:
        return (
            f"right on every sequence, although {_count(broken, 'inequality').replace('ys', 'ies')}"
            f" {'fails' if broken == 1 else 'fail'}: a head attends something else there, and the answer is right all the"
            " same (searched through all sequences)."
        )
    # In the order of the table: of the failing ones none comes first but by how much data would mend it.
    stated = "; ".join(f"*{c.name}*, {_plain(c.statement)}" for c in d.failing)
    said = f"not right on every sequence. What fails: {stated}."
    if broken == 1:
        return said
    last = max(d.failing, key=lambda c: (c.critical_M_ft is None, c.critical_M_ft or 0))
    never = [c for c in d.failing if c.critical_M_ft is None]
    if never:
        return f"{said} Of these, no number of copies mends {' and '.join(f'*{c.name}*' for c in never)}."
    return f"{said} Of these, *{last.name}* needs the most data."


def _theorem(found: Explanation) -> list[str]:
    lines = ["", "## What the theorem predicts", ""]
    if found.missing:
        return [*lines, f"Not stated: {found.missing}."]
    lines.append(
        "After the two hat steps, with the frequencies of this table. Each line is one inequality by which a head, or the output,"
        " does its part on every sequence, shown where it is tightest; if all hold, every answer is right. Where one fails, the"
        " last column but one says whether that very sequence is still answered right. The last column is a formal number: the"
        " M_ft from which the inequality would hold for good if every finetuning subject were replaced by equally many copies"
        " of itself, so that no frequency changes; it may exceed the subjects there are. “never”: no number of copies helps."
    )
    for pool, d in found.diagnoses.items():
        rows = [
            [
                c.name,
                c.head,
                f"{float(c.slack):.4g}",
                HOLDS[c.holds],
                _names(found, d, i),
                str(c.prediction.outcome),
                "never" if c.critical_M_ft is None else str(c.critical_M_ft),
            ]
            for i, c in enumerate(d.conditions)
        ]
        header = ["inequality", "head", "slack", "", "tightest sequence", "predicted there", "would hold from M_ft ="]
        lines += ["", f"**{POOL[pool].capitalize()}**: {_verdict(d)}", "", *_table(header, rows)]
    return lines


def share(value: Fraction | int) -> str:
    """Six digits, never rounded to 1 or to 0."""
    if value in (0, 1):
        return str(value)
    words = f"{float(value):.6g}"
    return f"1 - {float(1 - value):.3g}" if float(words) == 1 else words


def _at(d: Decision, bounds: tuple[int, int]) -> str:
    """The mark of a count that its bounds do not prove."""
    words = unproven(d, bounds)
    return f", {words}" if words else ""


def _conclusion(c: Conclusion) -> list[list[str]]:
    rows = []
    for pool, d in c.decisions.items():
        if d.vacuous:
            continue
        if d.accuracy is not None:
            accuracy = f"{share(d.accuracy)} ({d.right} of {d.total}{_at(d, d.right_bounds)})"
        else:
            low, high = d.accuracy_bounds or (0, 1)
            accuracy = f"between {share(low)} and {share(high)}"
        ties = "-" if d.ties is None else f"{d.ties}{_at(d, d.ties_bounds)}"
        rows.append([c.objective, POOL[pool], accuracy, ties, HOLDS[d.holds]])
    return rows


def _exact(found: Explanation) -> list[str]:
    lines = ["", "## What the exact computation says", "", "Accuracy over all sequences, beta -> infinity:", ""]
    rows = [row for c in found.conclusions.values() for row in _conclusion(c)]
    lines += _table(["steps", "queries", "accuracy", "ties", "right everywhere"], rows)
    lines += [
        "",
        *(
            f"{name.capitalize()} steps: {c.method}."
            + (f" {c.reason[0].upper()}{c.reason[1:]}." if c.reason and c.reason != c.method else "")
            for name, c in found.conclusions.items()
        ),
    ]
    lines += _finite(found)
    if not found.measured:
        return lines
    lines += [
        "",
        "What each head must prefer, and the output where the heads do, measured on the updated weights. Of a head: the smallest"
        " gap over all sequences. Of the output: the smallest margin that there would be if on every sequence the subject head"
        " attended the query alone and the relation head attributes alone; where a line above it fails it is no margin of the"
        " network, which may do worse or better. Scores are per unit of the step of the head, logits and the relation head also"
        " per unit of eta_OV^rel (to a power of 2):",
        "",
    ]
    keys = list(found.measured)
    first = found.measured[keys[0]]
    header = ["preferred", "against", *(f"{objective}, {POOL[pool]}" for objective, pool in keys)]
    rows = [[HEAD[c.head], c.against, *(_gap(found.measured[key][i]) for key in keys)] for i, c in enumerate(first)]
    return [*lines, *_table(header, rows)]


def _finite(found: Explanation) -> list[str]:
    """Which beta answer every sequence, and the sequences that fail at the ends."""
    lines = [
        "",
        "At finite beta, where attention is a softmax, with the weights that the steps reach at beta = inf: *right at* is proven for every"
        " sequence of the line; beside it the nearest beta found at which one is not answered right, and that one. Where none is"
        " proven, none need exist: a value that is never shown may fail at every beta.",
        "",
    ]
    rows = []
    for objective, whole in found.any_beta.items():
        if whole.why:
            rows.append([objective, "all", _text(whole.range_words()), "–"])
            continue
        for name, one in {"all": whole, **whole.parts}.items():
            ends = [f"{_text(f'{end.beta:.5g}')}: {_sequence(found, end)}" for end in (one.below, one.above) if end]
            rows.append([objective, PARTS.get(name, name), _text(one.range_words()), "; ".join(ends) or "–"])
    return [*lines, *_table(["steps", "queries", "right at", "fails at"], rows)]


def _sequence(found: Explanation, end: Failing) -> str:
    _, kind, subjects = end.sequence
    return _named(found, kind, subjects[:-1], subjects[-1])


def _gap(c: Measured) -> str:
    middle, half = (c.low + c.high) / 2, (c.high - c.low) / 2
    # Ends of either sign: a tie, or too close to one to tell; the bounds say more than a digit of noise.
    return f"0 ± {max(c.high, -c.low):.0e}" if c.holds is None and abs(middle) <= half else f"{middle:.4g}"


def _run(one: Run) -> list[str]:
    rivals = ", ".join(map(_text, one.predicted[:4])) + (
        f" and {len(one.predicted) - 4} more" if len(one.predicted) > 4 else ""
    )
    heads = {"subj": "The subject head", "rel": "the relation head"}
    attended = "; ".join(
        f"{heads[head]} attends {', '.join(map(_text, names))}" for head, names in one.attended.items()
    )
    return [
        f"* {one.objective} steps, {one.why}: {_code(' '.join(one.tokens))} → target {_code(one.target)}, highest logit:"
        f" {rivals} — **{one.outcome}** (margin {one.margin:.3g}). {attended}."
    ]


def page(found: Explanation, setting: Setting, name: str) -> str:
    """The whole page."""
    lines = [*_setting(found, setting, name), *_columns(found), *_theorem(found), *_exact(found)]
    lines += ["", "## What the network does", ""]
    if found.runs:
        lines += [
            "The literal network with the updated weights, hard attention (p_0 is the last position, p_-1 the query); logits"
            f" that agree within {SAME:.0e} of their size, or of 1, count as equal:",
            "",
        ]
        lines += [line for one in found.runs for line in _run(one)]
    return "\n".join([*lines, *_not_run(found)]) + "\n"


def _not_run(found: Explanation) -> list[str]:
    """Of the steps after which the network was run on no sequence: why, and what the decision says of one that fails."""
    lines = [""] if found.runs else []
    for name, c in found.conclusions.items():
        if any(one.objective == name for one in found.runs):
            continue
        failing = {pool: example(d) for pool, d in c.decisions.items() if d.holds is False}
        said = [f" {POOL[pool].capitalize()}: {_text(words)}." for pool, words in failing.items() if words]
        if not any(objective == name for objective, _ in found.measured):
            why = "there are no gradients in float64 with proven radii to load"
        elif c.holds is False:
            why = "no failing sequence is known by name"
        else:
            known = "no sequence fails" if c.holds else "no sequence is known to fail"
            why = f"{known} and no inequality names a tightest one"
        lines.append(f"{name.capitalize()} steps: not run, since {why}.{''.join(said)}")
    return lines if lines != [""] else []
