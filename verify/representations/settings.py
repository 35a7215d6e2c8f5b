"""Which networks Finding 5 is judged on: two values of Div, everything else alike.

Paper (App. B.1): Fig. 8 bottom has the setting of Fig. 4 (Div .5), the top changes Div to .2 alone; 50 sequences per type.  A seed
draws facts, pool of chains, initial weights and batches, the same for both Div; the two differ in the chains that are selected.

Open in the paper, and chosen here: the demonstrations go from 0 to N_ft - 1 (Fig. 17: 15 of 16), steering is at N_ft - 1; the
mean vectors are over other sequences than those that are steered.
"""

from dataclasses import dataclass, replace

from numerics.corpus import CorpusConfig
from verify.findings import settings as findings
from verify.findings.networks import Network
from verify.findings.settings import PRESETS, Size
from verify.representations.measured import Sizes
from verify.representations.rules import DIVS


@dataclass(frozen=True)
class Setting:
    """size: of the networks; divs: the lower and the higher Div; kind: what they are finetuned on; sizes: of the measures."""

    size: Size
    divs: tuple[float, float]
    kind: str
    seeds: int
    sizes: Sizes
    says: str

    def networks(self, seed: int) -> dict[str, Network]:
        """The finetuned networks of a seed, 'low' and 'high'; each tells what it was finetuned from."""
        return {
            name: Network(findings.config(self.size, seed, div=div), self.kind)
            for name, div in zip(DIVS, self.divs, strict=True)
        }


def _tiny() -> Size:
    """For the tests of this code; shows nothing."""
    small = findings.SIZES["tiny"]
    corpus = CorpusConfig(M=16, L=3, U=4, M_ft=8, G=4, alpha=1.0, div=0.3)
    return replace(small, corpus=corpus, n_demos=3)


def setting(preset: str) -> Setting:
    """The setting of a preset.  Raises ValueError for an unknown one."""
    if preset not in PRESETS:
        raise ValueError(f"preset must be one of {', '.join(PRESETS)}, got {preset!r}")
    if preset == "paper":
        return Setting(findings.SIZES["paper"], (0.2, 0.5), "icl+grm", 3, Sizes(), "the paper's sizes")
    if preset == "tiny":
        return Setting(_tiny(), (0.2, 0.4), "icl+grm", 1, Sizes(6, 4, 8), "for tests")
    return Setting(
        findings.SIZES["quick"],
        (0.2, 0.5),
        "icl+grm",
        2,
        Sizes(),
        "a scaled-down setting chosen by search: the verdict speaks of it and not of the paper's sizes",
    )
