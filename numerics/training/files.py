"""Files that are whole or absent, and the provenance written beside them."""

import json
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import torch


def write_atomically(path: Path, content: bytes) -> None:
    """The file with this content: at any moment, also after a power cut, the old one or the new one and nothing between."""
    beside = path.with_name(path.name + ".partial")
    with open(beside, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write_json(path: Path, value: Any) -> None:
    """A JSON file, atomically."""
    write_atomically(path, (json.dumps(value, indent=1) + "\n").encode())


def versions() -> dict[str, str]:
    """Of Python and the libraries that decide the numbers."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "safetensors": safetensors.__version__,
    }


def revision() -> str:
    """The git revision of this source, with '+' if tracked files differ from it; 'unknown' outside a checkout."""
    here = Path(__file__).resolve().parent
    try:
        found = [
            subprocess.run(["git", "-C", str(here), *command], capture_output=True, text=True, timeout=10, check=True)
            for command in (["rev-parse", "HEAD"], ["status", "--porcelain", "--untracked-files=no"])
        ]
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return found[0].stdout.strip() + ("+" if found[1].stdout.strip() else "")


class MetricsLog:
    """JSON lines that can be cut back to where a checkpoint was: `size` is the length in bytes."""

    def __init__(self, path: Path, size: int):
        """Opens the file cut to `size` bytes.  Raises ValueError if it is shorter, so that lines are missing."""
        self.path = path
        self.file = open(path, "ab")  # noqa: SIM115  closed by close()
        if self.file.tell() < size:
            found = self.file.tell()
            self.file.close()
            raise ValueError(f"{path} must be at least {size} bytes long, as its checkpoint says, got {found}")
        self.file.truncate(size)
        self.size = size

    def write(self, record: dict[str, Any]) -> None:
        """One line."""
        line = (json.dumps(record) + "\n").encode()
        self.file.write(line)
        self.file.flush()
        self.size += len(line)

    def settle(self) -> None:
        """Returns once the lines are on the disk."""
        self.file.flush()
        os.fsync(self.file.fileno())

    def close(self) -> None:
        """Closes the file."""
        self.file.close()


def read_metrics(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """The records of a metrics file."""
    return [json.loads(line) for line in Path(path).read_text().splitlines()]
