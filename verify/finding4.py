"""`python -m verify.finding4`: Finding 4, Figs. 6 and 7: what the data of pretraining change.

Exit status: 0 reproduced, 1 not reproduced, 2 unusable input, 130 interrupted; see verify.findings.command.
"""

from __future__ import annotations

from typing import Any

from verify.findings import command
from verify.findings import record as records
from verify.process import as_command

NAME = "finding4"


def check(preset: str = "quick") -> dict[str, Any]:
    """The record of the finding, computed now."""
    return command.check(NAME, preset)


def committed() -> dict[str, Any]:
    """The committed record.  Raises ValueError where there is none."""
    return records.committed(NAME)


if __name__ == "__main__":
    as_command(lambda: command.main(NAME))
