"""PT sequences of Section 4, drawn on the device, vectorised.

    subject j uniform on all M; N_tr subsequences  [s_j, g_1 .. g_S, sep, a_j^l]  of S + 3 tokens, the last attribute being
    the target (T = (S + 3) N_tr - 1).  In each: relation position i uniform in 1..S, type l uniform in L, g_i = r_l, the
    other slots i.i.d. uniform on the G grammar tokens.

Grammar-only subsequences.  Section 2: "with probability p_G, each subject-grammar-attribute subsequence is replaced by a
grammar-only subsequence g_{1:S+2}, generated from a separate fixed Markov chain".  Section 4 ("generated in a similar
manner to Section 2, with a modification to the grammar subsequences") gives no p_G, and the modification makes grammar
tokens i.i.d. uniform, so they are that here as well.  It also puts a [sep] inside the subsequence, which Section 2 has not:

    kept    the S + 2 tokens other than [sep] become grammar, [sep] stays: the printed count S + 2 (default)
    whole   all S + 3 tokens become grammar

Default p_G = 0: no such subsequence.
"""

import torch
from torch import Tensor

from numerics.arguments import checked_choice, checked_integer, checked_real
from numerics.sampling.batch import PretrainingBatch
from numerics.sampling.tables import Tables, seeded
from numerics.world import World

GRAMMAR_ONLY = ("kept", "whole")


class PretrainingSampler:
    """Draws PT sequences; the state of `generator` is the whole state.

    Raises ValueError for S < 1, n_tr < 1, p_G outside 0..1, an unknown reading, no grammar tokens where they are needed.
    """

    def __init__(
        self,
        world: World,
        S: int,
        n_tr: int,
        p_G: float = 0.0,
        grammar_only: str = "kept",
        seed: int = 0,
        device: str | torch.device = "cpu",
    ):
        self.S, self.n_tr = checked_integer("S", S, 1), checked_integer("n_tr", n_tr, 1)
        self.p_G = checked_real("p_G", p_G)
        if not 0 <= self.p_G <= 1:
            raise ValueError(f"p_G must be a probability, got {p_G!r}")
        self.grammar_only = checked_choice("grammar_only", grammar_only, GRAMMAR_ONLY)
        if world.G == 0 and (self.S > 1 or self.p_G > 0):
            raise ValueError(f"n_grammar must be >= 1 when S = {self.S} > 1 or p_G = {self.p_G} > 0, got 0")
        self.tables = Tables.of(world, device)
        self.generator = seeded(checked_integer("seed", seed, 0), self.tables.device)

    @property
    def T(self) -> int:
        """Number of tokens of a sequence, (S + 3) N_tr - 1."""
        return (self.S + 3) * self.n_tr - 1

    def _uniform(self, below: int, *shape: int) -> Tensor:
        return torch.randint(below, shape, generator=self.generator, device=self.tables.device)

    def draw(self, size: int) -> PretrainingBatch:
        """`size` independent sequences.  Raises ValueError for size < 1.  Cost O(size T)."""
        B, n, S, tables = checked_integer("size", size, 1), self.n_tr, self.S, self.tables
        subjects, types, slots = self._uniform(tables.M, B), self._uniform(tables.L, B, n), self._uniform(S, B, n) + 1
        grammar = tables.first_grammar + self._uniform(max(tables.G, 1), B, n, S + 3)
        tokens = grammar.clone()
        tokens[:, :, 0] = subjects[:, None]
        tokens.scatter_(2, slots[:, :, None], tables.first_relation + types[:, :, None])
        tokens[:, :, S + 1] = tables.sep
        tokens[:, :, S + 2] = tables.attribute_token[subjects[:, None], types]
        replaced = torch.zeros((B, n), dtype=torch.bool, device=tables.device)
        if self.p_G > 0:
            coins = torch.rand((B, n), generator=self.generator, device=tables.device, dtype=torch.float64)
            replaced = coins < self.p_G
            if self.grammar_only == "kept":
                grammar[:, :, S + 1] = tables.sep
            tokens = torch.where(replaced[:, :, None], grammar, tokens)
        flat = tokens.view(B, -1)
        return PretrainingBatch(flat[:, :-1].contiguous(), flat[:, 1:].contiguous(), subjects, types, slots, replaced)
