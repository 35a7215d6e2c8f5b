"""A trained network on the disk: where it is, and what it was made with."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from numerics.training import to_json
from verify.trained.settings import Job

ROOT = Path(__file__).resolve().parents[2]
RUNS = ROOT / ".verify-run" / "trained"
# The files that decide the weights, and those that decide what is measured on them.
SOURCES = (
    "numerics/world.py",
    "numerics/models/factored.py",
    "numerics/models/fast_*.py",
    "numerics/sampling/*.py",
    "numerics/training/config.py",
    "numerics/training/loop.py",
    "numerics/training/run.py",
    "verify/trained/choices.py",
)
MEASURING_SOURCES = (
    "numerics/measures/*.py",
    "numerics/training/attention.py",
    "numerics/training/evaluate.py",
    "verify/trained/heads.py",
    "verify/trained/measured.py",
)
FINISHED = "finished.json"


@dataclass(frozen=True)
class Trained:
    """A finished network; seconds are the trainer's, on one thread."""

    job: Job
    folder: Path
    revision: str
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """For the record of a figure."""
        return {
            "variant": self.job.variant,
            "seed": self.job.seed,
            "run": self.folder.name,
            "revision": self.revision,
            "seconds": round(self.seconds, 1),
        }


def sources(patterns: Iterable[str] = SOURCES) -> str:
    """A hash of the files."""
    found = hashlib.sha256()
    for pattern in patterns:
        for path in sorted(ROOT.glob(pattern)):
            found.update(path.name.encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


def folder_of(job: Job, runs: Path, made_by: str) -> Path:
    """Where the network of a job lives; made_by: sources()."""
    text = json.dumps({"config": to_json(job.config), "sources": made_by, "torch": torch.__version__}, sort_keys=True)
    return runs / hashlib.sha256(text.encode()).hexdigest()[:16]


def finished(job: Job, folder: Path) -> Trained:
    """The network of a folder that is finished."""
    said = json.loads((folder / FINISHED).read_text())
    return Trained(job, folder, said["revision"], said["seconds"])


def measures_name(size: int) -> str:
    """The file of measures on `size` sequences; another name when the code that measures has changed."""
    return f"measures-{size}-{sources(MEASURING_SOURCES)[:16]}.json"
