"""ICL and ICL+Grm sequences of Section 2, drawn on the device, vectorised.

    type l uniform on L; context subjects j_1 .. j_N i.i.d. uniform on the context pool, the query j_{N+1} uniform on the
    query pool;  X_{j_1}^l || [sep] || .. || X_{j_{N+1}}^l,   X_j^l = [s_j, g_1, .., g_{S_ft}, a_j^l]
    S_ft = 0 is ICL; a tuple: S_ft uniform on it, drawn once per sequence.

The final attribute is the target: a sequence has (S_ft + 3) (N + 1) - 2 input tokens.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from numerics.arguments import checked_choice, checked_integer
from numerics.corpus.batch import IGNORED, Batch
from numerics.corpus.corpus import Corpus
from numerics.corpus.grammar import Chains

POOLS = ("finetune", "heldout", "all")


def _pool(parameter: str, name: str, corpus: Corpus, device: torch.device) -> Tensor:
    """Subjects of a pool.  Raises ValueError for an unknown name or an empty pool."""
    world = corpus.world
    found = {"finetune": world.finetune_array, "heldout": world.heldout, "all": range(world.M)}
    subjects = torch.tensor(found[checked_choice(parameter, name, POOLS)], dtype=torch.int64, device=device)
    if not len(subjects):
        raise ValueError(f"{parameter} must be a pool with a subject, got {name!r}, which has none")
    return subjects


class ICLSampler:
    """Draws ICL (S_ft = 0) or ICL+Grm sequences; the state of `generator` is the whole state.

    Raises ValueError for n_demos < 0, an empty S_ft or one below 0, an unknown or empty pool, seed < 0.
    """

    def __init__(
        self,
        corpus: Corpus,
        n_demos: int,
        S_ft: int | Sequence[int] = 0,
        query: str = "finetune",
        context: str = "finetune",
        seed: int = 0,
        device: str | torch.device = "cpu",
    ):
        self.n_demos, self.corpus, self.device = checked_integer("n_demos", n_demos, 0), corpus, torch.device(device)
        given = tuple(S_ft) if isinstance(S_ft, Sequence) else (S_ft,)
        if not given:
            raise ValueError("S_ft must be an integer >= 0 or at least one of them, got none")
        self.S_ft = tuple(checked_integer("S_ft", one, 0) for one in given)
        self.queries = _pool("query", query, corpus, self.device)
        self.contexts = _pool("context", context, corpus, self.device)
        self.chains = Chains(corpus, self.device)
        self.lengths = torch.tensor(self.S_ft, device=self.device)
        self.attribute_token = torch.tensor(corpus.attribute_token, device=self.device)
        self.generator = torch.Generator(device=self.device).manual_seed(checked_integer("seed", seed, 0))

    @property
    def T(self) -> int:
        """Number of input tokens of the longest sequence, (max S_ft + 3) (n_demos + 1) - 2."""
        return (max(self.S_ft) + 3) * (self.n_demos + 1) - 2

    def _uniform(self, below: int, *shape: int) -> Tensor:
        return torch.randint(below, shape, generator=self.generator, device=self.device)

    def draw(self, size: int, types: Tensor | None = None) -> Batch:
        """`size` independent sequences, of these types (size,) if given.  Cost O(size T G (G + log S_ft)).

        Raises ValueError for size < 1 or types that are not (size,) integers in 0..L-1.
        """
        B, corpus = checked_integer("size", size, 1), self.corpus
        if types is None:
            types = self._uniform(corpus.L, B)
        elif types.shape != (B,) or types.is_floating_point() or int(types.min()) < 0 or int(types.max()) >= corpus.L:
            raise ValueError(f"types must be ({B},) integers in 0..{corpus.L - 1}, got {types!r}")
        types = types.to(device=self.device, dtype=torch.int64)
        contexts = self.contexts[self._uniform(len(self.contexts), B, self.n_demos)]
        queries = self.queries[self._uniform(len(self.queries), B)]
        subjects = torch.cat([contexts, queries[:, None]], dim=1)
        lengths = self.lengths[self._uniform(len(self.S_ft), B)]
        S, m = max(self.S_ft), self.n_demos + 1
        kinds = types[:, None].expand(B, m)
        grammar = corpus.first_grammar + self.chains.draw(kinds, S, self.generator)
        # Every subsequence as [s, a, [sep], g_1 .. g_S], and where to find each of the T + 1 tokens in it.
        attributes = self.attribute_token[subjects, kinds]
        seps = torch.full_like(subjects, corpus.sep)
        parts = torch.cat([torch.stack([subjects, attributes, seps], dim=2), grammar], dim=2)
        place = torch.arange(self.T + 1, device=self.device)
        width = lengths[:, None] + 3
        number, offset = place.div(width, rounding_mode="floor"), place % width
        inside = place < width * m - 1
        source = torch.where(offset == 0, 0, offset + 2)
        source = torch.where(offset >= width - 2, offset - width + 3, source)
        flat = (number.clamp(max=m - 1) * (S + 3) + source).masked_fill(~inside, 2)  # part 0, place 2: a [sep]
        full = parts.view(B, -1).gather(1, flat)
        following = full[:, 1:].masked_fill(~inside[:, 1:], IGNORED)
        last = width[:, 0] * m - 3
        tokens = full[:, :-1].clone()
        # The target of a shorter sequence is no input either.
        ended = place[:-1] > last[:, None]
        tokens.masked_fill_(ended, corpus.sep)
        targets = attributes[:, -1]
        none = torch.zeros(B, dtype=torch.bool, device=self.device)
        return Batch(tokens, following, last, targets, types, queries, none)
