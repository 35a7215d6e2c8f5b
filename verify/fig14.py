"""`python -m verify.fig14`: heads after pretraining and accuracy after finetuning, for two numbers of PT subjects."""

from __future__ import annotations

from typing import Any

from verify.diversity import command
from verify.diversity.plot14 import draw
from verify.diversity.rules14 import findings, judged
from verify.process import as_command

FIGURE = command.Figure("fig14", "Fig. 14: how many PT subjects", judged, findings, draw)


def check(preset: str = "quick", **options: Any) -> dict[str, Any]:
    """The record of a run; options as verify.diversity.command.check."""
    return command.check(FIGURE, preset, **options)


def committed() -> dict[str, Any]:
    """The record in results/fig14.  Raises FileNotFoundError where there is none."""
    return command.committed("fig14")


if __name__ == "__main__":
    as_command(lambda: command.main(FIGURE))
