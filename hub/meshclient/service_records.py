"""What the DNS says of the service of a domain: SRV and TXT of `_mmm._tcp` (RFC 2782, RFC 6763;
draft-hallambaker-mesh-protocol).

Answers of the DNS are not trusted for who the service is: its certificate must be one of the domain, or of
the host when that lies in the domain.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import dns.asyncresolver
import dns.exception
import dns.name
import dns.rdatatype
import dns.resolver
from dns.rdtypes.ANY.TXT import TXT
from dns.rdtypes.IN.SRV import SRV

from meshclient.unreachable import ServiceUnreachable

SERVICE = "_mmm._tcp"
PATH = "/.well-known/mmm/"
SECONDS = 5.0
"""How long an answer is waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRecord:
    """A service as the DNS describes it; `server_name` is the name that its certificate must bear."""

    url: str
    server_name: str
    service_udf: str | None = None


class ServiceRecords:
    """Asks the DNS: the servers of the system, or the one at `server` (address and port)."""

    def __init__(self, server: tuple[str, int] | None = None) -> None:
        self._server = server

    async def find(self, domain: str) -> ServiceRecord | None:
        """The service of a domain; None when it has none.

        Raises ServiceUnreachable when the DNS does not answer.
        """
        try:
            resolver = self._resolver()
            name = dns.name.from_text(f"{SERVICE}.{domain}")
            found = await resolver.resolve(name, dns.rdatatype.SRV)
            host = _chosen([one for one in found if isinstance(one, SRV)])
            if host is None:
                return None
            return _record(domain.lower(), host, await _texts(resolver, name))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return None
        except (dns.exception.DNSException, OSError, UnicodeError) as error:
            raise ServiceUnreachable(
                f"the DNS does not tell the service of {domain[:200]}: {error}"
            ) from error

    def _resolver(self) -> dns.asyncresolver.Resolver:
        resolver = dns.asyncresolver.Resolver(configure=self._server is None)
        if self._server is not None:
            resolver.nameservers = [self._server[0]]
            resolver.port = self._server[1]
        resolver.lifetime = SECONDS
        return resolver


async def _texts(resolver: dns.asyncresolver.Resolver, name: dns.name.Name) -> dict[str, str]:
    """The pairs `key=value` of the TXT record."""
    try:
        found = await resolver.resolve(name, dns.rdatatype.TXT)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return {}
    pairs: dict[str, str] = {}
    for record in found:
        for text in record.strings if isinstance(record, TXT) else ():
            key, _, value = text.decode("ascii", "replace").partition("=")
            pairs.setdefault(key.lower(), value)
    return pairs


def _chosen(records: list[SRV]) -> SRV | None:
    """One of those with the least priority, by weight. A target of `.` says that there is no service."""
    offered = [one for one in records if one.target != dns.name.root]
    if not offered:
        return None
    least = min(one.priority for one in offered)
    first = [one for one in offered if one.priority == least]
    return random.choices(first, weights=[one.weight + 1 for one in first])[0]  # noqa: S311 - no secret


def _record(domain: str, host: SRV, texts: dict[str, str]) -> ServiceRecord:
    target = host.target.to_text(omit_final_dot=True).lower()
    path = texts.get("path", PATH)
    inside = target == domain or target.endswith("." + domain)
    return ServiceRecord(
        url=f"https://{target}:{host.port}{path if path.startswith('/') else PATH}",
        server_name=target if inside else domain,
        service_udf=texts.get("udf"),
    )
