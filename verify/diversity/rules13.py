"""The verdict on Fig. 13, fixed before any run.

"For a fixed number of subjects used during finetuning (32 or 64), increasing the number of unique attributes seen during
finetuning improves the model's performance on ICL sequences with held-out query subjects", at both numbers of PT subjects.

Within every seed the exact accuracy on held-out queries, contexts from all subjects, is regressed on the share of attribute
values seen.  A group (PT subjects, FT subjects) shows the effect if

    the slope's mean over seeds has a 95 % t interval above 0, and
    from the fewest to the most values the accuracy rises by at least EFFECT on average.

EFFECT = 0.1: sequences are drawn, 4096 a point, so that an accuracy is known to 0.016; a tenth stands six times above that
and is what the eye calls a rise on an axis from 0 to 1.  Reproduced: every group shows the effect.
"""

from typing import Any

from verify.diversity.trends import above, mean_interval, rank_correlation, slope

EFFECT = 0.1
CONTEXT = "all"
RULE = (
    "in every group (PT subjects, FT subjects): slope of held-out exact accuracy in the share of values seen, t interval over seeds"
    f" above 0, and a rise of at least {EFFECT} from the fewest values to the most"
)


def _of(point: dict[str, Any]) -> float:
    return point["heldout"][CONTEXT]["accuracy"]["exact"]


def group(points: list[list[dict[str, Any]]]) -> dict[str, Any]:
    """One group: for every seed its points, fewest values first."""
    shares = [[p["unique"] / p["attributes"] for p in one] for one in points]
    exact = [[_of(p) for p in one] for one in points]
    slopes = mean_interval([slope(x, y) for x, y in zip(shares, exact, strict=True)])
    rise = mean_interval([y[-1] - y[0] for y in exact])
    return {
        "slope": slopes,
        "spearman": mean_interval([rank_correlation(x, y) for x, y in zip(shares, exact, strict=True)]),
        "rise": rise,
        "unique": [one["unique"] for one in points[0]],
        "shows_effect": above(slopes) and rise["mean"] >= EFFECT,
    }


def beyond(points: list[dict[str, Any]]) -> dict[str, Any]:
    """Against what Prop. 2 implies: how often above, how often below, and the accuracy on queries whose value was not seen.

    above: the interval of the accuracy lies above the share of queries that are covered.  below: it lies below what the
    construction itself scores.  The rest, within: not told apart from either.
    """
    counts = {"above": 0, "within": 0, "below": 0}
    for p in points:
        low, high = p["heldout"][CONTEXT]["interval"]["exact"]
        limit = p["ceiling"][CONTEXT]
        counts["above" if low > limit["covered"] else "below" if high < limit["constructed"] else "within"] += 1
    sums = {
        part: [sum(p["heldout"][CONTEXT][part][key] for p in points) for key in ("right", "total")]
        for part in ("covered", "uncovered")
    }
    return counts | {part: {"right": r, "total": n} for part, (r, n) in sums.items()}


def judged(seeds: list[dict[str, Any]]) -> dict[str, Any]:
    """Groups by 'M,M_ft', what stands beside the ceiling, rule and verdict, from the records of all seeds."""
    groups: dict[str, Any] = {}
    for M in sorted({one["M"] for one in seeds}):
        mine = [one for one in seeds if one["M"] == M]
        for M_ft in sorted({p["M_ft"] for p in mine[0]["points"]}):
            points = [
                sorted((p for p in one["points"] if p["M_ft"] == M_ft), key=lambda p: p["unique"]) for one in mine
            ]
            everything = [p for one in points for p in one]
            groups[f"{M},{M_ft}"] = {"M": M, "M_ft": M_ft} | group(points) | {"ceiling": beyond(everything)}
    reproduced = bool(groups) and all(one["shows_effect"] for one in groups.values())
    recall: dict[str, list[float]] = {}
    for one in seeds:
        found = one["pretrained"]["pt_accuracy"]
        recall.setdefault(str(one["M"]), []).append(found["right"] / found["total"])
    return {
        "groups": groups,
        "pt_accuracy": recall,
        "rule": RULE,
        "verdict": "reproduced" if reproduced else "not reproduced",
    }


def _percent(part: dict[str, int]) -> str:
    return "–" if not part["total"] else f"{part['right'] / part['total']:.1%} of {part['total']}"


def findings(summary: dict[str, Any]) -> list[str]:
    """Sentences from the numbers: how well the networks recall after pretraining, and one per group."""
    recall = summary["pt_accuracy"]
    out = [
        f"PT accuracy by seed, {M} PT subjects: {', '.join(f'{x:.3f}' for x in values)}" for M, values in recall.items()
    ]
    for one in summary["groups"].values():
        interval, c = one["slope"]["interval"], one["ceiling"]
        how = "no interval from one seed" if interval is None else f"95 % [{interval[0]:.2f}, {interval[1]:.2f}]"
        out.append(
            f"{one['M']} PT and {one['M_ft']} FT subjects: accuracy rises by {one['rise']['mean']:.2f} from {one['unique'][0]} to"
            f" {one['unique'][-1]} values, slope {one['slope']['mean']:.2f} ({how}); against Prop. 2 above in {c['above']}, within in"
            f" {c['within']}, below in {c['below']} points; exact on covered queries {_percent(c['covered'])}, on queries whose"
            f" value was never shown {_percent(c['uncovered'])}"
        )
    return out
