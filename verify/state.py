"""The files of unfinished runs, so that a run killed at any moment is resumed; any number of runs at once share the folder.

    STATE / <key of the source files> / run-… / <claim>.<reading>.json

Every run writes into a folder of its own, which it holds locked (flock: the system lets go of the lock however the process
ends) and which no other run touches. The folders that nobody holds are those of killed runs: later runs read them, and remove
from them what they have finished. Nothing else is ever removed but what other source files have left.
"""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import json
import os
import re
import shutil
import tempfile
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from verify.output import write_json
from verify.records import Record
from verify.setting import SettingError

ROOMS = ("theory", "numerics", "paper_checks", "verify")
Trial = tuple[str, str]  # (claim id, reading)
#: How often a folder that is not there is made again, and the seconds between: other runs remove it for milliseconds.
MOST_TURNS, TURN = 200, 0.005


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


def _opened(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """The only run that makes or removes folders in `folder`, which is made where it is missing. Held for milliseconds.

    Raises OSError where it cannot be made.
    """
    for turn in itertools.count(1):
        # At any point here the last of the other runs may remove it, or the folder that it lies in.
        try:
            with suppress(FileExistsError):
                folder.mkdir(parents=True)
            handle = _opened(folder)
        except FileNotFoundError:
            # What /proc says of a folder that cannot be made there as well.
            if turn == MOST_TURNS:
                raise
            time.sleep(TURN)
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if _same(handle, folder):
                yield
                return
        finally:
            os.close(handle)


def _same(handle: int, folder: Path) -> bool:
    """Whether what was opened as this folder is still what has its name."""
    try:
        return os.path.samestat(os.fstat(handle), os.stat(folder))
    except FileNotFoundError:
        return False


def _held(run: Path) -> bool:
    """Whether a process that still lives has the folder."""
    handle = _opened(run)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _removed(key: Path) -> None:
    """Removes what a key's killed runs have left (all of it if no run of it lives)."""
    runs = [run for run in key.iterdir() if run.is_dir() and not run.is_symlink()]
    held = [run for run in runs if _held(run)]
    for run in runs if held else [key]:
        if run not in held:
            shutil.rmtree(run, ignore_errors=True)


class State:
    """The files of one run, one per finished trial, and those that killed runs have left; fresh: without the latter.

    The folder holds nothing but folders named by source keys, and what is removed is removed from there alone. Raises
    SettingError, and removes nothing, for a folder that holds anything else, or that cannot be made or locked.
    """

    def __init__(self, folder: Path, fresh: bool = False) -> None:
        # Resolved: a link to nothing would be neither made nor found. (Path.resolve raises for a link to itself.)
        self.key = Path(os.path.realpath(folder)) / source_key()
        self.mine: set[Trial] = set()
        try:
            with _alone(self.key.parent):
                _refuse_others(folder)
                for old in self.key.parent.iterdir():
                    if fresh or old != self.key:
                        _removed(old)
                self.key.mkdir(exist_ok=True)
                self.left = [run for run in self.key.iterdir() if run.is_dir()]
                self.folder = Path(tempfile.mkdtemp(prefix="run-", dir=self.key))
                handle = _opened(self.folder)
                fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError as error:
            raise SettingError(
                f"--state {folder}: cannot be made or locked ({error.strerror}); give a folder in a writable one"
            ) from None
        if fresh:
            self.left = []
        self._release = weakref.finalize(self, os.close, handle)

    def _name(self, which: Trial) -> str:
        return f"{which[0].replace('/', '_')}.{which[1]}.json"

    def found(self, which: Trial) -> Record | None:
        """The finished trial, None if there is none that can be read."""
        for run in (self.folder, *self.left):
            with suppress(OSError, ValueError):
                one: Record = json.loads((run / self._name(which)).read_text(encoding="utf-8"))
                self.mine.add(which)
                return one
        return None

    def keep(self, which: Trial, one: Record) -> None:
        """Writes a finished trial; a folder removed by hand, or a full disk, costs the resuming and not the run."""
        self.mine.add(which)
        with suppress(OSError):
            write_json(self.folder / self._name(which), one)

    def release(self) -> None:
        """Leaves the files to later runs."""
        self._release()

    def clear(self) -> None:
        """Removes the run's own folder, its trials from those of killed runs, and every folder that is empty then."""
        top = self.key.parent
        # What cannot be removed stays for a later run, and costs this one nothing.
        with suppress(OSError), _alone(top):
            self.release()
            shutil.rmtree(self.folder, ignore_errors=True)
            for run in list(self.key.iterdir()) if self.key.is_dir() else []:
                if not run.is_dir() or run.is_symlink() or _held(run):
                    continue
                for which in self.mine:
                    (run / self._name(which)).unlink(missing_ok=True)
                with suppress(OSError):
                    run.rmdir()
            # The default state folder lies in one that networks are kept in as well.
            for empty in (self.key, top, *([top.parent] if top.parent.name == ".verify-run" else [])):
                with suppress(OSError):
                    empty.rmdir()


def _refuse_others(folder: Path) -> None:
    for old in folder.iterdir():
        if not (re.fullmatch(r"[0-9a-f]{16}", old.name) and old.is_dir() and not old.is_symlink()):
            raise SettingError(
                f"--state {folder}: holds {old.name}, which no earlier run has left; give a new folder, or an empty one"
            )
