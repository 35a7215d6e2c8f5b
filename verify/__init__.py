"""The court: runs the witnesses at chosen settings, compares what they say with what is printed, gives verdicts."""

import os
import signal
import sys
from types import FrameType


def _command() -> str | None:
    """The command that this process is being started for, None where the package is imported by anything else.

    Python sets sys.argv[0] to "-m" while it looks for the module, which is when it imports this package.
    """
    if sys.argv[:1] != ["-m"]:
        return None
    # What is after the interpreter's own options: "-m module arguments", or "-mmodule arguments".
    module = sys.orig_argv[-len(sys.argv)].removeprefix("-m")
    return f"python -m {module}" if module.split(".")[0] == "verify" else None


def _quiet_start(command: str) -> None:
    """Ctrl-C while modules are imported, which takes seconds: one line, and none of their tracebacks.

    Until verify.process.as_command takes over; nothing has been begun by then.
    """

    def ended(number: int, frame: FrameType | None) -> None:
        try:
            os.write(2, f"{command}: interrupted\n".encode())
        finally:
            os._exit(130)

    # Left alone where it is ignored, as in the background of a script.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, ended)


if (_name := _command()) is not None:
    _quiet_start(_name)
