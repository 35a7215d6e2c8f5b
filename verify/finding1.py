"""`python -m verify.finding1`: Finding 1 and Fig. 2: pretraining alone does not give contextual recall.

Exit status: 0 reproduced, 1 not reproduced, 2 unusable input, 130 interrupted; see verify.findings.command.
"""

from __future__ import annotations

from typing import Any

from verify.findings import command
from verify.findings import record as records
from verify.process import as_command

NAME = "finding1"


def check(preset: str = "quick") -> dict[str, Any]:
    """The record of the finding, computed now."""
    return command.check(NAME, preset)


def committed() -> dict[str, Any]:
    """The committed record.  Raises ValueError where there is none."""
    return records.committed(NAME)


if __name__ == "__main__":
    as_command(lambda: command.main(NAME))
