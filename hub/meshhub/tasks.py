"""Running something again and again until told to end, without missing that."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def outcome(work: Coroutine[Any, Any, None]) -> BaseException | None:
    """Run `work` to its end in a task of its own and return what it raised, None for nothing.

    When the caller is cancelled, `work` is cancelled and its end awaited, and the cancellation goes on. A
    library that raises its own error in place of the cancellation, and a task group that leaves its mark on
    the task, thus cannot make the caller's loop run for ever.
    """
    task = asyncio.create_task(work)
    try:
        await asyncio.wait({task})
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()
        raise
    return asyncio.CancelledError() if task.cancelled() else task.exception()


async def unbroken(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` to its end and return its result, also when the caller is cancelled meanwhile: the
    cancellation goes on after that end.
    """
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()
        raise
