"""What Section 3 and Appendix B say that the trained two-layer transformer does (Findings 1-5, Fig. 2-8, 15-18)."""

from __future__ import annotations

from paper_checks.claim import Claim, Kind
from paper_checks.contextual_recall.figures import FLAT, REVERSED, Figure, as_if

TRANSFERRED = as_if("ICL as good as PT", "the accuracies on PT sequences in the place of those on ICL sequences")
ONE_STAGE = as_if("one stage", "the exact token as soon as the type")
UNPRETRAINED = as_if(
    "the network without pretraining", "the same finetuning of a network that has no facts to transfer"
)
GUESSED = as_if("a guess of the type", "all facts and a guessed type")
ICL_FIRST = as_if("ICL first", "the curves of ICL+Grm and ICL exchanged")
APART = as_if("one kind fails", "nothing learnt from finetuning on one kind of sequences, the one that does better")
EXCHANGED = as_if("Div exchanged", "the network of the lower Div called that of the higher one")
NO_TASK = as_if("no task", "representations of the query alone, and vectors of mixed types in the steering")

_FINDINGS = (
    Claim(
        id="finding1",
        where="Sec. 3.1, Fig. 2",
        title="Pretraining on PT sequences does not suffice for ICL; the type is learnt before the token",
        kind=Kind.EMPIRICAL,
        wording=r"\text{the model first learns to predict the attribute type, and then the exact attribute token. [...] high performance on PT sequences does not transfer to ICL sequences, with the model achieving near-zero accuracy on ICL sequences. [...] Pretraining on PT sequences does not suffice for good ICL performance.}",
        printed=Figure("finding1"),
        mutations=(TRANSFERRED, ONE_STAGE),
    ),
    Claim(
        id="finding2",
        where="Sec. 3.2, Fig. 3",
        title="Finetuning on ICL sequences with half of the subjects generalises to held-out queries",
        kind=Kind.EMPIRICAL,
        wording=r"\text{Finetuning on ICL sequences with a subset of subjects leads to generalization on ICL sequences with held-out subjects.}",
        printed=Figure("finding2"),
        mutations=(UNPRETRAINED, GUESSED),
    ),
    Claim(
        id="finding3",
        where="Sec. 3.2, Fig. 4, 15",
        title="Finetuning on ICL+Grm sequences with short grammar generalises to ICL sequences, ICL+Grm first",
        kind=Kind.EMPIRICAL,
        wording=r"\text{Finetuning on ICL+Grm sequences with short, variable grammar length using a subset of subjects leads to out-of-distribution generalization on ICL sequences with held-out subjects. [...] Performance improves first on ICL+Grm and later on ICL sequences.}",
        printed=Figure("finding3"),
        mutations=(UNPRETRAINED, GUESSED, ICL_FIRST),
    ),
    Claim(
        id="fig5",
        where="Sec. 3.2, Fig. 5",
        title="More finetuning subjects, higher held-out accuracy; ICL and ICL+Grm comparable",
        kind=Kind.EMPIRICAL,
        wording=r"\text{Increasing the number of finetuning subjects with ICL (left) or ICL+Grm (right) sequences improves the model's performance on ICL sequences with held-out query subjects. [...] the sample complexity is comparable across both settings, with performance improving monotonically as the number of finetuning subjects increases.}",
        printed=Figure("fig5"),
        mutations=(FLAT, REVERSED, APART),
    ),
    Claim(
        id="finding4",
        where="Sec. 3.3, Fig. 6, 7",
        title="More subjects, longer grammar, larger Div in pretraining: better ICL after finetuning",
        kind=Kind.EMPIRICAL,
        wording=r"\text{Increasing the number of subjects, the grammar sequence length, or the separation between the Markov chains for different attribute types used while pretraining improves the final performance on ICL sequences.}",
        printed=Figure("finding4"),
        mutations=(FLAT, REVERSED),
    ),
    Claim(
        id="finding5",
        where="Sec. 3.4, Fig. 8, 16-18",
        title="Layer-2 attention output clusters by type, more with demonstrations and with Div; steering",
        kind=Kind.EMPIRICAL,
        wording=r"\text{as }\beta\text{ increases, the model output is steered towards the target. However, for lower Div (top), the required }\beta\text{ is much larger compared to the case with higher Div (bottom). [...] The finetuned model encodes attribute type information from in-context examples in layer-2 attention representations. Clustering strength increases with both the number of in-context examples and the separation between the attribute-specific Markov chains during pretraining.}",
        printed=Figure("finding5"),
        mutations=(EXCHANGED, NO_TASK),
    ),
)


def claims() -> tuple[Claim, ...]:
    """In the order of the paper."""
    return _FINDINGS
