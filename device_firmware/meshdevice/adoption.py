"""Whom the device belongs to: FREE, PENDING or CLAIMED, and what an adopter gave, as one stored record.

Protocol book, "States of a device". PENDING and CLAIMED differ by one member, so that `commit` is one write.
"""

import json

from mathmesh.codec import b64
from meshdevice.storage import Pair

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FREE = "FREE"
PENDING = "PENDING"
CLAIMED = "CLAIMED"

_ACTS = 64
_ACT = 8
_KEYS = ("psk_run", "psk_repair", "own", "audf")


class Adoption:
    """The stored record, read at once.

    Members, all empty while FREE: psk_run, psk_repair, own (32 octets each), audf (64), acct (text), scalars
    (octets by name), topic_id (10), and secrets with wifi, hub, ca, mq, name as the adopter sent them.
    """

    def __init__(self, folder: str) -> None:
        self._pair = Pair(folder, "secrets")
        self._acts = Pair(folder, "acts")
        self._pair.finish_wipe()
        stored = self._pair.read()
        self.damaged = self._pair.damaged
        self._take(json.loads(stored) if stored else None)

    def hold(self, values: "dict[str, Any]") -> None:
        """Become PENDING with what the link hands over; raises StorageError and changes nothing then."""
        secrets = dict(values["secrets"])
        secrets["id"] = b64.encode(secrets["id"])
        record: dict[str, Any] = {
            "state": PENDING,
            "acct": values["acct"],
            "scalars": {name: b64.encode(value) for name, value in values["scalars"].items()},
            "secrets": secrets,
        }
        for name in _KEYS:
            record[name] = b64.encode(values[name])
        self._pair.write(json.dumps(record).encode())
        self._take(record)

    def claim(self) -> None:
        """PENDING becomes CLAIMED; raises StorageError and changes nothing then."""
        stored = self._pair.read()
        if self.state != PENDING or stored is None:
            return
        record = json.loads(stored)
        record["state"] = CLAIMED
        self._pair.write(json.dumps(record).encode())
        self.state = CLAIMED

    def acted(self, identifier: bytes) -> None:
        """Note the 8 octets of a one-shot command before it is acted on; StorageError: do not act."""
        kept = (self._acts.read() or b"") + identifier
        self._acts.write(kept[-_ACTS * _ACT :])

    def acts(self) -> list[bytes]:
        """The one-shot commands noted, at most 64, so that no reboot makes one act again."""
        kept = self._acts.read() or b""
        return [kept[i : i + _ACT] for i in range(0, len(kept), _ACT)]

    def wipe(self) -> None:
        """Overwrite all that an adopter gave; FREE afterwards."""
        self._pair.wipe()
        self._acts.wipe()
        self.damaged = False
        self._take(None)

    def _take(self, record: "dict[str, Any] | None") -> None:
        self.state: str = record["state"] if record else FREE
        octets = {name: b64.decode(record[name]) if record else b"" for name in _KEYS}
        self.psk_run = octets["psk_run"]
        self.psk_repair = octets["psk_repair"]
        self.own = octets["own"]
        self.audf = octets["audf"]
        self.acct: str = record["acct"] if record else ""
        self.secrets: dict[str, Any] = record["secrets"] if record else {}
        self.topic_id = b64.decode(self.secrets["id"]) if record else b""
        self.scalars = {name: b64.decode(text) for name, text in record["scalars"].items()} if record else {}
