"""What would explain that finetuning on the next token unlearns held-out answers.  Fixed before any network was trained for it.

Finding 2 at the paper's rates: with the loss of all tokens held-out queries are answered after 150 iterations of finetuning and no
more after 2000; with a loss of the final token alone they stay answered.  The guess, and what each part of it says:

    The other tokens hold context subjects as targets.  All of these are finetuning subjects, so every step lowers the logit of
    every held-out subject.  The unembedding that gives this logit is the embedding (tied weights), and AdamW moves rows with small
    gradients as far as others: the embeddings of held-out subjects are carried away, and with them the way from subject to facts.

    subjects   it is these targets: without them held-out queries stay answered
    others     it is nothing else in the objective: without them it is as good as with the final token alone
    tied       it goes through the tied weights: with an unembedding of its own the same loss leaves the answers
    rows       it sits in those rows: the finetuned network with the embeddings of held-out subjects (as inputs) put back to what they
               were before finetuning answers again

What is lost leans upward: the best of some thirty evaluations on the way is one of two things that the end is compared with.

Judged on the seeds in which something is lost, each statement on each of them; supported if all four hold in at least half of these.

What is judged, per seed:

    curves     {variant: [{step, icl_seen, icl_heldout: {exact, ..}}]}, variants as in variants.py
    put_back   {variant: {icl_seen, icl_heldout: {exact, ..}}}: at the end, embeddings of held-out subjects put back
    moved      {variant: {finetuning, heldout: {length, common}}}: how embeddings of subjects moved, see variants.py
"""

from typing import Any

from verify.findings.findings import by_seed
from verify.findings.rules import (
    ABOVE_TRIVIAL,
    GUESSED_TYPE,
    SEEDS,
    STAGE,
    TRANSFER,
    WITHOUT_FACTS,
    Measured,
    Statement,
    at_end,
    best,
)

SUPPORTED, NOT_SUPPORTED, NOTHING_LOST = "supported", "not supported", "nothing lost"
GROUP = "icl_heldout"


def end(m: Measured, variant: str) -> float:
    """Held-out exact match at the end of a variant."""
    return at_end(m["curves"][variant], GROUP)


def reachable(m: Measured) -> float:
    """What all tokens could have kept: their own best step, or the final token alone at its end."""
    return max(best(m["curves"]["all"], GROUP), end(m, "last"))


def guessed(m: Measured) -> float:
    """The best held-out exact match of a predictor that takes nothing from the context but its type, or knows all facts and guesses it."""
    return max(float(m["trivial"][GROUP][name]) for name in (*WITHOUT_FACTS, GUESSED_TYPE))


def loss(m: Measured) -> float:
    """Held-out exact match that the loss of all tokens takes away."""
    return reachable(m) - end(m, "all")


def loses(m: Measured) -> bool:
    """At least TRANSFER: no less than what Finding 2 calls a transfer."""
    return loss(m) >= TRANSFER


def recovered(m: Measured, found: float) -> float:
    """The share of what is lost that a held-out exact match has recovered."""
    return (found - end(m, "all")) / loss(m)


def put_back(m: Measured) -> float:
    """Held-out exact match of the network of all tokens with the rows put back."""
    return float(m["put_back"]["all"][GROUP]["exact"])


HALF = "half of the way: nearer to what was lost than to what is left"
STATEMENTS = (
    Statement(
        "subjects",
        f"all tokens but the subjects as targets: at the end at least {STAGE} of what is lost is recovered",
        HALF,
        lambda m: recovered(m, end(m, "no_subjects")) >= STAGE,
        lambda m: {"all": end(m, "all"), "no_subjects": end(m, "no_subjects"), "reachable": reachable(m)},
    ),
    Statement(
        "others",
        f"all tokens but the subjects: less than {ABOVE_TRIVIAL} below the final token alone",
        "a tenth is what counts as nothing in the rules of the findings",
        lambda m: end(m, "no_subjects") > end(m, "last") - ABOVE_TRIVIAL,
        lambda m: {"no_subjects": end(m, "no_subjects"), "last": end(m, "last"), "attributes": end(m, "attributes")},
    ),
    Statement(
        "tied",
        f"all tokens, with an unembedding of its own: at the end at least {STAGE} of what is lost is recovered",
        HALF,
        lambda m: recovered(m, end(m, "untied")) >= STAGE,
        lambda m: {"untied": end(m, "untied")},
    ),
    Statement(
        "rows",
        f"all tokens, embeddings of held-out subjects put back at the end: at least {STAGE} of what is lost is recovered",
        HALF,
        lambda m: recovered(m, put_back(m)) >= STAGE,
        lambda m: {"put_back": put_back(m), "common": float(m["moved"]["all"]["heldout"]["common"])},
    ),
)


def judged(seeds: list[Measured]) -> dict[str, Any]:
    """{lost: {seed: what is lost}, statements, all, verdict} of measured seeds.

    statements and `all` (how many of the seeds that lose show every statement) are empty and None where nothing is lost.
    """
    lost = {str(one["seed"]): loss(one) for one in seeds}
    losing = [one for one in seeds if loses(one)]
    if not losing:
        return {"lost": lost, "losing": 0, "statements": [], "all": None, "verdict": NOTHING_LOST}
    found, whole = by_seed(STATEMENTS)(losing)
    assert whole is not None
    kept = ("name", "says", "why", "by_seed", "count", "values")
    statements = [{key: one[key] for key in kept} | {"holds": one["count"]["share"] >= SEEDS} for one in found]
    verdict = SUPPORTED if whole["share"] >= SEEDS else NOT_SUPPORTED
    return {"lost": lost, "losing": len(losing), "statements": statements, "all": whole, "verdict": verdict}
