import asyncio

import pytest

from meshhub.tasks import outcome


async def works() -> None:
    await asyncio.sleep(0)


async def fails() -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(broken())


async def broken() -> None:
    await asyncio.sleep(0)
    raise ValueError("broken")


async def hides_its_cancellation() -> None:
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        raise OSError("connection lost") from None


async def test_what_it_raised_is_returned() -> None:
    assert await outcome(works()) is None
    error = await outcome(fails())
    assert isinstance(error, ExceptionGroup)
    assert isinstance(await outcome(cancels_itself()), asyncio.CancelledError)


async def cancels_itself() -> None:
    raise asyncio.CancelledError


async def test_a_loop_ends_when_it_is_told_to() -> None:
    rounds = 0

    async def loop() -> None:
        nonlocal rounds
        while True:
            rounds += 1
            await outcome(fails() if rounds < 3 else hides_its_cancellation())

    task = asyncio.create_task(loop())
    await asyncio.sleep(0.05)
    assert rounds == 3
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 1)
