"""Writing results: JSON files that appear whole or not at all, and what a result was made with."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import subprocess
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Any

#: Environment variable that names the revision where the code travelled without its history.
REVISION = "REFEREE_REVISION"
PACKAGES = ("sympy", "python-flint", "numpy", "scipy", "torch", "rich")


def write_json(path: str | Path, value: Any) -> None:
    """Write beside the target and rename: a reader sees the old file or the new one, never a part.

    A link is followed: the file it points to is replaced. Raises ValueError for numbers that are not finite, OSError where
    nothing can be written; the target is untouched then.
    """
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_text(path: str | Path, text: str) -> None:
    """The same for a text."""
    target = Path(path).resolve()
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(name, 0o644)
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that compute; what is not installed is left out, a network needs no balls."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def revision() -> str:
    """The git revision of the code, "-dirty" if it was changed; outside a checkout what REVISION says, else "unknown"."""
    here = Path(__file__).resolve().parent.parent
    try:
        head = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=True
        ).stdout.strip()
        changed = subprocess.run(
            ["git", "status", "--porcelain", "--untracked-files=no"],
            cwd=here,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return os.environ.get(REVISION, "").strip() or "unknown"
    return head + ("-dirty" if changed.strip() else "")
