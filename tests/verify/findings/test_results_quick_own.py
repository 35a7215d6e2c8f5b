"""What results/README.md says of the quick settings with an unembedding of their own, said again with the records' numbers put in."""

from tests.verify.findings.test_results_prose import TEXTS, ends, listed, shown
from verify.findings import record as findings
from verify.representations import record as representations


def quick_own():
    def seeds(values):
        return ", ".join(f"{value:.2f}" for value in values)

    for name in ("finding1", "finding2", "finding3"):
        assert (
            len({findings.committed(name, folder=f"{name}/{quick}")["verdict"] for quick in ("quick", "quick-own")})
            == 1
        )
    for name in ("finding4", "fig5"):
        assert findings.committed(name, folder=f"{name}/quick-own")["verdict"] == findings.committed(name)["verdict"]
    five = representations.committed(folder="finding5/quick-own")
    assert five["verdict"] == representations.committed()["verdict"]
    yield "No verdict rests on it, and none of them is another than that of the same setting tied."
    low, high = ([one["pretraining"] for one in five["networks"] if one["div_name"] == div] for div in ("low", "high"))
    known = [one["exact"][-1] for one in high]
    assert [value > 0.5 for value in known] == [True, True, False, False, False]
    yield f"three of the five networks of Findings 2 and 3 learn no facts (PT exact match {seeds(known)}; tied one of five)"
    yield f"Finding 1, whose quick networks are others, is shown by {shown('finding1/quick-own')} seeds."
    yield (
        f"Finding 2 is shown by {shown('finding2/quick-own')}, the two that know facts: held out "
        f"{seeds(ends('finding2/quick-own', 'finetuned', 'icl_heldout'))} "
        f"(last token {seeds(ends('finding2/quick-own', 'last', 'icl_heldout'))})."
    )
    held = findings.committed("finding2", folder="finding2/quick-own")["statements"][0]["by_seed"]
    assert held == {str(seed): seed < 2 for seed in range(5)}
    assert shown("finding3/quick-own").startswith("0 of") and set(
        ends("finding3/quick-own", "finetuned", "icl_heldout")
    ) == {0}
    grammar = ends("finding3/quick-own", "finetuned", "grm_heldout")
    yield f"in the own format {listed(grammar[:2])} are answered by the same two, at most {max(grammar[2:]):.2f} by the others."
    for name, folder in (("fig5", "fig5/quick-own"), ("finding4", "finding4/quick-own")):
        tied, own = (
            [
                one["name"]
                for one in findings.committed(name, folder=where)["statements"]
                if one["main"] and one["verdict"] == "reproduced"
            ]
            for where in (name, folder)
        )
        assert tied == own == {"fig5": ["rises_icl"], "finding4": ["S_pt", "Div_pt"]}[name]
    trends = {one["name"]: one["trend"] for one in findings.committed("fig5", folder="fig5/quick-own")["statements"]}
    assert set(trends["rises_icl+grm"]["means"]) == {0}
    means = trends["rises_icl"]["means"]
    yield f"after ICL the means rise from {means[0]:.2f} to {means[-1]:.2f} with the subjects, after ICL+Grm they are 0."
    own, tied = (
        [one["name"] for one in made["statements"] if one["main"] and one["verdict"] == "reproduced"]
        for made in (five, representations.committed())
    )
    mains = sum(one["main"] for one in five["statements"])
    yield f"Finding 5: {len(own)} of {mains} main statements ({', '.join(own)}) for {len(tied)} tied."
    at = [{name: half(one["step"], one[name]) for name in ("exact", "type", "subject")} for one in (*low, *high)]
    # At Div .7 the two seeds with facts learn both within one evaluation, 50 iterations.
    assert [
        k for k, one in enumerate(at) if one["subject"] + 100 <= one["type"] and (*low, *high)[k]["subject"][-1] > 0.5
    ] == [1]
    assert all(t - e < 0.05 for e, t in zip(low[1]["exact"][4:], low[1]["type"][4:], strict=True))
    yield (
        f"in seed 1 the subject is right in half of its end at iteration {at[1]['subject']} and the type at {at[1]['type']}, and exact match "
        "follows the type. One network of ten;"
    )


def half(steps, values):
    """The first step at half of the last value."""
    return next(step for step, value in zip(steps, values, strict=True) if value >= values[-1] / 2)


def test_what_is_said_of_the_quick_settings_is_what_the_records_hold():
    said = list(quick_own())
    assert len(said) == 8
    for sentence in said:
        assert sentence in TEXTS[0]
