"""How an entry point that trains networks ends: its record shown, or one line on stderr; and the exit status."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import torch
from rich.console import Console

from verify.arguments import one_line
from verify.progress import paged
from verify.setting import SettingError


def record_or_status(prog: str, make: Callable[[], dict[str, Any]], failed: type[Exception]) -> dict[str, Any] | int:
    """make(), on one thread; 2 for unusable input or a network that cannot be trained (`failed`), 130 for Ctrl-C."""
    torch.set_num_threads(1)
    try:
        return make()
    except (SettingError, failed, ValueError, OSError) as error:
        print(f"{prog}: {one_line(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{prog}: interrupted; trained networks are kept", file=sys.stderr)
        return 130


def judged(
    prog: str,
    make: Callable[[], dict[str, Any]],
    failed: type[Exception],
    show: Callable[[Console, dict[str, Any]], None],
    reproduced: str,
) -> int:
    """Makes the record and shows it; 0 for the verdict `reproduced`, 1 for another, else as `record_or_status`."""
    found = record_or_status(prog, make, failed)
    if isinstance(found, int):
        return found
    with paged(180) as console:
        show(console, found)
    return 0 if found["verdict"] == reproduced else 1
