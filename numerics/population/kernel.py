"""The softmax part of the true gradients, summed over a block of contexts and ALL queries of the finetuning pool.

The true residual is e = pi - h(y).  The part with -h(y) is the hat gradient, a rational; what is left is linear in pi
and is computed here sequence by sequence in float64 (at the second step, on request, the whole residual).  A block is C
contexts (j_1, ..., j_{m-1}) crossed with the Q = M_ft queries.  Only distinct entries are touched: at both steps every
token that is not an attribute value has the same logit (no construction writes to it and the gradient gives all of them
the same row), so the A = sum U_l values and one row for the V - A others suffice; the tokens are looked up, never
written as one-hot T x V arrays.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from numerics.population.construction import initial_ov_subj
from numerics.population.layout import Layout
from numerics.world import World

# (contexts (C, m-1), type) -> the subject head's attention on the subject positions, (C, Q, m).
SubjectAttention = Callable[[Tensor, int], Tensor]


@dataclass(frozen=True, eq=False)
class Kernel:
    """Tensors of a world on a device: F (Q,) finetuning subjects, values (Q, L) their values counted over all types,
    subject_columns (Q, A+1) columns of W_OV^subj, the last row standing for all tokens that are no value."""

    world: World
    layout: Layout
    F: Tensor
    values: Tensor
    subject_columns: Tensor

    @staticmethod
    def of(world: World, n_demos: int, reading: str, device: str = "cpu") -> "Kernel":
        """The tensors of a world.  Raises ValueError for n_demos < 1, an unknown reading or an unusable device."""
        try:
            torch.zeros(1, device=device)
        except (RuntimeError, AssertionError) as error:
            reason = str(error).splitlines()[0]
            raise ValueError(f"device must be usable, for instance 'cpu', got {device!r} ({reason})") from None
        F = np.sort(world.finetune_array)
        ov = initial_ov_subj(world, reading)[world.M : world.M + world.n_attributes + 1, F]
        return Kernel(
            world,
            Layout(n_demos),
            torch.as_tensor(F.copy(), device=device),
            torch.as_tensor(world.attribute_token[F] - world.M, device=device),
            torch.as_tensor(ov.T.astype(np.float64), device=device),
        )

    @property
    def others(self) -> int:
        """V - A, the number of tokens that are no value."""
        return self.world.V - self.world.n_attributes

    def weights(self, by_index: NDArray) -> Tensor:
        """An attention by index as a float64 tensor on the device."""
        return torch.as_tensor(by_index.astype(np.float64), device=self.F.device)

    def rows(self, ov: NDArray) -> Tensor:
        """(V, A+1) a (V, V) [output, input] matrix by input, the last entry standing for each of the other outputs."""
        first = self.world.M
        kept = ov[first : first + self.world.n_attributes + 1].T
        return torch.as_tensor(np.ascontiguousarray(kept, dtype=np.float64), device=self.F.device)

    def full(self, ov: NDArray) -> NDArray:
        """(V, V) [output, input] of the second result (2 Q + 1, A+1) of `first`, the softmax part of ov_rel.

        Its rows: finetuning subjects; their attributes, whichever of the L types (each as often as the others); [sep].
        """
        world, A, F = self.world, self.world.n_attributes, self.F.cpu().numpy()
        rows = np.zeros((world.V, A + 1))
        rows[F] = ov[: len(F)]
        for ell in range(world.L):
            np.add.at(rows, world.attribute_token[F, ell], ov[len(F) : -1] / world.L)
        rows[world.sep_token] = ov[-1]
        full = np.repeat(rows[:, A:].T / self.others, world.V, axis=0)
        full[world.M : world.M + A] = rows[:, :A].T
        return full

    def _probabilities(self, logits: Tensor) -> Tensor:
        """(C, Q, A+1) softmax over the vocabulary; the last entry is the mass of ALL other tokens together."""
        logits[..., -1] += float(np.log(self.others))
        return torch.softmax(logits, dim=-1)

    def _assembled(self, tokens: Tensor, slots: Tensor) -> Tensor:
        """(V+T,) token entries, then the sums per index turned to positions p_0, p_-1, ..."""
        return torch.cat([tokens, slots.flip(0)])

    def first(self, contexts: Tensor, subject: NDArray, relation: NDArray) -> tuple[Tensor, Tensor]:
        """Step 1: sums over the block of the softmax parts of kq_subj (V+T,) and ov_rel (2 Q + 1, A+1; see full).

        subject, relation: attention of the two heads by index (T,) (at the initial weights it depends on nothing else).
        The logits do not depend on the type (W_OV^rel acts on relation tokens only), so types enter through the
        attribute tokens alone and are averaged.  Cost O(C Q m A).
        """
        lay, L = self.layout, self.world.L
        s, g, K = self.weights(subject), self.weights(relation), self.layout.n_demos
        columns = self.subject_columns
        in_context = columns[contexts]
        own = s[lay.subjects[-1]]
        on_context = s[lay.subjects[:-1]]
        from_context = torch.einsum("k,cka->ca", on_context, in_context)
        pi = self._probabilities(from_context[:, None] + (own * columns)[None])
        # r_i = sum_v pi_v W[v, x_i]; the other tokens have no row in W_OV^subj.
        r = torch.bmm(pi, in_context.transpose(1, 2))
        r_own = torch.einsum("cqa,qa->cq", pi, columns)
        bar = r @ on_context + own * r_own
        tokens = torch.zeros(self.world.V, dtype=torch.float64, device=self.F.device)
        slots = torch.zeros(lay.T, dtype=torch.float64, device=self.F.device)
        bar_of_context = bar.sum(1)
        for k in range(K):
            terms = on_context[k] * (r[:, :, k] - bar).sum(1)
            tokens.index_add_(0, self.F[contexts[:, k]], terms)
            slots[lay.subjects[k]] += terms.sum()
            terms = -s[lay.attributes[k]] * bar_of_context
            for ell in range(L):
                tokens.index_add_(0, self.world.M + self.values[contexts[:, k], ell], terms / L)
            slots[lay.attributes[k]] += terms.sum()
        terms = own * (r_own - bar).sum(0)
        tokens.index_add_(0, self.F, terms)
        slots[lay.subjects[-1]] += terms.sum()
        slots[lay.seps] -= s[lay.seps] * bar_of_context.sum()
        tokens[self.world.sep_token] += slots[lay.seps].sum()

        pi_of_context, pi_of_query = pi.sum(1), pi.sum(0)
        # (C, Q) with which weight a finetuning subject stands in a context, as subject and through its attribute.
        places = torch.nn.functional.one_hot(contexts, len(self.F)).to(torch.float64)
        as_subject = torch.einsum("k,ckq->qc", g[lay.subjects[:-1]], places) @ pi_of_context
        as_attribute = torch.einsum("k,ckq->qc", g[lay.attributes], places) @ pi_of_context
        sep = g[lay.seps].sum() * pi_of_context.sum(0, keepdim=True)
        ov = torch.cat([as_subject + g[lay.subjects[-1]] * pi_of_query, as_attribute, sep])
        return self._assembled(tokens, slots), ov

    def second(
        self,
        contexts: Tensor,
        ell: int,
        ov: Tensor,
        relation: NDArray,
        attended: SubjectAttention | None,
        residual: bool = False,
    ) -> Tensor:
        """Step 2, type ell: sum over the block of the softmax part of kq_rel (V+T,), or all of it if `residual`.

        ov (V, A+1, by input): W_OV^rel after the projected step; its [sep] row is 0.  attended: the subject head's
        attention, None for the query alone.  residual: pi - h(y) instead of pi, with pi_y - 1 as minus the sum of the
        others, so that nothing cancels where a large step saturates the softmax.  Cost O(C Q m A).
        """
        lay, K, M = self.layout, self.layout.n_demos, self.world.M
        g = self.weights(relation)
        g_context, g_values, own = g[lay.subjects[:-1]], g[lay.attributes], g[lay.subjects[-1]]
        on_subjects = ov[self.F]
        values = self.values[contexts, ell]
        in_context = torch.cat([on_subjects[contexts], ov[M + values]], dim=1)
        weights = torch.cat([g_context, g_values])
        from_context = torch.einsum("k,cka->ca", weights, in_context)
        if attended is None:
            logits = from_context[:, None] + (own * on_subjects + self.subject_columns)[None]
        else:
            share = attended(contexts, ell)
            logits = torch.baddbmm(from_context[:, None], share[..., :-1], self.subject_columns[contexts])
            logits += own * on_subjects + share[..., -1:] * self.subject_columns
        pi = self._probabilities(logits)
        if residual:
            target = self.values[:, ell, None].expand(len(contexts), -1, 1)
            pi.scatter_(-1, target, 0.0)
            pi.scatter_(-1, target, -pi.sum(-1, keepdim=True))
        r = torch.bmm(pi, in_context.transpose(1, 2))
        r_own = torch.einsum("cqa,qa->cq", pi, on_subjects)
        bar = r @ weights + own * r_own
        tokens = torch.zeros(self.world.V, dtype=torch.float64, device=self.F.device)
        slots = torch.zeros(lay.T, dtype=torch.float64, device=self.F.device)
        terms_of_context = weights * (r - bar[..., None]).sum(1)
        for k in range(K):
            tokens.index_add_(0, self.F[contexts[:, k]], terms_of_context[:, k])
            tokens.index_add_(0, M + values[:, k], terms_of_context[:, K + k])
        slots[lay.subjects[:-1]] += terms_of_context[:, :K].sum(0)
        slots[lay.attributes] += terms_of_context[:, K:].sum(0)
        terms = own * (r_own - bar).sum(0)
        tokens.index_add_(0, self.F, terms)
        slots[lay.subjects[-1]] += terms.sum()
        slots[lay.seps] -= g[lay.seps] * bar.sum()
        tokens[self.world.sep_token] += slots[lay.seps].sum()
        return self._assembled(tokens, slots)


def subject_attention(kernel: Kernel, column: NDArray, beta: float, tie_tolerance: float) -> SubjectAttention:
    """The subject head's attention with [sep] column `column` (V+T,) per unit beta, as a function of a block.

    Softmax of beta times (token score + position score); at beta = inf uniform over the scores within tie_tolerance of
    the largest.  Cost O(C Q T) per block.
    """
    lay, V = kernel.layout, kernel.world.V
    token = torch.as_tensor(column[:V].copy(), device=kernel.F.device)
    position = torch.as_tensor(column[V:][::-1].copy(), device=kernel.F.device)

    def attended(contexts: Tensor, ell: int) -> Tensor:
        scores = position.expand(len(contexts), len(kernel.F), lay.T).clone()
        scores[..., lay.subjects[:-1]] += token[kernel.F[contexts]][:, None]
        scores[..., lay.attributes] += token[kernel.world.M + kernel.values[contexts, ell]][:, None]
        scores[..., lay.subjects[-1]] += token[kernel.F]
        scores[..., lay.seps] += token[kernel.world.sep_token]
        if np.isinf(beta):
            top = (scores >= scores.amax(-1, keepdim=True) - tie_tolerance).to(torch.float64)
            return (top / top.sum(-1, keepdim=True))[..., lay.subjects]
        # The largest score is taken off before beta multiplies, so that a huge beta cannot overflow.
        return torch.softmax(beta * (scores - scores.amax(-1, keepdim=True)), dim=-1)[..., lay.subjects]

    return attended
