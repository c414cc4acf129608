"""What a machine keeps of an account that it is in or about to join: a file for its owner alone.

Of an account that it administers it holds the seeds, of one that it is connected to the device's own seed
and the CatalogedDevice, whose secrets only that seed opens. Written whole and at once, before anything
that depends on it. Like every key file it may be sealed by hardware (`keyrings.sealed`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from mathmesh.dare.content_meta import format_time, parse_time
from mathmesh.dare.envelope import Envelope
from mathmesh.errors import EncodingError, StoreError
from mathmesh.schema.cataloged import CatalogedDevice
from mathmesh.schema.mesh_object import MeshObject, parse
from meshclient.account_keys import AccountSeed, rights_end
from meshclient.keyrings import sealed
from meshclient.private_file import partial_of, read_private, write_private

VERSION = 1
ADMINISTRATOR, DEVICE, PENDING, PRECONFIGURED = "Administrator", "Device", "Pending", "Preconfigured"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextKeys:
    """The content of the file.

    `seeds` are there for ADMINISTRATOR; `entry` is the CatalogedDevice of a DEVICE, with its `digest`, or
    the CatalogedPending or CatalogedPreconfigured. `request` and `pin` are what a pending device sent and
    used. `complete` is false until an account that is being made is bound and has its stores; `moving` is
    what the account becomes at another service. `ended` is true once the service has said that this device
    was taken out of the account.
    """

    kind: str
    id: str
    address: str
    device_seed: str = field(repr=False)
    device_created: datetime
    local_name: str | None = None
    complete: bool = True
    seeds: AccountSeed | None = None
    entry: MeshObject | None = None
    digest: str | None = None
    request: Envelope | None = None
    pin: str | None = field(default=None, repr=False)
    claim: Envelope | None = None
    moving: AccountSeed | None = None
    ended: bool = False

    def has_ended(self, now: datetime) -> bool:
        """Whether this machine is in the account no more: taken out, or its rights were for a time."""
        if not isinstance(self.entry, CatalogedDevice) or self.kind != DEVICE:
            return False
        expires = rights_end(self.entry)
        return self.ended or (expires is not None and expires <= now)

    @property
    def connected(self) -> bool:
        """Whether the machine is a device of the account."""
        return self.kind in (ADMINISTRATOR, DEVICE)


class ContextFile:
    """A file at a path, and what was read from it."""

    def __init__(self, path: Path, keys: ContextKeys, protection: sealed.Protection | None = None) -> None:
        self.path = path
        self.keys = keys
        self._protection = protection

    @property
    def folder(self) -> Path:
        """The folder of the account on this machine."""
        return self.path.parent

    @classmethod
    def open(cls, path: Path) -> ContextFile:
        """Read a file.

        Raises StoreError when it is missing, when others than its owner may read it, or when it is damaged.
        """
        partial_of(path).unlink(missing_ok=True)
        content, protection = sealed.reveal(read_private(path, "key file"))
        try:
            return cls(path, decode_keys(json.loads(content)), protection)
        except (KeyError, TypeError, AttributeError, ValueError, EncodingError):
            raise StoreError(f"the key file {path} is damaged; restore it from the backup") from None

    @classmethod
    def create(cls, path: Path, keys: ContextKeys) -> ContextFile:
        """Write a new file; StoreError when there is one already."""
        if path.exists():
            raise StoreError(f"{path} exists; this machine is in the account already")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = cls(path, keys)
        made.save(keys)
        return made

    def save(self, keys: ContextKeys) -> None:
        """Replace the content, durably and at once."""
        content = json.dumps(encode_keys(keys), indent=2).encode() + b"\n"
        write_private(self.path, content if self._protection is None else self._protection.protect(content))
        self.keys = keys


def encode_keys(keys: ContextKeys) -> dict[str, Any]:
    """The JSON object of the file."""
    document: dict[str, Any] = {
        "Version": VERSION,
        "Kind": keys.kind,
        "Id": keys.id,
        "Address": keys.address,
        "LocalName": keys.local_name,
        "Complete": keys.complete,
        "DeviceSeed": keys.device_seed,
        "DeviceCreated": format_time(keys.device_created),
        "Digest": keys.digest,
        "Pin": keys.pin,
        "Ended": keys.ended or None,
        "Entry": keys.entry.to_json() if keys.entry is not None else None,
        "Request": keys.request.to_value() if keys.request is not None else None,
        "Claim": keys.claim.to_value() if keys.claim is not None else None,
    }
    document["Account"] = _encode_seeds(keys.seeds)
    document["Moving"] = _encode_seeds(keys.moving)
    return {name: value for name, value in document.items() if value is not None}


def _encode_seeds(seeds: AccountSeed | None) -> dict[str, Any] | None:
    if seeds is None:
        return None
    return {
        "Address": seeds.address,
        "Seed": seeds.seed,
        "Activation": seeds.activation,
        "Created": format_time(seeds.created),
        "ServiceUdf": seeds.service_udf,
        "Roles": list(seeds.roles),
        "Renewals": dict(seeds.renewals),
    }


def _decode_seeds(account: Mapping[str, Any] | None, document: Mapping[str, Any]) -> AccountSeed | None:
    if account is None:
        return None
    return AccountSeed(
        address=account["Address"],
        seed=account["Seed"],
        device_seed=document["DeviceSeed"],
        activation=account["Activation"],
        created=parse_time(account["Created"]),
        service_udf=account["ServiceUdf"],
        roles=tuple(account["Roles"]),
        renewals=dict(account["Renewals"]),
        device_created=parse_time(document["DeviceCreated"]),
    )


def decode_keys(document: Mapping[str, Any]) -> ContextKeys:
    """The content of the file from its JSON object."""
    if document["Version"] != VERSION:
        raise StoreError(f"the key file is of version {document['Version']}; this program reads {VERSION}")
    return ContextKeys(
        kind=document["Kind"],
        id=document["Id"],
        address=document["Address"],
        local_name=document.get("LocalName"),
        complete=bool(document["Complete"]),
        device_seed=document["DeviceSeed"],
        device_created=parse_time(document["DeviceCreated"]),
        seeds=_decode_seeds(document.get("Account"), document),
        moving=_decode_seeds(document.get("Moving"), document),
        entry=parse(document["Entry"]) if document.get("Entry") else None,
        digest=document.get("Digest"),
        request=Envelope.from_value(document["Request"]) if document.get("Request") else None,
        pin=document.get("Pin"),
        ended=bool(document.get("Ended")),
        claim=Envelope.from_value(document["Claim"]) if document.get("Claim") else None,
    )
