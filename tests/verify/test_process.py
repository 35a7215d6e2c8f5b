"""How a command begins and ends as a process: Ctrl-C while modules are imported, standard output that takes nothing, workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from verify import process
from verify.progress import paged

ROOT = Path(process.__file__).parents[1]
# Stands in for a module that takes long to import, at the moment of a Ctrl-C.
SLOW = "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(20)\n"


def environment(*folders: Path) -> dict[str, str]:
    # Buffered, as it is unless somebody says otherwise: what does not fit shows at the end then.
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONUNBUFFERED", "COLUMNS")}
    return {**kept, "PYTHONPATH": os.pathsep.join(map(str, (*folders, ROOT)))}


@pytest.mark.parametrize("module", ["verify", "verify.theorem1", "verify.finding1", "verify.fig13", "verify.prop1"])
def test_an_interrupt_of_the_start_is_one_line(tmp_path, module):
    (tmp_path / "torch.py").write_text(SLOW, encoding="utf-8")
    command = [sys.executable, "-m", module]
    done = subprocess.run(command, env=environment(tmp_path), capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", f"python -m {module}: interrupted\n")


@pytest.mark.parametrize("command", [["-c", "import package"], ["-m", "package.tool"]])
def test_an_importer_keeps_its_handler(tmp_path, command):
    """Also where the package is imported by another command's own package, as `python -m` looks for it."""
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text(
        "import signal, verify\nassert signal.getsignal(signal.SIGINT) is signal.default_int_handler\n",
        encoding="utf-8",
    )
    (tmp_path / "package" / "tool.py").touch()
    assert subprocess.run([sys.executable, *command], env=environment(tmp_path), timeout=60).returncode == 0


COMMAND = """
import sys
from verify.process import as_command
from verify.progress import paged

def main():
    if sys.argv[1] == "help":
        print("usage")
        raise SystemExit(0)
    if sys.argv[1] == "interrupt":
        raise KeyboardInterrupt
    with paged() as console:
        for _ in range(300):
            console.print("x" * 100)
    return 3

as_command(main)
"""


def ended(what: str, stdout) -> tuple[int, str]:
    command = [sys.executable, "-c", COMMAND, what]
    done = subprocess.run(command, env=environment(), stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=60)
    return done.returncode, done.stderr


@pytest.mark.parametrize("what", ["show", "help"])
def test_a_full_standard_output_is_one_line(what):
    with open("/dev/full", "w") as full:
        assert ended(what, full) == (2, "python -m verify: standard output: No space left on device\n")


@pytest.mark.parametrize(("what", "status"), [("show", 3), ("help", 0)])
def test_a_reader_that_has_gone_changes_nothing(what, status):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        assert ended(what, writing) == (status, "")
    finally:
        os.close(writing)


def test_no_standard_output_changes_nothing():
    command = f"exec {sys.executable} -c '{COMMAND}' show >&-"
    done = subprocess.run(["sh", "-c", command], env=environment(), stderr=subprocess.PIPE, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (3, "")


def test_an_interrupt_that_main_does_not_expect_is_one_line():
    assert ended("interrupt", subprocess.PIPE) == (130, "python -m verify: interrupted\n")


@pytest.mark.parametrize(("columns", "width"), [("40", 40), ("", 150), ("many", 150), ("0", 150)])
def test_the_environment_decides_the_width(monkeypatch, capsys, columns, width):
    monkeypatch.setenv("COLUMNS", columns)
    with paged() as console:
        assert console.width == width


# A worker of a script whose import takes a while, as a real one's does.
WORKERS = """
import sys, time
from multiprocessing import get_context
from verify.workers import attended, leave_with_parent, started
if __name__ != "__main__":
    print("starting", flush=True)
    time.sleep(0.5)

def work():
    leave_with_parent()
    print("ready", flush=True)
    time.sleep(60)

if __name__ == "__main__":
    with attended():
        worker = started(get_context("spawn").Process(target=work, daemon=True))
        try:
            worker.join()
        except KeyboardInterrupt:
            sys.exit(130)
        finally:
            worker.terminate()
            worker.join()
"""


def session(leader: int) -> list[str]:
    """The processes of a session that still run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[3] == str(leader) and fields[0] != "Z":
            found.append(stat.parent.name)
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked for in /proc")
@pytest.mark.parametrize(
    ("number", "all_of_them", "when", "status"),
    [
        (signal.SIGINT, True, "starting", 130),
        (signal.SIGINT, True, "ready", 130),
        (signal.SIGTERM, False, "ready", 143),
        (signal.SIGKILL, False, "ready", -9),
        (signal.SIGKILL, False, "starting", -9),
    ],
)
def test_no_worker_outlives_its_parent(tmp_path, number, all_of_them, when, status):
    """Nor does one print anything: a terminal sends Ctrl-C to all of them, also while they are being imported."""
    script = tmp_path / "script.py"
    script.write_text(WORKERS, encoding="utf-8")
    made = subprocess.Popen(
        [sys.executable, str(script)],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert made.stdout is not None and made.stderr is not None
    while made.stdout.readline().strip() != when:
        assert made.poll() is None
    (os.killpg if all_of_them else os.kill)(made.pid, number)
    assert made.wait(timeout=30) == status
    deadline = time.monotonic() + 30
    while session(made.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert session(made.pid) == []
    assert made.stderr.read() == ""
    made.stdout.close()
    made.stderr.close()
