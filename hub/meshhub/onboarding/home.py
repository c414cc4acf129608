"""What an adoption needs of the home it adds a device to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from mathmesh.schema.cataloged import CatalogedDevice
from meshclient.context import AccountContext


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerAccount:
    """User name and password of one device at the broker, drawn anew for each adoption."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Everything that makes a device one of the home; the keys (32 octets each) are those of the finished
    handshake.

    `account_udf` and `device_udf` are 64 octets (`udf_bytes`), `topic_id` 10.
    """

    cataloged: CatalogedDevice
    claim_message_id: str
    publication_id: str
    udf: str
    device_udf: bytes
    topic_id: bytes
    broker: BrokerAccount
    psk_run: bytes = field(repr=False)
    psk_repair: bytes = field(repr=False)
    own: bytes = field(repr=False)


class Home(Protocol):
    """Implemented by the hub; see `meshhub.admission`."""

    @property
    def account(self) -> AccountContext:
        """The household's account, as its administrator."""

    def name_of(self, udf: str) -> str | None:
        """Place and name of the active device with this UDF, else None."""

    def was_removed(self, udf: str) -> bool:
        """Whether this UDF has been in the home and was forgotten or revoked."""

    def broker_addresses(self) -> list[str]:
        """`mqtt://host:port` of the broker as the device can reach it, best first."""

    def networks(self) -> list[list[str]]:
        """[[ssid, passphrase]] of the home's Wi-Fi networks; empty where none is known."""

    def propose_name(self, kind: str) -> str:
        """A friendly name that is still free, made from the kind of the device."""

    async def admit(self, admission: Admission) -> None:
        """Make it durable everywhere (catalog, access, link secrets, broker account); raises and leaves
        nothing.
        """

    async def withdraw(self, udf: str) -> None:
        """Undo `admit`: the device never came."""

    async def first_session(self, udf: str) -> None:
        """Return once the device has a confirmed session over the broker."""
