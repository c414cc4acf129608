"""Putting a minted device's publication under the maker's account on a running hub's service."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from mathmesh.schema.cataloged import CatalogedPublication
from mathmesh.stores import PUBLICATION
from meshclient.context import AccountContext
from meshclient.household import MAKER, open_account
from meshclient.unix_service import UnixService

SOCKET = "hub.sock"
COPIES = "factory"
"""Folder of the factory's own copies of the maker's stores: the hub's are open in the hub's process."""


async def open_maker(data: Path) -> AccountContext:
    """The maker's account of the hub whose data folder is `data`; the hub must be running.

    Raises StoreError when there is no hub or no key file, and what `AccountContext.sync` raises.
    """
    service = UnixService(data / SOCKET)
    return await open_account(data, MAKER, service=service, copies=data / COPIES, entropy=os.urandom)


async def publish(maker: AccountContext, publications: Sequence[CatalogedPublication]) -> None:
    """Write the publications to MMM_Publication, all or none. Raises ServiceRefusal when the service
    refuses.
    """
    await maker.update(PUBLICATION, publications)
