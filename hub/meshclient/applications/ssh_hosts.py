"""SSH servers whose keys the account knows, kept in MMM_Credential, and the file known_hosts made of them.

An entry has protocol `ssh`, the server's name (`[name]:port` away from port 22) as service and its keys as
HostAuthentication. A key of another type than Ed25519 is a `PublicKeySsh` with the members Format and Public.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from mathmesh.codec import b64
from mathmesh.errors import EncodingError, PolicyError
from mathmesh.keys import digest
from mathmesh.schema.cataloged import CatalogedCredential
from mathmesh.schema.key_data import KeyData
from meshclient.applications.ssh_key import MAXIMUM_LINE, PublicLine, parse_public_line, public_line

PROTOCOL = "ssh"
PORT = 22
OTHER_KEY = "PublicKeySsh"
MAXIMUM_FILE = 4 * 1024 * 1024

_HOST = re.compile(r"[A-Za-z0-9._:%-]{1,253}")
_WITH_PORT = re.compile(r"\[([^\[\]]+)\]:([0-9]{1,5})")
_CONTENT_TYPE = "application/x-ssh-public-key"


def host_name(text: str, port: int | None = None) -> str:
    """The name of a server as OpenSSH looks it up: in lower case, `[name]:port` away from port 22.

    `text` may be `name`, `[name]:port` or `name:port`. Raises EncodingError for anything else.
    """
    found = _WITH_PORT.fullmatch(text)
    host, stated = (found[1], int(found[2])) if found else (text, None)
    if stated is None and text.count(":") == 1:
        host, _, digits = text.partition(":")
        stated = int(digits) if digits.isdecimal() and len(digits) <= 5 else 0
    number = stated if stated is not None else (port or PORT)
    if not _HOST.fullmatch(host) or not 0 < number < 65536:
        raise EncodingError(f"{text!r} is not the name of a server")
    host = host.lower()
    return host if number == PORT else f"[{host}]:{number}"


def make_host(
    name: str, lines: Iterable[PublicLine], known: CatalogedCredential | None = None
) -> CatalogedCredential:
    """The entry of a server with these keys and those of `known`, its entry until now."""
    keys = {data.udf: data for data in (known.host_authentication or () if known is not None else ())}
    keys |= {data.udf: data for data in map(_key_data, lines)}
    return CatalogedCredential(
        protocol=PROTOCOL, service=host_name(name), host_authentication=tuple(keys.values())
    )


def hosts(entries: Iterable[Any]) -> Iterator[CatalogedCredential]:
    """Those of `entries` that are SSH servers."""
    for entry in entries:
        if (
            isinstance(entry, CatalogedCredential)
            and entry.protocol == PROTOCOL
            and entry.host_authentication
        ):
            yield entry


def find(entries: Iterable[Any], name: str) -> CatalogedCredential:
    """The server called `name`; raises PolicyError when the account does not know it."""
    wanted = host_name(name)
    for entry in hosts(entries):
        if entry.service == wanted:
            return entry
    raise PolicyError(f"there is no server {wanted}")


def differing(entry: CatalogedCredential, lines: Iterable[PublicLine]) -> list[PublicLine]:
    """Those of `lines` that are not the key which `entry` has of their type: a server that is not what it
    was, or whose keys were renewed.
    """
    held = keys_of(entry)
    return [
        line
        for line in lines
        if any(one.key_type == line.key_type for one in held)
        and not any(one.blob == line.blob for one in held)
    ]


def keys_of(entry: CatalogedCredential) -> list[PublicLine]:
    """The keys of a server; raises EncodingError or VerificationError for one that is malformed."""
    return [_line(data) for data in entry.host_authentication or ()]


def known_hosts(entries: Iterable[Any]) -> str:
    """The content of a file known_hosts with all servers among `entries`."""
    lines = [
        f"{host_name(entry.service or '')} {line.text}" for entry in hosts(entries) for line in keys_of(entry)
    ]
    return "".join(line + "\n" for line in sorted(lines))


def parse_known_hosts(text: str) -> Iterator[tuple[str, PublicLine]]:
    """Name and key for each readable line of a file known_hosts.

    Passed over are comments, hashed names, patterns, certificate authorities and revoked keys: none of them
    says that one server has one key. Raises EncodingError for a malformed line.
    """
    if len(text) > MAXIMUM_FILE:
        raise EncodingError("the file is larger than any list of hosts")
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line[0] in "#@|":
            continue
        names, _, rest = line.partition(" ")
        try:
            key = parse_public_line(rest)
            found = [host_name(name) for name in names.split(",") if not set(name) & set("*?!|")]
        except EncodingError as error:
            raise EncodingError(f"line {number}: {error}") from None
        yield from ((name, key) for name in found)


def _key_data(line: PublicLine) -> KeyData:
    if line.key is not None:
        return KeyData.of_public(line.key)
    parameters = {OTHER_KEY: {"Format": line.key_type, "Public": b64.encode(line.blob)}}
    return KeyData(udf=digest.content_digest(line.blob, _CONTENT_TYPE), public_parameters=parameters)


def _line(data: KeyData) -> PublicLine:
    other = (data.public_parameters or {}).get(OTHER_KEY)
    if other is None:
        return public_line(data.public_key())
    if not isinstance(other, dict) or not isinstance(other.get("Public"), str):
        raise EncodingError("a key of a server is malformed")
    blob = b64.decode(other["Public"])
    encoded = PublicLine(key_type=str(other.get("Format")), blob=blob)
    if len(encoded.text) > MAXIMUM_LINE:
        raise EncodingError("a key of a server is too long")
    return parse_public_line(encoded.text)
