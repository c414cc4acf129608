"""Who the device is: what the factory wrote, read once at start and never changed by the device.

The record `identity` (see storage) holds one JSON object; octets are base64url without padding.
It has neither the profile's seed nor the secret of the label. Protocol book, "Identity of a device".
"""

import json

from mathmesh.codec import b64
from mathmesh.errors import EncodingError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_OCTETS = {
    "udf": 64,
    "enc": 56,
    "auth": 56,
    "auth_pub": 57,
    "sign": 57,
    "sign_prefix": 57,
    "psk_on": 32,
    "maker_key": 57,
    "pool": 32,
}
_TEXTS = ("kind", "model", "serial", "pid", "svc", "dev", "pass", "maker")


class IdentityError(ValueError):
    """The record is absent, damaged or incomplete; the unit has to go back to the factory."""


class Identity:
    """Members as in the record.

    Octets: udf, enc, auth, auth_pub, sign, sign_prefix, psk_on, maker_key, pool.
    Text: kind, model, serial, pid, svc, dev, passphrase, maker.
    """

    def __init__(self, record: "dict[str, Any]") -> None:
        self.kind = record["kind"]
        self.model = record["model"]
        self.serial = record["serial"]
        self.udf = record["udf"]
        self.pid = record["pid"]
        self.enc = record["enc"]
        self.auth = record["auth"]
        self.auth_pub = record["auth_pub"]
        self.sign = record["sign"]
        self.sign_prefix = record["sign_prefix"]
        self.svc = record["svc"]
        self.dev = record["dev"]
        self.psk_on = record["psk_on"]
        self.passphrase = record["pass"]
        self.maker = record["maker"]
        self.maker_key = record["maker_key"]
        self.pool = record["pool"]


def parse(data: bytes | None) -> Identity:
    """The identity in the octets of a record; raises IdentityError naming the member at fault."""
    if not data:
        raise IdentityError("no identity on this unit: write one with meshfactory")
    try:
        record = json.loads(data)
    except ValueError:
        raise IdentityError("the identity is not JSON: write it again with meshfactory") from None
    if not isinstance(record, dict) or record.get("v") != 1:
        raise IdentityError("the identity has a version that this firmware does not know")
    for name in _TEXTS:
        if not isinstance(record.get(name), str):
            raise IdentityError("the identity lacks " + name)
    for name, size in _OCTETS.items():
        record[name] = _octets(record.get(name), name, size)
    return Identity(record)


def _octets(text: object, name: str, size: int) -> bytes:
    if not isinstance(text, str):
        raise IdentityError("the identity lacks " + name)
    try:
        data = b64.decode(text)
    except EncodingError:
        raise IdentityError("the identity's " + name + " is not base64url") from None
    if len(data) != size:
        raise IdentityError("the identity's " + name + " has not " + str(size) + " octets")
    return data
