"""Which networks are trained: the paper's sizes, a quick stand-in found by search (results/findings/search.json), a tiny one.

Between the two, "reduced": the paper's facts, width and demonstrations with the shortest grammar that it uses itself (Fig. 6), a
shorter pretraining at a larger rate.  An hour of one core for a pretraining (run w1 of the search, seed 0).  "paper-short": all of the paper's
at that grammar, one point of Finding 4's grid at preset paper, whose networks it shares: 6 hours of one core.

Paper (App. B.1, Section 3): M = 256, L = 8, M_1 = 256 and M_2 = .. = M_8 = 32 values, S = 80, N_tr = 5, p_G = .2, Div 0.5, d = 256, 2 layers,
1 head, AdamW lr 1e-4, weight decay 1e-3, batch 64, 20k + 2k iterations; N_ft = 16, S_ft in 1..5, half of the subjects.  Open there:

    G = 4, Dirichlet parameter 1, Div the mean over rows of the total variation distance    (numerics.corpus, verify.divergence)
    constant rate      Section 4 alone names a cosine schedule
    Fig. 5's numbers of subjects, Fig. 7's of M    powers of two around the 128 and the 256 of the text
    std .02            GPT-2's initialisation
    unembedding        tied to the embedding, as in GPT-2; minGPT, which the paper cites, has one of its own: --unembedding own
    contexts of held-out queries    finetuning subjects, so that no held-out fact stands in a context

A seed draws everything anew: facts, chains, initial weights, the batches of both phases.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from numerics.arguments import checked_choice
from numerics.corpus import CorpusConfig
from numerics.gpt import ModelConfig, RunConfig
from numerics.training import PhaseConfig

PRESETS = ("quick", "reduced", "paper-short", "paper", "tiny")


@dataclass(frozen=True)
class Size:
    """What a preset fixes.

    subjects: numbers of finetuning subjects of Fig. 5; S, Div: the grid of Fig. 6; M: of Fig. 7, at the largest S and every Div.
    S_ft_short: grammar lengths of ICL+Grm at the smallest S, where S varies; final: sequences of an evaluation at the end;
    seeds: of the curves (Findings 1-3) and of the sweeps.
    """

    corpus: CorpusConfig
    d: int
    n_tr: int
    n_demos: int
    S_ft: tuple[int, ...]
    S_ft_short: tuple[int, ...]
    pretraining: PhaseConfig
    finetuning: PhaseConfig
    subjects: tuple[int, ...]
    S: tuple[int, ...]
    Div: tuple[float, ...]
    M: tuple[int, ...]
    final: int
    seeds: tuple[int, int]
    p_G: float = 0.2
    std: float = 0.02


def _phase(iterations: int, lr: float, schedule: str, every: int, drawn: int, batch: int = 64) -> PhaseConfig:
    return PhaseConfig(
        iterations,
        batch,
        lr,
        schedule=schedule,
        log_every=every,
        evaluate_every=every,
        evaluate_size=drawn,
        checkpoint_every=max(every, min(1000, iterations)),
    )


def values(M: int, L: int, U: int) -> tuple[int, ...]:
    """Values per type: M_1 = M, all others U."""
    return (M, *(U,) * (L - 1))


SIZES = {
    "paper": Size(
        corpus=CorpusConfig(M=256, L=8, U=values(256, 8, 32), M_ft=128, G=4, alpha=1.0, div=0.5),
        d=256,
        n_tr=5,
        n_demos=16,
        S_ft=(1, 2, 3, 4, 5),
        S_ft_short=(1, 2, 3, 4),
        pretraining=_phase(20000, 1e-4, "constant", 250, 512),
        finetuning=_phase(2000, 1e-4, "constant", 25, 512),
        subjects=(32, 64, 96, 128, 192),
        S=(20, 40, 80),
        Div=(0.1, 0.3, 0.5),
        M=(64, 128, 256),
        final=4096,
        seeds=(3, 2),
    ),
    # Types are hard to tell (6 tokens, Bayes accuracy .97) and weights are drawn five times as wide as GPT-2's: facts are then
    # learnt within minutes, in some seeds together with types and in a form that finetuning can use, in others after them and not.
    "quick": Size(
        corpus=CorpusConfig(M=256, L=4, U=16, M_ft=128, G=6, alpha=0.3, div=0.7),
        d=64,
        n_tr=5,
        n_demos=6,
        S_ft=(1, 2),
        S_ft_short=(1, 2),
        pretraining=_phase(1000, 3e-3, "cosine", 50, 256),
        finetuning=_phase(300, 3e-4, "constant", 20, 256),
        subjects=(32, 64, 128, 192),
        S=(4, 6),
        Div=(0.5, 0.7),
        M=(128, 256),
        final=2048,
        # The search looked at seeds 0 and 1: more than half of the seeds of the curves are others.
        seeds=(5, 2),
        std=0.1,
    ),
    "reduced": Size(
        corpus=CorpusConfig(M=256, L=8, U=values(256, 8, 32), M_ft=128, G=4, alpha=1.0, div=0.5),
        d=256,
        n_tr=5,
        n_demos=16,
        S_ft=(1, 2, 3, 4),
        S_ft_short=(1, 2, 3, 4),
        pretraining=_phase(3000, 1.5e-3, "cosine", 100, 512),
        finetuning=_phase(600, 1e-4, "constant", 25, 512),
        subjects=(32, 64, 128, 192),
        S=(20,),
        Div=(0.3, 0.5),
        M=(128, 256),
        final=2048,
        seeds=(2, 2),
        std=0.05,
    ),
    # For the tests of this code; shows nothing.
    "tiny": Size(
        corpus=CorpusConfig(M=8, L=2, U=4, M_ft=4, G=4, alpha=1.0, div=0.3),
        d=8,
        n_tr=2,
        n_demos=2,
        S_ft=(1,),
        S_ft_short=(1,),
        pretraining=_phase(4, 1e-2, "constant", 2, 16, 8),
        finetuning=_phase(4, 1e-2, "constant", 2, 16, 8),
        subjects=(2, 4),
        S=(6, 8),
        Div=(0.2, 0.4),
        M=(8, 12),
        final=32,
        seeds=(1, 1),
    ),
}

# Where types are easy to tell (8 tokens of 4, Bayes accuracy 1.00) they are learnt first, as in Fig. 2, and facts then late.
FINDING1 = replace(
    SIZES["quick"],
    corpus=CorpusConfig(M=64, L=4, U=16, M_ft=32, G=4, alpha=0.3, div=0.8),
    n_tr=4,
    S=(8,),
    Div=(0.8,),
    M=(64,),
    pretraining=_phase(1500, 3e-3, "cosine", 25, 256),
)


# Finetuning on ICL+Grm is slower: held-out queries of its own format were answered best after 300 to 600 iterations.
FINDING3 = replace(SIZES["quick"], finetuning=_phase(900, 3e-4, "constant", 30, 256))
# What finetuning unlearns it unlearns late: twice the iterations of Finding 2, fixed before any was run.
UNLEARNING = replace(SIZES["quick"], finetuning=_phase(600, 3e-4, "constant", 20, 256))
OWN = {"finding1": FINDING1, "finding3": FINDING3, "unlearning": UNLEARNING}


# The paper's own at the shortest grammar and the Div of Section 3.1.
SIZES["paper-short"] = replace(
    SIZES["paper"],
    S=SIZES["paper"].S[:1],
    S_ft=SIZES["paper"].S_ft_short,
    Div=(0.5,),
    M=(64, 256),
    seeds=(2, 2),
)


def size_of(preset: str, finding: str) -> Size:
    """The sizes of a preset for a finding; some have quick ones of their own (OWN).  Raises ValueError for an unknown preset."""
    checked_choice("preset", preset, PRESETS)
    return OWN.get(finding, SIZES[preset]) if preset == "quick" else SIZES[preset]


def _per_type(old: CorpusConfig, M: int) -> int | tuple[int, ...]:
    # A type with a value for every subject keeps it so.
    return old.U if isinstance(old.U, int) else tuple(M if U == old.M else U for U in old.U)


def config(size: Size, seed: int, S: int | None = None, div: float | None = None, M: int | None = None) -> RunConfig:
    """The configuration of a seed; S (default the largest), div and M (default the corpus's) as Figs. 6 and 7 vary them.

    With another M half of the subjects are for finetuning, and a type with a value for every subject keeps it so.
    """
    S = size.S[-1] if S is None else S
    corpus = replace(size.corpus, seed=seed, div=size.corpus.div if div is None else div)
    if M is not None:
        corpus = replace(corpus, M=M, M_ft=M // 2, U=_per_type(size.corpus, M))
    return RunConfig(
        corpus=corpus,
        model=ModelConfig(d=size.d, seed=seed, std=size.std),
        S=S,
        n_tr=size.n_tr,
        p_G=size.p_G,
        n_demos=size.n_demos,
        S_ft=size.S_ft_short if min(size.S) == S and len(size.S) > 1 else size.S_ft,
        context="finetune",
        # Streams of random numbers that do not meet: weights from seed, batches from seeds in the hundreds.
        pretraining=replace(size.pretraining, seed=100 + seed),
        finetuning=replace(size.finetuning, seed=200 + seed),
    )


def grid(size: Size) -> tuple[list[dict[str, float]], list[dict[str, float]]]:
    """The points of Fig. 6 (S and Div, M the corpus's) and of Fig. 7 (M and Div, S the largest)."""
    first = [{"S": S, "Div": div} for S in size.S for div in size.Div]
    second = [{"M": M, "Div": div} for M in size.M for div in size.Div]
    return first, second


def nested(order: Sequence[int], counts: Sequence[int]) -> list[tuple[int, ...]]:
    """The first subjects of an order, for every count: more subjects contain the fewer.  Raises ValueError beyond the order."""
    if not counts or max(counts) > len(order) or min(counts) < 1:
        raise ValueError(f"counts must be in 1..{len(order)}, got {list(counts)}")
    return [tuple(int(j) for j in order[:count]) for count in counts]
