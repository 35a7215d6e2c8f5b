"""The verdict on Fig. 14, fixed before any run.

"For 256 PT subjects, the cosine similarities for subject and relation head are high, and after FT, the subject-match accuracy is
high, while attribute-type match accuracy is lower [..] for 2048 PT subjects, the cosine similarities for subject and relation
head are low, and consequently, after FT, the subject-match accuracy is low, as well as the attribute-type match accuracy".
FT: the fewer finetuning subjects, the set with the most values.

    high    the smaller number of PT subjects: centred cosine of both heads >= HIGH on average over seeds, and subject match
            above type match (t interval of the difference within a seed above 0)
    lower   the larger number: each of the two centred cosines, the subject match and the type match lower by at least GAP on
            average, Welch's 95 % interval above 0

HIGH = 0.8: a head with that cosine shares .64 of its squared length with the construction; constant vectors have 0.  GAP = 0.1: as
in Fig. 13, well above what the drawn sequences leave open.  The centred cosine decides, because a constant negative vector
scores nearly 1 on the other two.  The larger number is the paper's 2048 on an accelerator alone; elsewhere the verdict says of
what size it speaks.
"""

from typing import Any

from verify.diversity.settings import PAPERS_LARGE
from verify.diversity.trends import above, difference, mean_interval

HIGH = 0.8
GAP = 0.1
RULE = (
    f"smaller: centred cosines of both heads >= {HIGH}, subject match above type match; larger: both cosines, subject match and"
    f" type match lower by at least {GAP} with Welch's 95 % interval above 0"
)
METRICS = ("exact", "type", "subject", "attribute")
CONTEXT = "all"


def row(one: dict[str, Any]) -> dict[str, Any]:
    """What Fig. 14 shows of one seed: cosines of the two heads, four metrics at the fewest FT subjects and most values."""
    fewest = min(p["M_ft"] for p in one["points"])
    point = max((p for p in one["points"] if p["M_ft"] == fewest), key=lambda p: p["unique"])
    heads = one["pretrained"]
    cosines = {
        name: {score: values[heads[f"{name}_head"]] for score, values in heads["cosines"][name].items()}
        for name in ("subject", "relation")
    }
    return {
        "M": one["M"],
        "seed": one["seed"],
        "M_ft": fewest,
        "unique": point["unique"],
        "cosines": cosines,
        "constant": {name: heads["baselines"][name]["constant"] for name in ("subject", "relation")},
        "accuracy": point["heldout"][CONTEXT]["accuracy"],
        "interval": point["heldout"][CONTEXT]["interval"],
        "trivial": point["heldout"][CONTEXT]["trivial"],
        "covered": point["ceiling"][CONTEXT]["covered"],
        "pt_accuracy": heads["pt_accuracy"]["right"] / heads["pt_accuracy"]["total"],
        "seen_accuracy": point["seen"]["accuracy"]["exact"],
    }


def _values(rows: list[dict[str, Any]]) -> dict[str, list[float]]:
    found = {f"{name} cosine": [r["cosines"][name]["centred"] for r in rows] for name in ("subject", "relation")}
    return found | {f"{name} match": [r["accuracy"][name] for r in rows] for name in ("subject", "type")}


def judged(seeds: list[dict[str, Any]]) -> dict[str, Any]:
    """Rows, summaries by number of PT subjects, differences, and the verdict.  Raises ValueError unless there are two sizes."""
    numbers = sorted({one["M"] for one in seeds})
    if len(numbers) != 2:
        raise ValueError(f"seeds must have two numbers of PT subjects, got {numbers}")
    rows = {M: [row(one) for one in seeds if one["M"] == M] for M in numbers}
    small, large = (_values(rows[M]) for M in numbers)
    over = mean_interval([a - b for a, b in zip(small["subject match"], small["type match"], strict=True)])
    gaps = {name: difference(small[name], large[name]) for name in small}
    high = all(mean_interval(small[f"{name} cosine"])["mean"] >= HIGH for name in ("subject", "relation"))
    lower = {name: above(gap) and gap["mean"] >= GAP for name, gap in gaps.items()}
    reproduced = high and above(over) and all(lower.values())
    return {
        "rows": [one for M in numbers for one in rows[M]],
        "means": {
            str(M): {name: mean_interval(values) for name, values in group.items()}
            for M, group in zip(numbers, (small, large), strict=True)
        },
        "subject_over_type": over,
        "differences": gaps,
        "high": high,
        "lower": lower,
        "papers_size": numbers[1] == PAPERS_LARGE,
        "sizes": numbers,
        "rule": RULE,
        "verdict": "reproduced" if reproduced else "not reproduced",
    }


def findings(summary: dict[str, Any]) -> list[str]:
    """What the numbers say, and what a constant vector would."""
    M, more = summary["sizes"]
    out = []
    if not summary["papers_size"]:
        out.append(
            f"The larger number of PT subjects is {more}, not the paper's {PAPERS_LARGE}: the verdict speaks of {more}."
        )
    for name, gap in summary["differences"].items():
        a, b = (summary["means"][str(n)][name]["mean"] for n in (M, more))
        lower = "lower as stated" if summary["lower"][name] else "not lower as stated"
        out.append(
            f"{name}: {a:.2f} at {M}, {b:.2f} at {more}; difference {gap['mean']:.2f} ({_interval(gap)}): {lower}"
        )
    over = summary["subject_over_type"]
    stated = "above, as stated" if above(over) else "not above, as is stated"
    out.append(f"Subject match less type match at {M}: {over['mean']:.2f} ({_interval(over)}): {stated}")
    for n in (M, more):
        rows = [r for r in summary["rows"] if r["M"] == n]
        trained = [r["cosines"]["subject"]["all"] for r in rows]
        constant = max(r["constant"]["subject"]["all"] for r in rows)
        recalled = ", ".join(f"{r['pt_accuracy']:.3f}" for r in rows)
        out.append(
            f"{n} PT subjects: cosine of the subject head with f_subj over all coordinates {min(trained):.2f} to {max(trained):.2f}, that of"
            f" a constant vector {constant:.2f}; PT accuracy by seed {recalled}"
        )
    return out


def _interval(found: dict[str, Any]) -> str:
    interval = found["interval"]
    return "no interval" if interval is None else f"95 % [{interval[0]:.2f}, {interval[1]:.2f}]"
