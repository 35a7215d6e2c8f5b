"""How an entry point that trains networks ends where it makes no record: one line on stderr and the exit status."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import torch

from verify.arguments import one_line
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
        print(f"{prog}: interrupted, nothing written; trained networks are kept", file=sys.stderr)
        return 130
