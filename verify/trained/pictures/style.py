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

COLOURS = {"subject": "#c44e52", "relation": "#4c72b0", "third": "#8c8c8c", "baseline": "#b9b9b9"}
MECHANISMS = {"suppressing": "#4c72b0", "boosting": "#dd8452", "unassociated": "#937860", "collapsed": "#b9b9b9"}
DPI = 120


def captioned(figure: Any, title: str, caption: str, width: int = 150, lines: float | None = None) -> None:
    """Title above, caption below, room kept for both; figures are laid out by hand with `rect` of tight_layout."""
    text = "\n".join(textwrap.wrap(caption, width))
    count = text.count("\n") + 1
    height = figure.get_size_inches()[1]
    figure.suptitle(title, x=0.01, y=0.995, ha="left", va="top", fontsize=11)
    figure.text(0.01, 0.008, text, ha="left", va="bottom", fontsize=8, color="0.25")
    figure.tight_layout(rect=(0, 0.17 * (count if lines is None else lines) / height + 0.012, 1, 1 - 0.28 / height))


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
