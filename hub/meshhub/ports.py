"""Addresses and ports on this machine."""

from __future__ import annotations

import errno
import itertools
import socket

from meshhub.errors import HubError

TRIES = 32


def bindable(address: str, port: int) -> bool:
    """True when a TCP listener can be opened there now (SO_REUSEADDR, as the servers do)."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
            probe.listen(1)
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise HubError(f"cannot listen on {address}: {error.strerror}") from error
        return True


def any_free(address: str) -> int:
    """A port that the system says is free now."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


def choose(address: str, wish: int, *others: str) -> int:
    """A port that is free on the address and all `others`: the wished one, else a next one, else any.

    A wish of 0 means any.
    """
    wished = range(wish, min(wish + TRIES, 65536)) if wish else range(0)
    for port in itertools.chain(wished, (any_free(address) for _ in range(TRIES))):
        if all(bindable(each, port) for each in (address, *others)):
            return port
    raise HubError(f"no port is free on {address}")


def lan_address() -> str:
    """This machine's address on its default route, 127.0.0.1 when there is none. No packet is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])
