"""Whom the device belongs to: FREE, PENDING or CLAIMED, and what an adopter gave, as one stored record.

Protocol book, "States of a device". PENDING and CLAIMED differ by one member, so that `commit` is one write.
"""

import json

from mathmesh.codec import b64
from meshdevice.storage import Pair

FREE = "FREE"
PENDING = "PENDING"
CLAIMED = "CLAIMED"

_KEYS = ("psk_run", "psk_repair", "own", "audf")


class Adoption:
    """The stored record, read at once.

    Members, all None while FREE: psk_run, psk_repair, own (32 octets each), audf (64), acct (text), scalars
    (octets by name), topic_id (10), and secrets with wifi, hub, ca, mq, name as the adopter sent them.
    """

    def __init__(self, folder: str) -> None:
        self._pair = Pair(folder, "secrets")
        self._pair.finish_wipe()
        stored = self._pair.read()
        self.damaged = self._pair.damaged
        self._take(json.loads(stored) if stored else None)

    def hold(self, values: dict) -> None:
        """Become PENDING with what the link hands over; raises StorageError and changes nothing then."""
        record = {name: b64.encode(values[name]) for name in _KEYS}
        record["state"] = PENDING
        record["acct"] = values["acct"]
        record["scalars"] = {name: b64.encode(value) for name, value in values["scalars"].items()}
        secrets = dict(values["secrets"])
        topic_id = secrets["id"]
        secrets["id"] = topic_id if isinstance(topic_id, str) else b64.encode(topic_id)
        record["secrets"] = secrets
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

    def wipe(self) -> None:
        """Overwrite all that an adopter gave; FREE afterwards."""
        self._pair.wipe()
        self.damaged = False
        self._take(None)

    def _take(self, record: dict | None) -> None:
        self.state = record["state"] if record else FREE
        for name in _KEYS:
            setattr(self, name, b64.decode(record[name]) if record else None)
        self.acct = record["acct"] if record else None
        self.secrets = record["secrets"] if record else None
        self.topic_id = b64.decode(record["secrets"]["id"]) if record else None
        self.scalars = (
            {name: b64.decode(text) for name, text in record["scalars"].items()} if record else None
        )
