"""The next-token objective: mean cross-entropy over the positions that have a next token.

A batch is its whole sequences, (B, T + 1) with IGNORED after the end: the inputs are the first T tokens, the targets the last
T.  Pretraining and finetuning have the same objective, "the standard next-token prediction objective" (Section 3): every
position counts, subjects, grammar and separators too.  "last" counts the final token of each sequence alone (Section 4's).

Sequences of different lengths are computed length by length on the CPU: the same sum without the work for padding.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor
from torch.nn import functional as F

from numerics.arguments import checked_choice
from numerics.corpus import IGNORED, Corpus
from numerics.gpt.model import GPT
from numerics.models.fast_loss import Loss

#: Objectives by the kind of the next token, which need to know the vocabulary.
BY_KIND = ("no_subjects", "attributes")
OBJECTIVES = ("all", "last", *BY_KIND)


def sequences(tokens: Tensor, following: Tensor) -> Tensor:
    """(B, T + 1) from the inputs (B, T) and the next tokens (B, T)."""
    return torch.cat((tokens[:, :1], following), 1)


def ends(sequence: Tensor) -> Tensor:
    """(B,) position of the input that predicts the final token."""
    return (sequence != IGNORED).sum(1) - 2


def counted(objective: str, corpus: Corpus) -> Tensor:
    """(V,) whether a next token counts; all do unless the objective is one by kind."""
    token = torch.arange(corpus.V)
    if objective == "no_subjects":
        return token >= corpus.M
    if objective == "attributes":
        return (token >= corpus.M) & (token < corpus.first_grammar)
    return torch.ones(corpus.V, dtype=torch.bool)


def _streams(model: GPT, tokens: Tensor, following: Tensor) -> tuple[Tensor, Tensor]:
    """Last streams (N, d) of the positions that count and their targets (N,); CPU, where counting costs no wait."""
    lengths = (following != IGNORED).sum(1)
    different = lengths.unique().tolist()
    if different == [tokens.shape[1]]:
        return model.stream(tokens).flatten(0, 1), following.flatten()
    parts = []
    for length in different:
        rows = (lengths == length).nonzero()[:, 0]
        parts.append((model.stream(tokens[rows, :length]).flatten(0, 1), following[rows, :length].flatten()))
    streams, targets = zip(*parts, strict=True)
    return torch.cat(streams), torch.cat(targets)


def mean_loss(model: GPT, sequence: Tensor, objective: str = "all", counts: Tensor | None = None) -> Tensor:
    """The mean cross-entropy of sequences (B, T + 1), a scalar; counts (V,): the next tokens that count, default all.

    Cost as GPT.forward; on CUDA and compiled no shape depends on data.
    """
    tokens, following = sequence[:, :-1].clamp(min=0), sequence[:, 1:]
    if objective == "last":
        at = ends(sequence)
        return F.cross_entropy(model.logits_at(tokens, at), following.gather(1, at[:, None])[:, 0])
    if sequence.device.type == "cpu" and not torch.compiler.is_compiling():
        streams, targets = _streams(model, tokens, following)
        if counts is not None:
            kept = counts[targets]
            streams, targets = streams[kept], targets[kept]
        return F.cross_entropy(model.unembed(streams), targets)
    if counts is not None:
        following = torch.where(counts[following.clamp(min=0)], following, IGNORED)
    return F.cross_entropy(model(tokens).flatten(0, 1), following.flatten(), ignore_index=IGNORED)


def autocast(name: str, device: str | torch.device) -> AbstractContextManager[object]:
    """bfloat16 autocast on the device, or nothing for "none"."""
    kind = torch.device(device).type
    return nullcontext() if name == "none" else torch.autocast(kind, dtype=getattr(torch, name))


def loss_for(
    objective: str = "all", cast: str = "none", compiled: bool = False, corpus: Corpus | None = None
) -> Callable[[GPT, Tensor, Tensor, bool], Loss]:
    """loss(model, sequence, targets (B,), predict) for the training loop; predictions (B,) of the final tokens if asked for.

    compiled: torch.compile of the loss.  corpus: of the sequences.  Raises ValueError for an unknown objective, and for one by kind
    without a corpus.
    """
    checked_choice("loss", objective, OBJECTIVES)
    if objective in BY_KIND and corpus is None:
        raise ValueError(f"corpus must be given for the loss {objective!r}, got None")
    kinds = counted(objective, corpus) if objective in BY_KIND and corpus is not None else None
    on: dict[torch.device, Tensor] = {}
    inner = torch.compile(mean_loss) if compiled else mean_loss

    def loss(model: GPT, sequence: Tensor, targets: Tensor, predict: bool = False) -> Loss:
        if kinds is not None and sequence.device not in on:
            on[sequence.device] = kinds.to(sequence.device)
        with autocast(cast, sequence.device):
            mean = inner(model, sequence, objective, on.get(sequence.device))
            if not predict:
                return Loss(mean, None)
            with torch.no_grad():
                tokens = sequence[:, :-1].clamp(min=0)
                return Loss(mean, model.logits_at(tokens, ends(sequence)).argmax(-1))

    return loss
