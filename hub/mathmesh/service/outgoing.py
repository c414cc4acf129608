"""Messages that wait for the services of their recipients: the queue, as its own sequence says it.

An entry names the frames of the sender's Outbound spool that are to be delivered, and to whom. All entries
are encrypted to the host's key.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mathmesh.codec import jsonbcd
from mathmesh.dare.content_meta import format_time, parse_time
from mathmesh.dare.envelope import Envelope, seal
from mathmesh.errors import EncodingError, StoreError
from mathmesh.keys.pair import PublicKey
from mathmesh.types import Entropy

OUTGOING_STORE = "Outgoing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """Messages of one transaction that wait for one domain.

    They are the `count` frames from `index` of the Outbound spool of the account with the UDF `folder`, for
    the accounts `to`; `profile` is the sender's at that time.
    """

    id: str
    folder: str
    index: int
    count: int
    to: tuple[str, ...]
    queued: datetime
    profile: Envelope

    @property
    def domain(self) -> str:
        """The domain of the recipients."""
        return domain_of(self.to[0])

    def sealed(self, recipient: PublicKey, entropy: Entropy) -> Envelope:
        """The entry for the queue; of entries with one id the last counts."""
        members = {
            "Id": self.id,
            "Folder": self.folder,
            "Index": self.index,
            "Count": self.count,
            "To": list(self.to),
            "Queued": format_time(self.queued),
            "Profile": self.profile.to_value(),
        }
        return seal(jsonbcd.dumps(members), entropy=entropy, recipients=[recipient])


def settled(post_id: str, recipient: PublicKey, entropy: Entropy) -> Envelope:
    """The entry that takes another one out of the queue."""
    return seal(jsonbcd.dumps({"Id": post_id}), entropy=entropy, recipients=[recipient])


@dataclass(slots=True)
class OutgoingQueue:
    """Fold of the queue's sequence."""

    waiting: dict[str, Outgoing] = field(default_factory=dict)

    def apply(self, plaintext: bytes) -> None:
        """Take in one entry. Raises StoreError for what is none."""
        try:
            members: Any = jsonbcd.loads(plaintext)
            post_id = str(members["Id"])
            if len(members) == 1:
                self.waiting.pop(post_id, None)
                return
            self.waiting[post_id] = Outgoing(
                id=post_id,
                folder=str(members["Folder"]),
                index=int(members["Index"]),
                count=int(members["Count"]),
                to=tuple(str(one) for one in members["To"]),
                queued=parse_time(members["Queued"]),
                profile=Envelope.from_value(members["Profile"]),
            )
        except (KeyError, TypeError, ValueError, EncodingError) as error:
            raise StoreError(f"the queue of messages cannot be read: {error}") from error


def by_domain(addresses: Iterable[str]) -> Sequence[tuple[str, ...]]:
    """The addresses, those of one domain together."""
    found: dict[str, list[str]] = {}
    for address in addresses:
        found.setdefault(domain_of(address), []).append(address)
    return [tuple(one) for one in found.values()]


def domain_of(address: str) -> str:
    """The domain of an account address, in lower case."""
    return address.rpartition("@")[2].lower()
