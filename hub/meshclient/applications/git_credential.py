"""The helper that git asks for user names and passwords (git-credential(1), "INPUT/OUTPUT FORMAT").

    git config --global credential.helper mesh          (which runs `git-credential-mesh`)

What git stores has git's protocol (`https`) and the host, or host and path where `credential.useHttpPath` is
set, as service. A password that a person put in without a protocol answers too, and git never erases it: a
server that refuses once must not take a password from all devices.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from mathmesh.errors import EncodingError
from mathmesh.schema.cataloged import CatalogedCredential
from mathmesh.schema.primary_key import primary_key
from meshclient.applications.credential_choice import by_key, matching, place

GET, STORE, ERASE = "get", "store", "erase"
MAXIMUM_INPUT = 64 * 1024

_MEMBERS = ("protocol", "host", "path", "username", "password")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What git tells; members are empty where it tells nothing."""

    protocol: str = ""
    host: str = ""
    path: str = ""
    username: str = ""
    password: str = ""

    @property
    def services(self) -> tuple[str, ...]:
        """Services that answer, the nearest first."""
        return (f"{self.host}/{self.path}", self.host) if self.path else (self.host,)


def parse_request(text: str) -> Request:
    """The request in lines `name=value` up to an empty one; names that we do not use are passed over.

    Raises EncodingError for malformed or too long input.
    """
    if len(text) > MAXIMUM_INPUT or "\0" in text:
        raise EncodingError("git sent something that is no request for a credential")
    members: dict[str, str] = {}
    for line in text.split("\n"):
        if not line:
            break
        name, mark, value = line.partition("=")
        if not mark:
            raise EncodingError("git sent a line that is no name=value")
        if name == "url":
            members |= _url(value)
        elif name in _MEMBERS:
            members[name] = value
    if not members.get("protocol") or not members.get("host"):
        raise EncodingError("git named no protocol or no host")
    return Request(**members)


def answer(request: Request, entries: Iterable[Any]) -> str:
    """What git reads: the user's name and password, or nothing when there is none."""
    held = list(entries)
    for service in request.services:
        for entry in matching(held, service, protocol=request.protocol, username=request.username or None):
            username, password = entry.username or request.username, entry.password or ""
            if username and password and not set(username + password) & set("\n\r\0"):
                return f"username={username}\npassword={password}\n"
    return ""


def stored(request: Request, entries: Iterable[Any]) -> CatalogedCredential | None:
    """The entry to write for a credential that worked; None when it is there already or not complete."""
    if not request.username or not request.password:
        return None
    held = list(entries)
    if answer(request, held) == f"username={request.username}\npassword={request.password}\n":
        return None
    entry = CatalogedCredential(
        protocol=request.protocol,
        service=request.services[0],
        username=request.username,
        password=request.password,
    )
    return place(entry, by_key(held))


def erased(request: Request, entries: Iterable[Any]) -> list[str]:
    """Keys of the entries to delete for a credential that was refused: those that git itself stored."""
    found = []
    for entry in matching(
        entries, request.services[0], protocol=request.protocol, username=request.username or None
    ):
        refused = request.password.encode()
        same = not refused or hmac.compare_digest((entry.password or "").encode(), refused)
        key = primary_key(entry)
        if entry.protocol == request.protocol and (request.username or refused) and same and key:
            found.append(key)
    return found


def _url(value: str) -> dict[str, str]:
    try:
        parts = urlsplit(value)
        host = parts.netloc.rpartition("@")[2]
        members = {"protocol": parts.scheme, "host": unquote(host), "path": unquote(parts.path.strip("/"))}
        members |= {"username": unquote(parts.username or ""), "password": unquote(parts.password or "")}
    except ValueError:
        raise EncodingError("git named an address that is none") from None
    return {name: text for name, text in members.items() if text}
