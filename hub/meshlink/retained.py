"""A session over deep sleep (protocol book, "Deep sleep"): what stays in a board's retained memory.

    sid(4) || send key(32) || receive key(32) || highest received + 1(4) || window(8) || next counter(4) ||
    agreed at, ms(8) || hub's time less own, ms(8, 0 if not known) || boot(4) || try(4) || ring's next s(4) ||
    SHA-256 of all that(32)

It is used only after a deep-sleep reset and while its hash is right. Anything else is a cold boot.
"""

from meshlink.hkdf import equal
from meshlink.session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from meshlink.suite import Suite

SIZE = 144

_HASH = 32


class Retained:
    """What was kept: session, origin (None if not known), boot, try_number, next_s."""

    def __init__(self, session: Session, origin: int | None, boot: int, try_number: int, next_s: int) -> None:
        self.session = session
        self.origin = origin
        self.boot = boot
        self.try_number = try_number
        self.next_s = next_s


def pack(suite: "Suite", kept: Retained) -> bytes:
    """The octets to keep, 144."""
    numbers = (kept.boot, kept.try_number, kept.next_s)
    octets = kept.session.state() + (kept.origin or 0).to_bytes(8, "big")
    octets += b"".join([number.to_bytes(4, "big") for number in numbers])
    return octets + suite.sha256(octets)


def unpack(suite: "Suite", octets: bytes) -> Retained | None:
    """What was kept, None when the memory holds something else."""
    if len(octets) != SIZE or not equal(suite.sha256(octets[:-_HASH]), octets[-_HASH:]):
        return None
    numbers = [int.from_bytes(octets[at : at + 4], "big") for at in (100, 104, 108)]
    origin = int.from_bytes(octets[92:100], "big") or None
    return Retained(Session.from_state(suite, octets[:92]), origin, numbers[0], numbers[1], numbers[2])
