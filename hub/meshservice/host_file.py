"""A host's own seed and what the service granted it: one file for its owner alone.

The grant is sealed to the host, so that the file of its seed is the only secret that a host has.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from mathmesh.dare.content_meta import format_time, parse_time
from mathmesh.dare.envelope import Envelope
from mathmesh.errors import EncodingError, StoreError
from mathmesh.keys import derive
from mathmesh.schema.build.profile import make_profile_host
from mathmesh.service.host_grant import HostGrant
from mathmesh.types import Entropy
from meshclient.private_file import read_private, write_private

HOST_FILE = "host.json"
VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFile:
    """The content of the file; `grant` is None while the service has not answered."""

    seed: str = field(repr=False)
    created: datetime
    grant: HostGrant | None = None

    @property
    def profile(self) -> Envelope:
        """The host's profile."""
        return make_profile_host(self.seed, self.created)

    @classmethod
    def fresh(cls, entropy: Entropy, now: datetime) -> HostFile:
        """A new host."""
        seed = derive.new_seed(derive.PROFILE_DEVICE, entropy)
        return cls(seed=seed, created=now.replace(microsecond=0))

    @classmethod
    def read(cls, folder: Path) -> HostFile:
        """The host in a folder. Raises StoreError when there is none, or the file is damaged."""
        path = folder / HOST_FILE
        try:
            document = json.loads(read_private(path, "host file"))
            if document["Version"] != VERSION:
                raise StoreError(f"{path} is of version {document['Version']}; this program reads {VERSION}")
            grant = document.get("Grant")
            return cls(
                seed=document["Seed"],
                created=parse_time(document["Created"]),
                grant=None if grant is None else HostGrant.decode(json.dumps(grant).encode()),
            )
        except (KeyError, TypeError, ValueError, EncodingError):
            raise StoreError(f"the host file {path} is damaged; restore it from the backup") from None

    def write(self, folder: Path) -> None:
        """Put it into a folder, made if it is absent."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        document = {"Version": VERSION, "Seed": self.seed, "Created": format_time(self.created)}
        if self.grant is not None:
            document["Grant"] = self.grant.to_json()
        write_private(folder / HOST_FILE, json.dumps(document, indent=2).encode() + b"\n")
