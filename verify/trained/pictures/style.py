"""What all pictures share: colours, captions, files that appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
import textwrap
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from PIL import Image

COLOURS = {"subject": "#c44e52", "relation": "#4c72b0", "third": "#8c8c8c", "baseline": "#b9b9b9"}
MECHANISMS = {"suppressing": "#4c72b0", "boosting": "#dd8452", "unassociated": "#937860", "collapsed": "#b9b9b9"}
DPI = 120


def captioned(figure: Any, title: str, caption: str, adjusted: dict[str, float] | None = None) -> None:
    """Title above and caption below, room kept for both; adjusted: margins of subplots_adjust where tight_layout cannot tell."""
    width, height = figure.get_size_inches()
    # A letter of the caption is about 0.058 inches wide.
    lines = textwrap.wrap(caption, int((width - 0.3) / 0.058))
    figure.text(0.1 / width, 1 - 0.08 / height, title, ha="left", va="top", fontsize=11)
    figure.text(0.1 / width, 0.07 / height, "\n".join(lines), ha="left", va="bottom", fontsize=8, color="0.25")
    bottom, top = (0.155 * len(lines) + 0.15) / height, 1 - 0.36 / height
    if adjusted is None:
        figure.tight_layout(rect=(0, bottom, 1, top))
    else:
        figure.subplots_adjust(bottom=bottom + adjusted["below"] / height, top=top - adjusted["above"] / height)


def save(figure: Any, path: Path) -> None:
    """Writes the PNG beside the target and renames."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.", suffix=".png")
    os.close(handle)
    try:
        figure.savefig(name, dpi=DPI)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    finally:
        plt.close(figure)


def lighter(path: Path) -> None:
    """The PNG with 256 colours, a third of the size; the choice of colours that keeps rare ones, as of a colour bar."""
    with Image.open(path) as image:
        light = image.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    part = path.with_name(f".{path.name}.part")
    light.save(part, "PNG", optimize=True)
    os.replace(part, path)
