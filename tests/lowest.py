"""The oldest release of every dependency that pyproject.toml allows, as constraints for pip: `make lowest`.

torch is left out: its older releases have no build for processors alone in the package index, and none but the newest allowed
is tried.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

LEFT_OUT = ("torch",)
BOUND = re.compile(r"([A-Za-z0-9_.-]+)>=([0-9.]+)(,<=?[0-9.]+)?")


def lowest(project: dict) -> list[str]:
    """['sympy==1.13.3', ..], of what the project needs and of its extra dev.  Raises ValueError where no lower end is given."""
    needed = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    found = []
    for one in needed:
        bound = BOUND.fullmatch(one)
        if bound is None:
            raise ValueError(f"dependency {one!r}: must be name>=lower or name>=lower,<upper")
        if bound[1] not in LEFT_OUT:
            found.append(f"{bound[1]}=={bound[2]}")
    return found


if __name__ == "__main__":
    print("\n".join(lowest(tomllib.loads(Path(sys.argv[1]).read_text())["project"])))
