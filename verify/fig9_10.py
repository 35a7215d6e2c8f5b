"""`python -m verify.fig9_10`: Figs. 9 and 10: the heads of the attention-only network after pretraining.

Exit status: 0 reproduced, 1 not reproduced, 2 unusable input, 130 interrupted; see verify.trained.command.
"""

from __future__ import annotations

from typing import Any

from verify.process import as_command
from verify.trained import command
from verify.trained import record as records

NAME = "fig9_10"


def check(preset: str = "quick") -> dict[str, Any]:
    """The record of the figure, computed now."""
    return command.check(NAME, preset)


def committed() -> dict[str, Any]:
    """The committed record.  Raises ValueError where there is none."""
    return records.committed(NAME)


if __name__ == "__main__":
    as_command(lambda: command.main(NAME))
