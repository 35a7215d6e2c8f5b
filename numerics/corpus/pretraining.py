"""PT sequences of Section 2, drawn on the device, vectorised.

    subject j uniform on all M; N_tr types i.i.d. uniform on L;  X_j^l = [s_j, g_1, .., g_S, a_j^l],  g a path of chain l
    whose first token is uniform;  X_j^{l_1} || [sep] || X_j^{l_2} || [sep] ..      (S + 3) N_tr - 1 tokens
    each X_j^l independently, with probability p_G, is replaced by S + 2 tokens of the chain of generic text, the first
    uniform; the [sep] between subsequences stay.

The final token is the target, so T = (S + 3) N_tr - 2 tokens go in.
"""

import torch

from numerics.arguments import checked_integer, checked_real
from numerics.corpus.batch import Batch
from numerics.corpus.corpus import Corpus
from numerics.corpus.grammar import Chains


class PTSampler:
    """Draws PT sequences; the state of `generator` is the whole state.

    Raises ValueError for S < 1, n_tr < 1, p_G outside 0..1, seed < 0.
    """

    def __init__(
        self, corpus: Corpus, S: int, n_tr: int, p_G: float = 0.2, seed: int = 0, device: str | torch.device = "cpu"
    ):
        self.S, self.n_tr = checked_integer("S", S, 1), checked_integer("n_tr", n_tr, 1)
        self.p_G = checked_real("p_G", p_G)
        if not 0 <= self.p_G <= 1:
            raise ValueError(f"p_G must be a probability, got {p_G!r}")
        self.corpus, self.device = corpus, torch.device(device)
        self.chains = Chains(corpus, self.device)
        self.attribute_token = torch.tensor(corpus.attribute_token, device=self.device)
        self.generator = torch.Generator(device=self.device).manual_seed(checked_integer("seed", seed, 0))

    @property
    def T(self) -> int:
        """Number of input tokens of a sequence, (S + 3) N_tr - 2."""
        return (self.S + 3) * self.n_tr - 2

    def draw(self, size: int) -> Batch:
        """`size` independent sequences.  Raises ValueError for size < 1.  Cost O(size T G (G + log S))."""
        B, n, S, corpus = checked_integer("size", size, 1), self.n_tr, self.S, self.corpus
        subjects = torch.randint(corpus.M, (B,), generator=self.generator, device=self.device)
        types = torch.randint(corpus.L, (B, n), generator=self.generator, device=self.device)
        coins = torch.rand((B, n), generator=self.generator, device=self.device, dtype=torch.float64)
        replaced = coins < self.p_G
        kinds = torch.where(replaced, self.chains.generic, types)
        grammar = corpus.first_grammar + self.chains.draw(kinds, S + 2, self.generator)
        # A subsequence with facts uses the first S tokens of its path, between the subject and the attribute.
        facts = torch.empty_like(grammar)
        facts[:, :, 0] = subjects[:, None]
        facts[:, :, 1 : S + 1] = grammar[:, :, :S]
        facts[:, :, S + 1] = self.attribute_token[subjects[:, None], types]
        parts = torch.full((B, n, S + 3), corpus.sep, device=self.device)
        parts[:, :, : S + 2] = torch.where(replaced[:, :, None], grammar, facts)
        full = parts.view(B, -1)[:, :-1]
        tokens, following = full[:, :-1].contiguous(), full[:, 1:].contiguous()
        last = torch.full((B,), self.T - 1, device=self.device)
        return Batch(tokens, following, last, following[:, -1].clone(), types[:, -1], subjects, replaced[:, -1])
