"""The folder of a report: it appears whole or not at all, and never over something that is no report.

The files are written into a new folder beside the target, which is then renamed. A manifest names every file of the
report; a target whose files are not exactly those of a manifest (a few may be missing) is left alone.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

MANIFEST = "report.json"
SCHEMA = "contextual-recall-referee/report/1"


class ReportError(Exception):
    """A target that cannot be used; one line that says why and what would do."""


def checked(target: str | Path) -> Path:
    """The target as an absolute path. Raises ReportError unless it is free, empty, or an earlier report."""
    if not str(target).strip():
        # Path("") is the folder one stands in.
        raise ReportError(f"-o {str(target)!r}: must be the name of a folder")
    # Path.resolve raises for a link to itself.
    path = Path(os.path.realpath(target))
    if (path.exists() or path.is_symlink()) and not path.is_dir():
        raise ReportError(f"-o {target}: is a file; give the name of a folder")
    if not path.parent.is_dir():
        raise ReportError(f"-o {target}: the folder {path.parent} does not exist")
    try:
        # Tried: permissions say nothing of /proc, or of root.
        os.rmdir(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp"))
    except OSError as error:
        raise ReportError(f"-o {target}: the folder {path.parent} cannot be written to ({error.strerror})") from None
    if path.is_dir() and any(path.iterdir()):
        known = _manifest(path)
        if known is None:
            raise ReportError(f"-o {target}: is not empty and holds no earlier report; give a new or an empty folder")
        strange = sorted({str(f.relative_to(path)) for f in path.rglob("*") if not f.is_dir()} - known - {MANIFEST})
        if strange:
            raise ReportError(
                f"-o {target}: holds {strange[0]!r}, which the earlier report did not write; move it away, or give a new folder"
            )
    return path


def _manifest(path: Path) -> set[str] | None:
    try:
        found = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(found, dict) or found.get("schema") != SCHEMA or not isinstance(found.get("files"), list):
        return None
    return set(found["files"])


def replaced(target: str | Path, files: Mapping[str, str | bytes]) -> Path:
    """Write name -> text (names relative, with /) as the whole contents of the target. Raises ReportError as `checked`, OSError."""
    path = checked(target)
    fresh = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp"))
    old = fresh.with_suffix(".old")
    try:
        for name, content in files.items():
            file = fresh / name
            file.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                file.write_bytes(content)
            else:
                file.write_text(content, encoding="utf-8", newline="\n")
        manifest = {"schema": SCHEMA, "files": sorted(files)}
        (fresh / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8", newline="\n")
        fresh.chmod(0o755)
        if path.exists():
            path.rename(old)
        try:
            fresh.rename(path)
        except OSError:
            if old.exists():
                old.rename(path)
            raise
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    shutil.rmtree(old, ignore_errors=True)
    return path
