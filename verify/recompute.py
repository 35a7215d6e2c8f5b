"""Recomputing verdicts: in parallel, with a bar, and resumable after a kill at any moment.

Each finished trial is written at once, atomically, to a file of its own in the state folder, under a key that hashes every
source file of the four rooms. A run that finds such files goes on from them; a finished run removes them; a changed source
file makes them useless, and they are removed.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import suppress
from functools import cache
from multiprocessing import get_context
from pathlib import Path

from numerics.world import World
from verify.court import Court
from verify.docket import entries, tried
from verify.output import write_json
from verify.records import Record, record
from verify.setting import Setting, SettingError

READINGS = ("set", "literal")
ROOMS = ("theory", "numerics", "paper_checks", "verify")
Trial = tuple[str, str]  # (claim id, reading)


@cache
def court(reading: str) -> Court:
    """The bench in one reading, at the paper's setting."""
    setting = Setting(M=256, L=8, U=(32,) * 8, M_ft=128, reading=reading)
    return Court(setting, World.balanced(256, 8, 32, 128))


def source_key() -> str:
    """Hash of every Python file of the rooms and of the committed records: what the numbers depend on."""
    here, digest = Path(__file__).resolve().parent.parent, hashlib.sha256()
    for room in ROOMS:
        paths = sorted((here / room).rglob("*.py"))
        if room == "verify":
            paths += sorted((here / "results").rglob("*.json"))
        for path in paths:
            digest.update(str(path.relative_to(here)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def trial(which: Trial) -> Record:
    """One claim in one reading, mutants included."""
    name, reading = which
    return record(tried(entries()[name], court(reading)), reading)


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


class State:
    """The files of an unfinished run: one per finished trial.

    The folder holds nothing but folders named by source keys, and what is removed is removed from there alone. Raises
    SettingError, and removes nothing, for a folder that holds anything else, or that cannot be made.
    """

    def __init__(self, folder: Path, fresh: bool = False) -> None:
        self.folder = folder / source_key()
        olds = list(folder.iterdir()) if folder.is_dir() else []
        for old in olds:
            if not (re.fullmatch(r"[0-9a-f]{16}", old.name) and old.is_dir() and not old.is_symlink()):
                raise SettingError(
                    f"--state {folder}: holds {old.name}, which no earlier run has left; give a new folder, or an empty one"
                )
        for old in olds:
            if fresh or old != self.folder:
                shutil.rmtree(old, ignore_errors=True)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingError(
                f"--state {folder}: cannot be made ({error.strerror}); give a folder in a writable one"
            ) from None

    def _path(self, which: Trial) -> Path:
        return self.folder / f"{which[0].replace('/', '_')}.{which[1]}.json"

    def found(self, which: Trial) -> Record | None:
        """The finished trial, None if there is none that can be read."""
        try:
            return json.loads(self._path(which).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def keep(self, which: Trial, one: Record) -> None:
        write_json(self._path(which), one)

    def clear(self) -> None:
        """Removes the run's own files, and the folder if nothing else is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        with suppress(OSError):
            self.folder.parent.rmdir()
            # The default state folder lies in one that networks are kept in as well.
            if self.folder.parent.parent.name == ".verify-run":
                self.folder.parent.parent.rmdir()


def recompute(
    trials: Sequence[Trial], jobs: int, state: State, advance: Callable[[Trial, bool], None]
) -> dict[Trial, Record]:
    """Every trial's record; advance(trial, resumed) is called as each becomes known. Cost: about 0.5 s a trial."""
    known: dict[Trial, Record] = {}
    for which in trials:
        earlier = state.found(which)
        if earlier is not None:
            known[which] = earlier
            advance(which, True)
    missing = [which for which in trials if which not in known]
    for which, one in _computed(missing, jobs):
        state.keep(which, one)
        known[which] = one
        advance(which, False)
    return {which: known[which] for which in trials}


def _computed(missing: Sequence[Trial], jobs: int) -> Iterable[tuple[Trial, Record]]:
    if jobs <= 1 or len(missing) <= 1:
        for which in missing:
            yield which, trial(which)
        return
    # Claims of one reading share worlds, so a worker gets neighbours: contiguous chunks, a few per worker.
    size = max(1, len(missing) // (4 * jobs))
    chunks = [list(missing[i : i + size]) for i in range(0, len(missing), size)]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_one_thread) as pool:
        futures = {pool.submit(_chunk, chunk): chunk for chunk in chunks}
        try:
            for future in as_completed(futures):
                yield from zip(futures[future], future.result(), strict=True)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _chunk(chunk: list[Trial]) -> list[Record]:
    return [trial(which) for which in chunk]
