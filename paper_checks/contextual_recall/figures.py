"""What the captions of Section 4 and Appendix C.3 say that trained networks do (Fig. 9-14, 19-26)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from paper_checks.claim import Claim, Kind, Mutation


@dataclass(frozen=True)
class Figure:
    """A figure's trend. `as_if`: the networks are judged as if this confusion were what they show; empty: as they are.

    `found`: pairs (statement, what is said to be measured) in place of the trend; none as printed, which gives no numbers.
    """

    name: str
    as_if: str = ""
    found: tuple[tuple[str, str], ...] = ()


def as_if(confusion: str, why: str) -> Mutation:
    """The same figure, of networks that show something else: the claim's check must tell."""

    def apply(statement: Any) -> Any:
        return replace(statement, as_if=confusion)

    return Mutation(confusion, why, apply)


EXCHANGED = as_if("roles exchanged", "the relation head called the subject head, and the other way round")
CONSTANT = as_if(
    "a constant subject head",
    "an output of -1 on every attribute, which knows no facts, in place of the subject head's",
)
NOWHERE = as_if("heads that attend nowhere", "attention in proportion to how often a role occurs")
GUESS = as_if("a guess of the type", "accuracy of one that knows the subject and guesses the type")
BOOSTED = as_if("own values suppressed", "own and foreign values of the subject head exchanged")
FLAT = as_if("no trend", "the same accuracy at every number of unique attributes")
REVERSED = as_if("the trend reversed", "smallest and largest exchanged")

_SECTION_4 = (
    Claim(
        id="fig9-10",
        where="Sec. 4, Fig. 9, 10",
        title="Heads after pretraining do what Prop. 1 says",
        kind=Kind.EMPIRICAL,
        wording=r"\text{Attention scores for each head across a PT sequence at the end of pretraining. Head 2 attends to the most recent subject, while head 0 attends to the most recent relation token, as predicted by Proposition 1. [...] Head 2 output closely matches }f_{\text{subj}}(\bm X)\text{, while head 0 matches }f_{\text{rel}}(\bm X)\text{.}",
        printed=Figure("fig9_10"),
        mutations=(EXCHANGED, CONSTANT, NOWHERE),
    ),
    Claim(
        id="fig11-12",
        where="Sec. 4, Fig. 11, 12",
        title="Heads after finetuning do what Prop. 2 says",
        kind=Kind.EMPIRICAL,
        wording=r"\text{Attention scores for each head across an ICL sequence at the end of finetuning. Head 2 attends to the most recent subject, while head 0 attends to the attribute tokens in the sequence, as predicted by Proposition 2. [...] Head 2 output closely matches }f_{\text{subj}}(\bm X)\text{, while head 0 matches }f_{\text{rel}}(\bm X)\text{.}",
        printed=Figure("fig11_12"),
        mutations=(EXCHANGED, CONSTANT, NOWHERE),
    ),
)

_SWEEPS = (
    Claim(
        id="fig13",
        where="Sec. 4, Fig. 13",
        title="More unique attributes seen in finetuning, higher held-out accuracy",
        kind=Kind.EMPIRICAL,
        wording=r"\text{for a fixed number of subjects used during finetuning (32 or 64), increasing the number of unique attributes seen during finetuning improves the model's performance on ICL sequences with held-out query subjects. This effect is consistent for 256 or 2048 subjects used while pretraining.}",
        printed=Figure("fig13"),
        mutations=(FLAT, REVERSED),
    ),
    Claim(
        id="fig14",
        where="Sec. 4, Fig. 14",
        title="More pretraining subjects: lower cosines after pretraining, lower matches after finetuning",
        kind=Kind.EMPIRICAL,
        wording=r"\text{for 256 PT subjects, the cosine similarities for subject and relation head are high, and after FT, the subject-match accuracy is high, while attribute-type match accuracy is lower because all attributes were not seen during FT. On the other hand, for 2048 PT subjects, the cosine similarities for subject and relation head are low, and after FT, the subject-match accuracy is low, as well as the attribute-type match accuracy is low because all attributes were not seen during FT.}",
        printed=Figure("fig14"),
        mutations=(FLAT, REVERSED),
    ),
)

_APPENDIX = (
    Claim(
        id="fig19-21",
        where="App. C.3, Fig. 19-21",
        title="Held-out accuracy after finetuning, and what the OV matrices show (relative positions)",
        kind=Kind.EMPIRICAL,
        wording=r"\text{Finetuning the single-layer attention-only model with relative positional encoding pretrained on PT sequences using ICL sequences with a subset of subjects enables generalization on ICL sequences with held-out query subjects. [...] the subject heads encode information about subject-attribute associations by suppressing attributes not associated with the subject, and don't change much after finetuning. On the other hand, the relation head initially encodes information about relation type-attribute associations, but after finetuning, it changes significantly, encoding attribute-attribute associations for the same attribute type.}",
        printed=Figure("fig19_21"),
        mutations=(GUESS, BOOSTED),
    ),
    Claim(
        id="fig22-26",
        where="App. C.3.2, Fig. 22-26",
        title="The absolute-position variant: heads, cosines and held-out accuracy",
        kind=Kind.EMPIRICAL,
        wording=r"\text{Head 0 attends to the first subject, while head 1 attends to the most recent relation token, as predicted by Proposition 1. [...] Head 0 output closely matches }f_{\text{subj}}(\bm X)\text{, while head 1 matches }f_{\text{rel}}(\bm X)\text{. [...] Finetuning the single-layer attention-only model with absolute positional encoding pretrained on PT sequences using ICL sequences with a subset of subjects enables generalization on ICL sequences with held-out query subjects. [...] Head 0 attends to the most recent subject, while head 1 attends to the attribute tokens in the sequence, as predicted by Proposition 2. [...] Head 0 output closely matches }f_{\text{subj}}(\bm X)\text{, while head 1 matches }f_{\text{rel}}(\bm X)\text{.}",
        printed=Figure("fig22_26"),
        mutations=(EXCHANGED, CONSTANT, NOWHERE, GUESS),
    ),
)


def claims() -> tuple[Claim, ...]:
    """In the order of the paper."""
    return (*_SECTION_4, *_SWEEPS, *_APPENDIX)
