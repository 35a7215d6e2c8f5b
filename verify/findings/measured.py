"""What is read off trained networks: curves of the four metrics, and accuracies at the end on more sequences.

A curve is what the network's own run evaluated on its way (config.evaluate_size sequences), the last point replaced by the accuracies
of the finished network on `size` sequences of another stream.  Held-out queries have contexts of finetuning subjects, so that no
held-out fact stands in the context.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numerics.corpus import Corpus
from numerics.corpus.bayes import bayes_accuracy
from numerics.gpt import GPT, METRICS, RunConfig, accuracies, load
from verify.findings.among import among_attributes
from verify.findings.baselines import trivial
from verify.findings.formats import formats
from verify.findings.networks import Network
from verify.findings.rules import GROUPS, Curve, best
from verify.findings.runs import curve

# Of the accuracies at the end; phases evaluate on streams of their own seeds, which are in the hundreds.
FINAL_SEED = 1


@dataclass(frozen=True)
class Trained:
    """A finished network and its folder."""

    network: Network
    folder: Path

    @property
    def corpus(self) -> Corpus:
        """Facts, chains, and the finetuning subjects it was trained on."""
        corpus = self.network.config.corpus.build()
        return corpus if self.network.subjects is None else corpus.finetuned_on(self.network.subjects)


def _shares(found: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    return {name: {metric: found[name][metric] for metric in METRICS} for name in found}


def at_end(model: GPT, corpus: Corpus, config: RunConfig, size: int, device: str) -> dict[str, Any]:
    """The four metrics of every kind of sequences, `size` of each."""
    return _shares(accuracies(model, corpus, config, size, FINAL_SEED, device))


def curve_of(trained: Trained, size: int, device: str, start: Trained | None = None) -> Curve:
    """The curve of a network.  start: what it was finetuned from, measured on its corpus as step 0; without it the initial network.

    Raises ValueError for a network that was never evaluated.
    """
    config, corpus = trained.network.config, trained.corpus
    inside = [
        {"step": point["step"], **_shares({k: v for k, v in point.items() if k != "step"})}
        for point in curve(trained.folder)
    ]
    if not inside:
        raise ValueError(f"network must have an evaluated step, got none in {trained.folder}")
    first = (
        config.model.build(corpus.V, config.T, config.dtype, device) if start is None else load(start.folder, device)
    )
    ends = [
        {"step": step, **at_end(model, corpus, config, size, device)}
        for step, model in ((0, first), (inside[-1]["step"], load(trained.folder, device)))
    ]
    return [ends[0], *inside[:-1], ends[1]]


def reachable(corpus: Corpus, S: int) -> float:
    """PT exact match of a reader that knows all facts and the chains (numerics.corpus.bayes)."""
    return bayes_accuracy(corpus.transitions, S).value


def baselines(corpus: Corpus, config: RunConfig) -> dict[str, dict[str, float]]:
    """Trivial predictors on ICL sequences with seen and held-out queries, contexts as the evaluation draws them."""
    world = corpus.world
    pools = {"icl_seen": world.finetune, "icl_heldout": tuple(int(j) for j in world.heldout)}
    contexts: dict[str, Sequence[int]] = {
        "finetune": world.finetune,
        "heldout": pools["icl_heldout"],
        "all": range(world.M),
    }
    return {
        group: trivial(
            corpus.attribute_token, corpus.V, pools[group], contexts.get(config.context, pools[group]), config.n_demos
        )
        for group in GROUPS
    }


def pretraining(trained: Trained, size: int, device: str) -> dict[str, Any]:
    """A seed of Finding 1."""
    config, corpus = trained.network.config, trained.corpus
    return {
        "seed": config.model.seed,
        "run": trained.folder.name,
        "div": corpus.div(config.corpus.norm),
        "reachable": reachable(corpus, config.S),
        "trivial": baselines(corpus, config),
        "pretraining": curve_of(trained, size, device),
    }


def finetuning(
    trained: Trained, scratch: Trained, last: Trained, start: Trained, size: int, device: str
) -> dict[str, Any]:
    """A seed of Findings 2 and 3: the finetuned network, the same finetuning from scratch, finetuning with a loss of the last
    token alone, the pretrained network."""
    config, corpus = trained.network.config, trained.corpus
    return {
        "seed": config.model.seed,
        "run": trained.folder.name,
        "scratch_run": scratch.folder.name,
        "last_run": last.folder.name,
        "div": corpus.div(config.corpus.norm),
        "trivial": baselines(corpus, config),
        "finetuned": curve_of(trained, size, device, start),
        "scratch": curve_of(scratch, size, device),
        "last": curve_of(last, size, device, start),
    }


def by_format(trained: Trained, last: Trained, size: int, device: str) -> dict[str, Any]:
    """Held-out queries at other grammar lengths and numbers of demonstrations: with all tokens, with the last token alone."""
    networks = {"finetuned": trained, "last": last}
    return {
        part: formats(load(one.folder, device), one.corpus, one.network.config, size, FINAL_SEED, device)
        for part, one in networks.items()
    }


def of_attributes(
    trained: Trained, scratch: Trained, last: Trained, start: Trained, size: int, device: str
) -> dict[str, dict[str, float]]:
    """The networks of `finetuning`, held-out ICL queries, if attributes alone could be answered; before: of the pretrained one."""
    models = {"before": start, "finetuned": trained, "scratch": scratch, "last": last}
    loaded = {part: load(one.folder, device) for part, one in models.items()}
    return among_attributes(loaded, trained.corpus, trained.network.config, size, FINAL_SEED, device)


def of_other_targets(trained: Trained, start: Trained, size: int, device: str) -> dict[str, Any]:
    """The curve of the network finetuned with a loss of attributes alone, and its folder's name."""
    return {"attributes_run": trained.folder.name, "attributes": curve_of(trained, size, device, start)}


def subjects_point(trained: Trained, start: Trained, size: int, device: str) -> dict[str, Any]:
    """A point of Fig. 5: held-out exact match at the best step, as the paper compares it, and at the end."""
    found = curve_of(trained, size, device, start)
    return {
        "run": trained.folder.name,
        "subjects": len(trained.corpus.world.finetune),
        "best": best(found, "icl_heldout"),
        "end": found[-1]["icl_heldout"]["exact"],
        "seen": found[-1]["icl_seen"]["exact"],
        "grm": best(found, "grm_heldout"),
    }


def data_point(trained: Trained, start: Trained, direct: Trained, size: int, device: str) -> dict[str, Any]:
    """A point of Figs. 6 and 7: PT exact match after pretraining, held-out ICL exact match after finetuning on ICL+Grm.

    icl_direct: after finetuning on ICL (`direct`), which is not in the figures.
    """
    config, corpus = trained.network.config, trained.corpus
    before = accuracies(load(start.folder, device), corpus, config, size, FINAL_SEED, device, ("pt",))
    after = accuracies(load(trained.folder, device), corpus, config, size, FINAL_SEED, device)
    other = accuracies(load(direct.folder, device), corpus, config, size, FINAL_SEED, device, ("icl_heldout",))
    return {
        "run": trained.folder.name,
        "S": config.S,
        "Div": config.corpus.div,
        "M": corpus.M,
        "div": corpus.div(config.corpus.norm),
        "reachable": reachable(corpus, config.S),
        "pt": before["pt"]["exact"],
        "icl_heldout": after["icl_heldout"]["exact"],
        "icl_seen": after["icl_seen"]["exact"],
        "grm_heldout": after["grm_heldout"]["exact"],
        "icl_direct": other["icl_heldout"]["exact"],
    }
