"""`python -m verify.fig13`: accuracy on held-out queries against the number of unique attributes seen in finetuning."""

from __future__ import annotations

from typing import Any

from verify.diversity import command
from verify.diversity.plot13 import draw
from verify.diversity.rules13 import findings, judged
from verify.process import as_command

FIGURE = command.Figure("fig13", "Fig. 13: unique attributes seen in finetuning", judged, findings, draw)


def check(preset: str = "quick", **options: Any) -> dict[str, Any]:
    """The record of a run; options as verify.diversity.command.check."""
    return command.check(FIGURE, preset, **options)


def committed() -> dict[str, Any]:
    """The record in results/fig13.  Raises FileNotFoundError where there is none."""
    return command.committed("fig13")


if __name__ == "__main__":
    as_command(lambda: command.main(FIGURE))
