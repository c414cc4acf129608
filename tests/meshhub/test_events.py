import asyncio

from meshhub.events import DevicesChanged, Event, EventBus, Lost


def changed(number: int) -> DevicesChanged:
    return DevicesChanged(time=number, device=str(number), change="added")


async def test_every_subscriber_gets_every_event_in_order() -> None:
    bus = EventBus()
    with bus.subscribe() as one, bus.subscribe() as two:
        for number in range(3):
            bus.publish(changed(number))
        for subscription in (one, two):
            assert [(await subscription.next()).time for _ in range(3)] == [0, 1, 2]


async def test_a_waiting_subscriber_wakes() -> None:
    bus = EventBus()
    with bus.subscribe() as subscription:
        waiting = asyncio.create_task(subscription.next())
        await asyncio.sleep(0)
        bus.publish(changed(7))
        assert (await asyncio.wait_for(waiting, 1)).time == 7


async def test_a_slow_subscriber_loses_the_oldest_and_is_told() -> None:
    bus = EventBus()
    with bus.subscribe(2) as slow, bus.subscribe() as quick:
        for number in range(5):
            bus.publish(changed(number))
        first = await slow.next()
        assert isinstance(first, Lost)
        assert first.count == 3
        assert [(await slow.next()).time for _ in range(2)] == [3, 4]
        assert [(await quick.next()).time for _ in range(5)] == [0, 1, 2, 3, 4]


async def test_after_the_context_nothing_is_kept_and_close_ends_iteration() -> None:
    bus = EventBus()
    with bus.subscribe() as subscription:
        bus.publish(changed(1))
        bus.close()
        seen: list[Event] = [event async for event in subscription]
    bus.publish(changed(2))
    assert [event.time for event in seen] == [1]
