"""Figs. 20 and 21: slices of W_OV of the subject and the relation head, before and after finetuning."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from verify.trained.measured import Network
from verify.trained.pictures.style import captioned

SHOWN = 8


def slice_tokens(network: Network) -> list[tuple[str, list[int]]]:
    """The groups of tokens: 8 subjects, 8 values of each of two types, grammar and sep, 8 relations.

    Values are those of the shown subjects, in their order, so that a fact stands near the diagonal; then others.
    """
    world = network.world
    count = min(SHOWN, world.M)
    groups = [("subjects", list(range(count)))]
    for ell in range(min(2, world.L)):
        own = [int(v) for v in world.attribute_token[:count, ell]]
        chosen = list(dict.fromkeys([*own, *world.attribute_range(ell)]))[:SHOWN]
        groups.append((f"type {ell + 1}", chosen))
    grammar = [world.grammar_token(g) for g in range(min(4, world.G))]
    groups.append(("grm, sep", [*grammar, world.sep_token]))
    groups.append(("relations", [world.relation_token(ell) for ell in range(min(SHOWN, world.L))]))
    return groups


def slices(network: Network, measured: dict[str, Any], title: str) -> Any:
    """The figure: rows before and after finetuning, columns subject and relation head (as pretraining gave the roles)."""
    groups = slice_tokens(network)
    tokens = [token for _, members in groups for token in members]
    edges = np.cumsum([0, *(len(members) for _, members in groups)])
    found = measured["ov"]
    heads = (("subject head", found["subject_head"]), ("relation head", found["relation_head"]))
    figure, axes = plt.subplots(2, 2, figsize=(11.5, 10.6))
    for row, (when, model) in zip(
        axes, (("after pretraining", network.pretrained), ("after finetuning", network.finetuned)), strict=True
    ):
        for axis, (name, h) in zip(row, heads, strict=True):
            block = model.ov()[h].detach().numpy()[np.ix_(tokens, tokens)]
            limit = float(np.abs(block).max())
            image = axis.imshow(block, cmap="RdBu_r", vmin=-limit, vmax=limit)
            for edge in edges[1:-1]:
                axis.axhline(edge - 0.5, color="0.3", lw=0.6)
                axis.axvline(edge - 0.5, color="0.3", lw=0.6)
            middle = (edges[:-1] + edges[1:] - 1) / 2
            names = [words for words, _ in groups]
            axis.set_xticks(middle, names, fontsize=8)
            axis.set_yticks(middle, names, fontsize=8, rotation=90, va="center")
            axis.set_title(f"W_OV, {name} (head {h}), {when}", fontsize=9.5)
            axis.set_xlabel("input token", fontsize=8)
            axis.set_ylabel("output token", fontsize=8)
            figure.colorbar(image, ax=axis, fraction=0.046, pad=0.03)
    before, after = found["subject_before"], found["subject_after"]

    def rho(pattern: dict[str, Any]) -> str:
        return "undefined" if pattern["rho"] is None else f"{pattern['rho']:.2f}"

    caption = (
        f"Seed {measured['seed']}; the values are those of the shown subjects in their order, so facts lie near the diagonal; the"
        f" whole matrices:  subject columns, means at own values {before['own']:.2f}, other values {before['others']:.2f}, other tokens"
        f" {before['rest']:.2f} (after: {after['own']:.2f}, {after['others']:.2f}, {after['rest']:.2f}); rho {rho(before)}"
        f" ({rho(after)}), -1 is suppressing, 0 boosting; P(own > other) {before['separation']:.2f} ({after['separation']:.2f});"
        f" cosine of the subject columns before and after {found['subject_columns_kept']:.2f}.  Relation head, P(same type > other"
        f" type): relation columns {found['relation_separation'][0]:.2f} ({found['relation_separation'][1]:.2f}), value columns"
        f" {found['value_separation'][0]:.2f} ({found['value_separation'][1]:.2f})."
    )
    captioned(figure, title, caption)
    return figure
