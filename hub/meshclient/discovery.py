"""Where the service of a domain is: in a resolver file, or else in the DNS (draft-hallambaker-mesh-protocol;
protocol book, "Discovery").

The file names services by the domain of their accounts; it is read anew when it has changed:

    {"example.com": "https://mmm.example.com/.well-known/mmm/",
     "hub.local": "unix:/run/mesh/hub.sock",
     "home.example": {"url": "https://10.0.0.7:15099/.well-known/mmm/", "certificate": "home-ca.pem",
                      "service": "MAB2-…"}}

`certificate` is a file, beside the resolver file, with the only certificates that are trusted for this
service, in PEM; `service` is the UDF that its profile must have.
"""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mathmesh.errors import PolicyError, StoreError

if TYPE_CHECKING:  # the library behind it takes a while to load, and is seldom needed
    from meshclient.service_records import ServiceRecords

RESOLVER_VARIABLE = "MESH_RESOLVER"
RESOLVER_FILE = "resolver.json"
SYSTEM_RESOLVER = Path("/etc/mesh") / RESOLVER_FILE
UNIX = "unix:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A service: its URL (of https, http or unix), and what is asked of it.

    `certificate` is the file with the certificates that are trusted, None for those of the system;
    `server_name` the name that its certificate must bear, None for that in the URL; `service_udf` its UDF.
    """

    url: str
    certificate: Path | None = None
    server_name: str | None = None
    service_udf: str | None = None

    @property
    def socket(self) -> Path | None:
        """The unix socket, where it is reached by one."""
        return Path(self.url.removeprefix(UNIX)) if self.url.startswith(UNIX) else None

    def tls(self) -> ssl.SSLContext | None:
        """Whom to trust; None for whom the system trusts. Raises StoreError for a file that holds no
        certificates.
        """
        if self.certificate is None:
            return None
        try:
            return ssl.create_default_context(cafile=self.certificate)
        except (OSError, ssl.SSLError):
            raise StoreError(f"{self.certificate} cannot be read as certificates in PEM") from None


class Discovery:
    """Finds the service of a domain. `home` is where a resolver file may lie; `records` asks the DNS."""

    def __init__(
        self, home: Path, records: ServiceRecords | None = None, *, file: Path | None = None
    ) -> None:
        """The file is `file`, or what MESH_RESOLVER names, or that in `home`, or the system's.

        `records` asks the DNS, by default the servers of the system.
        """
        stated = file or os.environ.get(RESOLVER_VARIABLE)
        self._files = (Path(stated),) if stated else (home / RESOLVER_FILE, SYSTEM_RESOLVER)
        self._records = records
        self._read: tuple[Path, int, int] | None = None
        self._places: Mapping[str, Place] = {}

    def listed(self) -> Iterable[str]:
        """The domains that the resolver file names."""
        return tuple(self._listed())

    def listed_place(self, domain: str) -> Place | None:
        """The place that the resolver file states for a domain. Raises StoreError for a damaged file."""
        return self._listed().get(domain.lower())

    async def find(self, domain: str) -> Place:
        """The place of the service of a domain.

        Raises PolicyError when nobody knows it, ServiceUnreachable when the DNS does not answer.
        """
        place = self.listed_place(domain)
        if place is not None:
            return place
        record = await self._dns().find(domain)
        if record is None:
            raise PolicyError(
                f"the service of {domain} is not known: neither {RESOLVER_FILE} nor the DNS names it"
            )
        return Place(url=record.url, server_name=record.server_name, service_udf=record.service_udf)

    def _dns(self) -> ServiceRecords:
        if self._records is None:
            from meshclient.service_records import ServiceRecords

            self._records = ServiceRecords()
        return self._records

    def _listed(self) -> Mapping[str, Place]:
        for path in self._files:
            try:
                status = path.stat()
            except OSError:
                continue
            state = path, status.st_mtime_ns, status.st_size
            if state != self._read:
                self._places = _read(path)
                self._read = state
            return self._places
        return {}


def _read(path: Path) -> Mapping[str, Place]:
    try:
        found: dict[str, Any] = json.loads(path.read_bytes())
        return {domain.lower(): _place(path, stated) for domain, stated in found.items()}
    except (OSError, ValueError, AttributeError, TypeError, KeyError):
        raise StoreError(f"the resolver file {path} is damaged") from None


def _place(path: Path, stated: object) -> Place:
    if isinstance(stated, str):
        return Place(url=stated)
    if not isinstance(stated, dict) or not set(stated) <= {"url", "certificate", "service"}:
        raise ValueError(stated)
    if not all(isinstance(one, str) for one in stated.values()):
        raise TypeError(stated)
    certificate = stated.get("certificate")
    return Place(
        url=stated["url"],
        certificate=None if certificate is None else path.parent / certificate,
        service_udf=stated.get("service"),
    )
