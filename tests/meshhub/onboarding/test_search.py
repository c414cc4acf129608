"""Many addresses are tried at once: a silent one delays no other."""

import asyncio
from collections.abc import AsyncGenerator, Callable

from meshhub.onboarding.discovery import Address
from meshhub.onboarding.search import MOST, MOST_OF_A_HOST, Search


def address(host: int, port: int = 1) -> Address:
    return Address(host=f"10.0.0.{host}", port=port)


async def offered(*addresses: Address) -> AsyncGenerator[Address, None]:
    """These, again and again, as a hail brings them."""
    while True:
        for one in addresses:
            yield one
            await asyncio.sleep(0.001)


class Network:
    """Hosts of which one answers; the others take the connection and say nothing."""

    def __init__(self, right: Address | None = None) -> None:
        self.right = right
        self.open: list[Address] = []
        self.most = 0
        self.refused = 0

    async def attempt(self, at: Address, take: Callable[[str], bool]) -> None:
        self.open.append(at)
        self.most = max(self.most, len(self.open))
        try:
            if at == self.right:
                self.refused += not take(str(at))
                return
            await asyncio.sleep(10)
        finally:
            self.open.remove(at)


async def test_silent_liars_delay_nobody() -> None:
    network = Network(address(99))
    began = asyncio.get_running_loop().time()
    search = Search(offered(*(address(n) for n in range(10)), address(99)), network.attempt)
    assert await search.run(5) == str(address(99))
    assert asyncio.get_running_loop().time() - began < 1
    assert network.open == []


async def test_one_host_with_many_ports_keeps_no_other_out() -> None:
    network = Network(address(99))
    search = Search(offered(*(address(1, port) for port in range(1, 200)), address(99)), network.attempt)
    assert await search.run(5) == str(address(99))
    assert network.most <= MOST_OF_A_HOST + 1


async def test_no_more_than_so_many_at_once_and_none_twice() -> None:
    network = Network()
    search = Search(offered(*(address(n % 250, 1 + n // 250) for n in range(1000))), network.attempt)
    assert await search.run(0.3) is None
    assert network.most == MOST
    assert network.open == []


async def test_an_address_that_failed_is_tried_again() -> None:
    tries = 0

    async def attempt(_at: Address, take: Callable[[str], bool]) -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise ConnectionResetError
        take("found")

    assert await Search(offered(address(1)), attempt).run(5) == "found"
    assert tries == 3
