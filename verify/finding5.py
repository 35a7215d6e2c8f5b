"""`python -m verify.finding5`: what layer-2 attention says of the context's type (Finding 5, Fig. 8, 16-18).

Exit status: 0 reproduced, 1 not reproduced, 2 unusable input, 130 interrupted; see verify.representations.command.
"""

from __future__ import annotations

from typing import Any

from verify.process import as_command
from verify.representations import command
from verify.representations import record as records


def check(preset: str = "quick") -> dict[str, Any]:
    """The record, computed now."""
    return command.check(preset)


def committed() -> dict[str, Any]:
    """The committed record.  Raises ValueError where there is none."""
    return records.committed()


if __name__ == "__main__":
    as_command(command.main)
