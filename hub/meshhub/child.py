"""Child processes that end when the hub ends, whatever ends it."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

PR_SET_PDEATHSIG = 1


def child_arguments(number: signal.Signals = signal.SIGTERM) -> dict[str, Any]:
    """Keyword arguments for `subprocess` and `asyncio.create_subprocess_exec`.

    The child gets `number` from the kernel when the thread that started it ends, and a process group of its
    own, so that Ctrl-C reaches the hub only and the hub ends its children in order.
    """
    return {"start_new_session": True, "preexec_fn": _die_with(os.getpid(), number)}


def _die_with(parent: int, number: signal.Signals) -> Callable[[], None] | None:
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def before_exec() -> None:
        prctl(PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:  # the hub ended between fork and prctl
            os._exit(1)

    return before_exec
