"""`python -m verify.prop1`: see verify.propositions."""

from __future__ import annotations

from collections.abc import Sequence

from verify import entry
from verify.evidence import Evidence
from verify.process import as_command
from verify.propositions import points
from verify.setting import Setting


def check(setting: Setting) -> list[Evidence]:
    """All evidence on the printed statements."""
    return entry.check(points()["prop1"], setting)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    return entry.main(points()["prop1"], arguments)


if __name__ == "__main__":
    as_command(main)
