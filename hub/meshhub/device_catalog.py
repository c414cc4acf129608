"""The Device catalog of an account, as the registry uses it."""

from __future__ import annotations

from collections.abc import Mapping

from mathmesh.schema.cataloged import CatalogedDevice
from mathmesh.schema.mesh_object import MeshObject
from meshclient.context import AccountContext
from meshhub.registry import CATALOG


class AccountDevices:
    """The registry's `DeviceCatalog` over an account."""

    def __init__(self, account: AccountContext) -> None:
        self._account = account

    def entries(self) -> Mapping[str, MeshObject]:
        """Entries of the Device catalog by primary key."""
        return self._account.catalog(CATALOG).entries()

    async def write(self, entry: CatalogedDevice) -> None:
        """Write an entry; durable when this returns."""
        await self._account.update(CATALOG, [entry])
