"""Which entry of MMM_Credential is meant, and where a new one goes.

The key of an entry is protocol and service, so that two users at one service would overwrite each other. A
second user's entry therefore has `user@service` as its service, a third login of the same user `…#2`; all are
found under the name of the service.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from mathmesh.schema.cataloged import CatalogedCredential
from mathmesh.schema.primary_key import primary_key

_NUMBER = re.compile(r"#[0-9]+$")


def matching(
    entries: Iterable[Any], service: str, *, protocol: str | None = None, username: str | None = None
) -> Iterator[CatalogedCredential]:
    """Entries with a password for `service`, those of `protocol` first, then those of no protocol.

    With `username` only those of that user. Services are compared without regard to case.
    """
    found = [
        entry
        for entry in entries
        if isinstance(entry, CatalogedCredential)
        and entry.password is not None
        and _is_for(entry, service)
        and (not entry.protocol or entry.protocol == protocol)
        and (username is None or entry.username == username)
    ]
    yield from sorted(found, key=lambda entry: (not entry.protocol, "@" in (entry.service or "")))


def plain_service(entry: CatalogedCredential) -> str:
    """The service itself, without what tells entries at one service apart."""
    service = entry.service or ""
    lead = f"{entry.username}@" if entry.username else ""
    plain = _NUMBER.sub("", service) if len(service) > 2 else service
    return plain[len(lead) :] if lead and plain.startswith(lead) and len(plain) > len(lead) else plain


def by_key(entries: Iterable[Any]) -> dict[str | None, CatalogedCredential]:
    """The credentials among `entries` by their key in the catalog."""
    return {primary_key(one): one for one in entries if isinstance(one, CatalogedCredential)}


def place(
    entry: CatalogedCredential,
    present: Mapping[str | None, CatalogedCredential],
    closed: Container[str | None] = (),
) -> CatalogedCredential:
    """`entry` under a key that overwrites no other user's entry in `present`, and none of the keys `closed`.

    An entry of the same user at the same service keeps its key: it is replaced, or is the same.
    """
    for candidate in _candidates(entry):
        key = primary_key(candidate)
        old = present.get(key)
        if old is not None and candidate == old:
            return candidate
        if key not in closed and (old is None or (old.username or "") == (entry.username or "")):
            return candidate
    raise AssertionError("there is always a further number")


def _candidates(entry: CatalogedCredential) -> Iterator[CatalogedCredential]:
    yield entry
    service = entry.service or ""
    if entry.username:
        service = f"{entry.username}@{service}"
        yield replace(entry, service=service)
    for number in itertools.count(2):
        yield replace(entry, service=f"{service}#{number}")


def _is_for(entry: CatalogedCredential, service: str) -> bool:
    wanted = service.lower()
    stated = _NUMBER.sub("", (entry.service or "").lower()) if "#" not in wanted else entry.service
    return stated in (wanted, f"{(entry.username or '').lower()}@{wanted}")
