"""Putting a minted device's publication under the maker's account on a running hub's service."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from mathmesh.errors import StoreError
from mathmesh.schema.cataloged import CatalogedPublication
from mathmesh.stores import PUBLICATION
from meshclient.context import AccountContext
from meshclient.household import MAKER, open_account
from meshclient.unix_service import UnixService

SOCKET = "hub.sock"
COPIES = "factory"
"""Folder of the factory's own copies of the maker's stores: the hub's are open in the hub's process."""
LOCK = ".lock"


@asynccontextmanager
async def open_maker(data: Path) -> AsyncIterator[AccountContext]:
    """The maker's account of the hub whose data folder is `data`; the hub must be running.

    One factory at a time works on the copies; another one waits for its turn. Raises StoreError when there
    is no hub or no key file, and what `AccountContext.sync` raises.
    """
    copies = data / COPIES
    lock = await asyncio.to_thread(_take_turn, copies)
    try:
        service = UnixService(data / SOCKET)
        maker = await open_account(data, MAKER, service=service, copies=copies, entropy=os.urandom)
        try:
            yield maker
        finally:
            maker.close()
    finally:
        os.close(lock)


async def publish(maker: AccountContext, publications: Sequence[CatalogedPublication]) -> None:
    """Write the publications to MMM_Publication, all or none. Raises ServiceRefusal when the service
    refuses.
    """
    await maker.update(PUBLICATION, publications)


def _take_turn(copies: Path) -> int:
    if not copies.parent.is_dir():
        raise StoreError(f"There is no hub's data folder {copies.parent}: start the hub with `meshhub run`.")
    copies.mkdir(mode=0o700, exist_ok=True)
    lock = os.open(copies / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock
