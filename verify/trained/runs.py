"""Training and measuring the networks of a figure: two processes of one thread each, nothing finished done twice.

A network lives in <folder>/<hash>, the hash being of its configuration and of the sources that decide its weights, so that
a changed trainer trains anew.  A run that is stopped goes on where it was (numerics.training).  A network that another
command is training is waited for.
"""

import fcntl
import json
import multiprocessing
import os
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import torch

from numerics.training import Progress, pretrain_and_finetune
from numerics.training.checkpoint import read_checkpoint
from verify.output import write_json
from verify.trained.measured import Network, measured
from verify.trained.settings import Job
from verify.trained.trained import FINISHED, RUNS, Trained, finished, folder_of, measures_name, sources
from verify.workers import attended, leave_with_parent, started

# Iterations that measuring counts for in the progress: it takes about as long.
MEASURING_STEPS = 100


class RunError(RuntimeError):
    """A network could not be trained; the message is one line."""


def _length(job: Job) -> int:
    return job.config.pretraining.iterations + job.config.finetuning.iterations


def _work(job: Job, folder: Path, measures: str, size: int, connection: Connection) -> None:
    leave_with_parent()
    torch.set_num_threads(1)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with open(folder / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / FINISHED).exists():
                _train(job, folder, connection)
            if not (folder / measures).exists():
                write_json(folder / measures, measured(Network.of(finished(job, folder)), size))
        connection.send(("done", 0))
    except BaseException as error:
        connection.send(("error", f"{type(error).__name__}: {' '.join(str(error).split())}"))
    finally:
        connection.close()


def _train(job: Job, folder: Path, connection: Connection) -> None:
    before = job.config.pretraining.iterations

    def progress(state: Progress) -> None:
        connection.send(("at", state.step + (before if state.phase == "finetuning" else 0)))

    run = pretrain_and_finetune(job.config, folder, progress=progress, final_size=1024)
    checkpoint = read_checkpoint(folder / "finetuning" / "checkpoint.safetensors")
    seconds = sum(phase["seconds"] for phase in run.summary.values())
    write_json(folder / FINISHED, {"seconds": seconds, "revision": checkpoint.metadata["revision"]})


def train_all(
    jobs: Sequence[Job],
    size: int,
    runs: Path = RUNS,
    processes: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> list[tuple[Trained, dict[str, Any]]]:
    """The finished networks with what was measured on them (verify.trained.measured, `size` sequences), as the jobs stand.

    progress(done, total) counts iterations.  Raises RunError if one cannot be trained; the others are stopped then, as on
    Ctrl-C, and go on at the next call.
    """
    made_by, measures = sources(), measures_name(size)
    folders = [folder_of(job, runs, made_by) for job in jobs]
    whole = [_length(job) + MEASURING_STEPS for job in jobs]
    at = [total if (folder / measures).exists() else 0 for total, folder in zip(whole, folders, strict=True)]
    waiting = [i for i, (done, total) in enumerate(zip(at, whole, strict=True)) if done < total]
    context = multiprocessing.get_context("spawn")
    running: dict[Connection, tuple[int, Any]] = {}
    with attended():
        try:
            while waiting or running:
                while waiting and len(running) < processes:
                    i = waiting.pop(0)
                    mine, theirs = context.Pipe(duplex=False)
                    arguments = (jobs[i], folders[i], measures, size, theirs)
                    process = started(context.Process(target=_work, args=arguments, daemon=True))
                    theirs.close()
                    running[mine] = (i, process)
                for connection in wait(list(running)):
                    assert isinstance(connection, Connection)
                    i, process = running[connection]
                    try:
                        what, value = connection.recv()
                    except EOFError:
                        what, value = "error", "the process ended before it was done"
                    if what == "error":
                        raise RunError(f"variant {jobs[i].variant}, seed {jobs[i].seed}: {value}")
                    at[i] = whole[i] if what == "done" else value
                    if what == "done":
                        process.join()
                        connection.close()
                        del running[connection]
                    if progress is not None:
                        progress(sum(at), sum(whole))
        finally:
            for connection, (_, process) in running.items():
                process.terminate()
                process.join()
                connection.close()
    done = [finished(job, folder) for job, folder in zip(jobs, folders, strict=True)]
    return [(trained, json.loads((trained.folder / measures).read_text())) for trained in done]


def usable_processes() -> int:
    """Two, or one on a machine with a single core."""
    return min(2, os.cpu_count() or 1)
