"""Figs. 9, 11, 22, 25: the attention of every head over one sequence, of the last token and of all."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch

from verify.trained.measured import Network
from verify.trained.pictures.style import captioned


def label(network: Network, token: int) -> str:
    """A short name: s12, a1:7 (type 1, value 7; types from 1 as in the paper), r3, g0, sep."""
    world = network.world
    if token == world.sep_token:
        return "sep"
    ell = world.type_of_token(token)
    if ell is not None:
        return f"a{ell + 1}:{token - world.attribute_offsets[ell]}"
    if token >= world.attribute_offsets[-1] and token < world.attribute_offsets[-1] + world.L:
        return f"r{token - world.attribute_offsets[-1] + 1}"
    return world.token_name(token)


def attention(network: Network, measured: dict[str, Any], kind: str, title: str) -> Any:
    """The figure.  measured: of this network; kind: 'pt' (after pretraining) or 'icl' (after finetuning)."""
    model = network.pretrained if kind == "pt" else network.finetuned
    sequences = network.pt_sequences(16) if kind == "pt" else network.icl_sequences(16)
    tokens = sequences.batch.tokens[:1]
    with torch.no_grad():
        maps = model.attention(tokens)[0].numpy()
    names = [label(network, int(token)) for token in tokens[0]]
    roles = measured[kind]["mechanism"]
    heads = []
    for h in range(len(maps)):
        held = [name for name in ("subject", "relation") if roles[f"{name}_head"] == h]
        heads.append(f"head {h}" + (f"\n({' and '.join(held)})" if held else ""))
    H, T = maps.shape[0], maps.shape[1]
    figure = plt.figure(figsize=(14, 8))
    grid = figure.add_gridspec(2, H, height_ratios=(1, 3.4), hspace=0.27, left=0.065, right=0.97, wspace=0.12)
    strip = figure.add_subplot(grid[0, :])
    image = strip.imshow(maps[:, -1], vmin=0, vmax=1, cmap="magma_r", aspect="auto")
    strip.set_yticks(range(H), heads, fontsize=8)
    strip.set_xticks(range(T), names, rotation=90, fontsize=6.5 if T > 30 else 9)
    strip.set_xticks(np.arange(T + 1) - 0.5, minor=True)
    strip.grid(which="minor", color="0.9", lw=0.4)
    strip.tick_params(which="minor", length=0)
    strip.set_title("attention of the last token", fontsize=9, loc="left")
    figure.colorbar(image, ax=strip, fraction=0.015, pad=0.008)
    for h in range(H):
        axis = figure.add_subplot(grid[1, h])
        axis.imshow(maps[h], vmin=0, vmax=1, cmap="magma_r")
        axis.set_title(heads[h].replace("\n", " "), fontsize=9)
        if T <= 30:
            axis.set_xticks(range(T), names, rotation=90, fontsize=7)
            axis.set_yticks(range(T), names, fontsize=7)
        else:
            subjects = [i for i, token in enumerate(tokens[0]) if int(token) < network.world.M]
            axis.set_xticks(subjects, [names[i] for i in subjects], rotation=90, fontsize=7)
            axis.set_yticks(subjects, [names[i] for i in subjects], fontsize=7)
        axis.set_xlabel("attended token", fontsize=8)
        if h == 0:
            axis.set_ylabel("attending token", fontsize=8)
    shares = measured[kind]["shares"]
    wanted = ("subject_token", "own_subject", "own_relation") if kind == "pt" else ("query", "attributes")
    parts = [f"{name.replace('_', ' ')} " + "/".join(f"{x:.2f}" for x in shares[name]) for name in wanted]
    caption = (
        f"Seed {measured['seed']}, {roles['kind']}.  Mean attention of the last token by role, heads 0/1/2 over all sequences: "
        + "; ".join(parts)
        + ".  "
        + (
            "Every occurrence of the subject is the same token: outputs do not tell them apart."
            if kind == "pt"
            else "Queries and contexts from all subjects."
        )
    )
    captioned(figure, title, caption, {"below": 0.6, "above": 0.2})
    return figure
