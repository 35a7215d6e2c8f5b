"""What counts as Finding 5.  Every number was fixed before the first network was trained; the reason stands beside it.

A seed has two networks, of a lower and a higher Div ("low", "high"; the paper's are .2 and .5), finetuned alike.  What the paper
says of both is judged of both, seed by seed, and is reproduced if at least half of the seeds show it (the paper shows one).  What
it says of one against the other is judged by the difference within a seed: its mean over the seeds, its sign in every seed.

Of one network (measured.py), every list over t = 0 .. t_max demonstrations, contexts and queries held out:

    silhouettes   {representation: [S(t)]}, all pairs of sequences, as printed
    disjoint      the same between sequences that share no value of the context
    trivial       {representation without a task: {silhouettes, disjoint}}
    accuracy      {seen, heldout: [exact match]}
    steering      {seen, heldout: {source, target: [mean rank by beta], crossing, ..}}
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from scipy.stats import spearmanr

from verify.trained.intervals import spread

# The representation that the finding names, and the layer that "exhibits no clustering".
NAMED = "layer2.attention"
FIRST = "layer1."
# Share of the seeds.
SEEDS = 0.5
# "Clustering strength increases with the number of in-context examples": by a tenth of the way from no structure (0) to perfect
# clusters (1).  With 50 sequences per type S moves by about .01 from one draw of the sequences to another.
RISE = 0.1
# .. and orderly: S may fall between neighbours where it saturates, which costs little rank correlation.
ORDER = 0.8
# "Increases with the separation of the chains": half of what counts as an increase with the examples.
STRONGER = 0.05
# "Layer-1 representations exhibit no clustering": less than what counts as an increase.
FLAT = RISE
# "Steered towards the target": at beta = 1 the target's mean rank is at most half of the source's.  Passing alone is no evidence: where
# nothing is steered the two can be equal and pass by chance.
HALF = 0.5
# "The required beta is much larger for lower Div": one step of the grid of betas, 1/20.
SOONER = 0.05
# "Accuracy improves with the number of demonstrations": a type guessed at t = 0 is 1 / L.
LEARNT = 0.2
# "Accuracy is comparable in the two settings".
COMPARABLE = 0.1

DIVS = ("low", "high")
POOLS = ("seen", "heldout")
Measured = dict[str, Any]
Pair = dict[str, Measured]


@dataclass(frozen=True)
class Statement:
    """name, what it says, why so; main: the verdict rests on it.

    holds: of one network, asked of both of a seed; or difference: of the two of a seed, and the least mean over the seeds.
    values: what is shown of a network.
    """

    name: str
    says: str
    why: str
    values: Callable[[Measured], dict[str, float | None]]
    holds: Callable[[Measured], bool] | None = None
    difference: Callable[[Pair], float] | None = None
    least: float = 0.0
    main: bool = True


def rise(values: Sequence[float]) -> float:
    """The last value less the first."""
    return float(values[-1] - values[0])


def order(values: Sequence[float]) -> float:
    """Spearman's rank correlation of the values with their index; 0 for values that are all equal."""
    return 0.0 if len(set(values)) == 1 else float(spearmanr(range(len(values)), values).statistic)


def grows(values: Sequence[float]) -> bool:
    """RISE from the first to the last, in ORDER."""
    return rise(values) >= RISE and order(values) >= ORDER


def _growth(values: Sequence[float]) -> dict[str, float | None]:
    return {"first": values[0], "last": values[-1], "order": order(values)}


def best_trivial(m: Measured, kind: str) -> float:
    """The largest last silhouette of a representation without a task; kind: 'silhouettes' or 'disjoint'."""
    return max(float(found[kind][-1]) for found in m["trivial"].values())


def beyond_trivial(m: Measured) -> bool:
    """At t_max the named silhouettes, all pairs and disjoint, RISE above every representation without a task."""
    return all(m[kind][NAMED][-1] >= best_trivial(m, kind) + RISE for kind in ("silhouettes", "disjoint"))


def first_layer(m: Measured) -> float:
    """The largest |S| of a representation of the first layer at t_max."""
    return max(abs(float(values[-1])) for name, values in m["silhouettes"].items() if name.startswith(FIRST))


def clusters_most(m: Measured) -> bool:
    """At t_max the named representation has the largest silhouette of all, and those of the first layer are FLAT."""
    last = {name: values[-1] for name, values in m["silhouettes"].items()}
    return max(last, key=lambda name: last[name]) == NAMED and first_layer(m) < FLAT


def is_steered(found: Measured) -> bool:
    """The target's mean rank passes the source's, and is at most HALF of it at the largest beta."""
    return found["crossing"] is not None and found["target"][-1] <= HALF * found["source"][-1]


def steered(m: Measured) -> bool:
    """Both pools."""
    return all(is_steered(m["steering"][pool]) for pool in POOLS)


def crossing(found: Measured) -> float:
    """The beta of the passing; 1, the largest there is, where there is none."""
    return 1.0 if found["crossing"] is None else float(found["crossing"])


def sooner(pair: Pair) -> float:
    """How much smaller the crossing is at the higher Div, in the pool where that is less."""
    low, high = (pair[div]["steering"] for div in DIVS)
    return min(crossing(low[pool]) - crossing(high[pool]) for pool in POOLS)


def judged(statement: Statement, seeds: dict[str, Pair]) -> dict[str, Any]:
    """holds, by_seed, and the measured values; the interval over seeds of a difference.  Raises ValueError for no seeds."""
    if not seeds:
        raise ValueError("seeds must be at least one, got none")
    values = {seed: {div: statement.values(pair[div]) for div in DIVS} for seed, pair in seeds.items()}
    made: dict[str, Any] = {"values": values, "difference": None}
    if statement.difference is not None:
        by_seed = {seed: statement.difference(pair) for seed, pair in seeds.items()}
        made["difference"] = spread(list(by_seed.values())) | {"by_seed": by_seed, "at_least": statement.least}
        made["by_seed"] = {seed: value > 0 for seed, value in by_seed.items()}
        holds = made["difference"]["mean"] >= statement.least and all(made["by_seed"].values())
    elif statement.holds is not None:
        made["by_seed"] = {seed: all(statement.holds(pair[div]) for div in DIVS) for seed, pair in seeds.items()}
        holds = sum(made["by_seed"].values()) >= SEEDS * len(seeds)
    else:
        raise ValueError(f"statement must have holds or difference, got {statement.name!r} without")
    return made | {"holds": holds}


STATEMENTS = (
    Statement(
        "grows",
        f"the silhouette of layer-2 attention rises by at least {RISE} from 0 to t_max demonstrations, rank correlation with their"
        f" number at least {ORDER}, at both Div",
        "the measure as printed; a count of the context's values passes it as well (see trivial), so it is not judged alone",
        lambda m: _growth(m["silhouettes"][NAMED]),
        holds=lambda m: grows(m["silhouettes"][NAMED]),
    ),
    Statement(
        "grows_disjoint",
        "the same between sequences that share no value of the context, at both Div",
        "what such sequences have in common is the type; counts of values score exactly 0",
        lambda m: _growth(m["disjoint"][NAMED]),
        holds=lambda m: grows(m["disjoint"][NAMED]),
    ),
    Statement(
        "stronger",
        f"at t_max the silhouette of layer-2 attention is larger at the higher Div: by {STRONGER} in the mean over seeds, and in every seed",
        "one seed of two would show a larger one by chance half of the time",
        lambda m: {"last": m["silhouettes"][NAMED][-1]},
        difference=lambda pair: pair["high"]["silhouettes"][NAMED][-1] - pair["low"]["silhouettes"][NAMED][-1],
        least=STRONGER,
    ),
    Statement(
        "steers",
        f"with the task vectors mixed by beta, the target's mean rank passes the source's, and is at most {HALF:g} of it at beta = 1, for seen"
        " and held-out queries, at both Div",
        "vectors of mixed types (see controls) must not pass",
        lambda m: {f"{pool}_crossing": m["steering"][pool]["crossing"] for pool in POOLS},
        holds=steered,
    ),
    Statement(
        "sooner",
        f"the passing comes at a smaller beta at the higher Div: by {SOONER} in the mean over seeds, in every seed, for seen and held-out"
        " queries",
        "without a passing the beta is taken as 1; by symmetry it is 1/2 wherever only the replaced vector carries the type, so that a larger"
        " one tells of another path of the type to the output and not of weak vectors",
        lambda m: {f"{pool}_crossing": m["steering"][pool]["crossing"] for pool in POOLS},
        difference=sooner,
        least=SOONER,
    ),
    Statement(
        "rises",
        f"both silhouettes of layer-2 attention rise by at least {RISE} from 0 to t_max demonstrations, in whatever order, at both Div",
        "a silhouette that saturates at the first demonstration has no order left; added after a first network was seen, so no verdict rests"
        " on it",
        lambda m: {"one_demonstration": m["silhouettes"][NAMED][1], "last": m["silhouettes"][NAMED][-1]},
        holds=lambda m: all(rise(m[kind][NAMED]) >= RISE for kind in ("silhouettes", "disjoint")),
        main=False,
    ),
    Statement(
        "layers",
        f"at t_max layer-2 attention has the largest silhouette of all representations, those of layer 1 are within {FLAT} of 0, at both Div",
        "Fig. 16",
        lambda m: {name: values[-1] for name, values in m["silhouettes"].items()},
        holds=clusters_most,
        main=False,
    ),
    Statement(
        "beyond_trivial",
        f"at t_max layer-2 attention's silhouettes, all pairs and disjoint, are {RISE} above those of every representation without a task, at"
        " both Div",
        "among these the sum of the network's own embeddings of the context's values, and the network before finetuning",
        lambda m: {kind: best_trivial(m, kind) for kind in ("silhouettes", "disjoint")},
        holds=beyond_trivial,
        main=False,
    ),
    Statement(
        "stronger_disjoint",
        f"as stronger, between sequences that share no value: by {STRONGER} in the mean over seeds, and in every seed",
        "stronger, where shared values cannot be the reason",
        lambda m: {"last": m["disjoint"][NAMED][-1]},
        difference=lambda pair: pair["high"]["disjoint"][NAMED][-1] - pair["low"]["disjoint"][NAMED][-1],
        least=STRONGER,
        main=False,
    ),
    Statement(
        "accuracy",
        f"exact match on held-out ICL sequences rises by at least {LEARNT} from 0 to t_max demonstrations, at both Div",
        "Fig. 8: without it there is no contextual recall whose representation could be looked at",
        lambda m: {"first": m["accuracy"]["heldout"][0], "last": m["accuracy"]["heldout"][-1]},
        holds=lambda m: rise(m["accuracy"]["heldout"]) >= LEARNT,
        main=False,
    ),
    Statement(
        "comparable",
        f"held-out exact match at t_max differs by less than {COMPARABLE} between the two Div, in every seed",
        "Section 3.4: accuracy is comparable",
        lambda m: {"last": m["accuracy"]["heldout"][-1]},
        # Within COMPARABLE: the room that is left to it.
        difference=lambda pair: (
            COMPARABLE - abs(pair["high"]["accuracy"]["heldout"][-1] - pair["low"]["accuracy"]["heldout"][-1])
        ),
        main=False,
    ),
)
