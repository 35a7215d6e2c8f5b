"""Training: every network once, in processes of one thread, shared by all findings; a stopped one goes on where it was.

    pretrained(config)                                   the folder of the pretrained network
    finetuned(config, kind, subjects=None, scratch=False)    of a finetuned one, pretrained first where it has to be
    train_all(networks)                                  all of them and what they start from, two at a time

numerics.gpt.load(folder) reads one.  A folder that another command is training in is waited for.
"""

import fcntl
import json
import multiprocessing
import os
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import torch

from numerics.gpt import RunConfig, finetune, pretrain
from numerics.training import PhaseConfig, Progress
from numerics.training.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from verify.findings.networks import FINISHED, RUNS, Network, folder_of, sources
from verify.output import write_json
from verify.workers import attended, leave_with_parent, started

Count = Callable[[int, int], None]
# Processes give way to whatever else runs.
NICE = 5


class RunError(RuntimeError):
    """A network could not be trained; the message is one line."""


def _often_kept(config: RunConfig) -> RunConfig:
    """The same run with a checkpoint after every tenth of a phase: what an interruption costs at most.  Decides no weight."""

    def kept(phase: PhaseConfig) -> PhaseConfig:
        return replace(phase, checkpoint_every=max(1, min(phase.checkpoint_every, phase.iterations // 10)))

    return replace(config, pretraining=kept(config.pretraining), finetuning=kept(config.finetuning))


def _kept(folder: Path) -> Checkpoint:
    """What the finished run in a folder left, after its moments were dropped, two thirds of the file: nothing goes on from there."""
    path = folder / "checkpoint.safetensors"
    found = read_checkpoint(path)
    tensors = {name: tensor for name, tensor in found.tensors.items() if not name.startswith("optimizer.")}
    if len(tensors) < len(found.tensors):
        write_checkpoint(path, tensors, found.metadata)
    return found


def _train(network: Network, folder: Path, start: Path | None, device: str, progress: Count | None) -> None:
    def shown(state: Progress) -> None:
        if progress is not None:
            progress(state.step, state.iterations)

    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / FINISHED).exists():
            return
        write_json(folder / "network.json", network.identity())
        # A phase of finetuning takes seconds on CUDA, a tenth of it as long as writing it down.
        config = network.config if torch.device(device).type == "cuda" else _often_kept(network.config)
        if network.kind == "pretraining":
            pretrain(config, folder, device, shown)
        else:
            own = config if network.objective is None else replace(config, loss=network.objective)
            if network.untied:
                own = replace(own, model=replace(own.model, tied=False))
            finetune(own, folder, start, network.kind, device, shown, subjects=network.subjects)
        checkpoint = _kept(folder)
        write_json(folder / FINISHED, {"revision": checkpoint.metadata["revision"], "iterations": checkpoint.step})


def ensured(
    network: Network, runs: Path = RUNS, device: str = "cpu", progress: Count | None = None, made_by: str | None = None
) -> Path:
    """The folder of the finished network; trains it, and first what it starts from, where they are not there."""
    made_by = sources() if made_by is None else made_by
    folder = folder_of(network, runs, made_by, device)
    if not (folder / FINISHED).exists():
        before = network.before
        start = None if before is None else ensured(before, runs, device, progress, made_by)
        _train(network, folder, start, device, progress)
    return folder


def pretrained(config: RunConfig, runs: Path = RUNS, device: str = "cpu", progress: Count | None = None) -> Path:
    """The folder of the pretrained network of a configuration."""
    return ensured(Network(config), runs, device, progress)


def finetuned(
    config: RunConfig,
    kind: str,
    subjects: Sequence[int] | None = None,
    scratch: bool = False,
    runs: Path = RUNS,
    device: str = "cpu",
    progress: Count | None = None,
) -> Path:
    """The folder of the network finetuned on 'icl' or 'icl+grm' sequences of the subjects (default the corpus's own)."""
    chosen = None if subjects is None else tuple(int(j) for j in subjects)
    return ensured(Network(config, kind, chosen, scratch), runs, device, progress)


def curve(folder: Path) -> list[dict[str, Any]]:
    """The evaluated steps of metrics.jsonl: [{step, pt: {exact, ..}, icl_seen: .., ..}]."""
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    return [{"step": line["step"], **line["evaluation"]} for line in lines if "evaluation" in line]


def _work(runs: Path, device: str, made_by: str, connection: Connection) -> None:
    """Trains one network after the other, as they are sent, until None is."""
    leave_with_parent()
    torch.set_num_threads(1)
    os.nice(NICE)
    try:
        while (network := connection.recv()) is not None:
            ensured(network, runs, device, lambda done, total: connection.send(("at", done)), made_by)
            connection.send(("done", 0))
    except BaseException as error:
        connection.send(("error", f"{type(error).__name__}: {' '.join(str(error).split())}"))
    finally:
        connection.close()


def with_starts(networks: Sequence[Network]) -> list[Network]:
    """The networks and what they start from, each once, what they start from first."""
    starts = [network.before for network in networks]
    return list(dict.fromkeys([*(start for start in starts if start is not None), *networks]))


class Pool:
    """So many worker processes, started when they are first needed, since importing torch takes seconds."""

    def __init__(self, count: int, runs: Path, device: str, made_by: str):
        self.count, self.arguments = count, (runs, device, made_by)
        self.context = multiprocessing.get_context("spawn")
        self.processes: dict[Connection, Any] = {}
        self.busy: dict[Connection, Network] = {}

    def free(self) -> int:
        """How many more networks can be trained at once."""
        return self.count - len(self.busy)

    def start(self, network: Network) -> None:
        """Hands the network to a free worker."""
        idle = [one for one in self.processes if one not in self.busy]
        if not idle:
            mine, theirs = self.context.Pipe()
            process = started(self.context.Process(target=_work, args=(*self.arguments, theirs), daemon=True))
            theirs.close()
            self.processes[mine] = process
            idle = [mine]
        idle[0].send(network)
        self.busy[idle[0]] = network

    def reports(self) -> list[tuple[Network, str, Any]]:
        """Waits for some.  ('at', iterations), ('done', 0) or ('error', a line)."""
        out = []
        for connection in wait(list(self.busy)):
            assert isinstance(connection, Connection)
            network = self.busy[connection]
            try:
                what, value = connection.recv()
            except EOFError:
                what, value = "error", "the process ended before it was done"
            if what != "at":
                del self.busy[connection]
            out.append((network, what, value))
        return out

    def close(self) -> None:
        """Ends the workers, at once."""
        for connection, process in self.processes.items():
            process.terminate()
            process.join()
            connection.close()


def _failed(network: Network, words: str) -> RunError:
    return RunError(f"{network.kind}, seed {network.config.model.seed}: {words}")


def train_all(
    networks: Sequence[Network],
    runs: Path = RUNS,
    processes: int = 2,
    device: str = "cpu",
    progress: Count | None = None,
) -> list[Path]:
    """The folders of the finished networks, as they stand.  progress(done, total) counts iterations.

    One process: this one.  Raises RunError if a network cannot be trained; the others are stopped then, as on Ctrl-C, and
    go on at the next call.
    """
    made_by = sources()
    wanted = with_starts(networks)
    whole = {network: network.phase.iterations for network in wanted}
    finished = {n for n in wanted if (folder_of(n, runs, made_by, device) / FINISHED).exists()}
    done = {n: whole[n] if n in finished else 0 for n in wanted}
    waiting = [n for n in wanted if n not in finished]

    def reached(network: Network, iterations: int) -> None:
        done[network] = iterations
        if progress is not None:
            progress(sum(done.values()), sum(whole.values()))

    if processes == 1:
        for network in waiting:

            def shown(now: int, total: int, network: Network = network) -> None:
                reached(network, now)

            try:
                ensured(network, runs, device, shown, made_by)
            except (ValueError, OSError, RuntimeError) as error:
                raise _failed(network, f"{type(error).__name__}: {' '.join(str(error).split())}") from error
            reached(network, whole[network])
        waiting = []
    with attended(), closing(Pool(processes, runs, device, made_by)) as pool:
        while waiting or pool.busy:
            ready = [n for n in waiting if n.before is None or n.before in finished]
            for network in ready[: pool.free()]:
                waiting.remove(network)
                pool.start(network)
            for network, what, value in pool.reports():
                if what == "error":
                    raise _failed(network, value)
                if what == "done":
                    finished.add(network)
                reached(network, whole[network] if what == "done" else value)
    return [folder_of(network, runs, made_by, device) for network in networks]
