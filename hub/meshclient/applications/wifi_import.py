"""Wi-Fi networks in the files of other programs: NetworkManager's keyfiles and wpa_supplicant.conf.

What a file does not hold (a passphrase in a person's keyring) or nobody should use any more (WEP) is passed
over and told. Malformed files are refused as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mathmesh.errors import EncodingError
from mathmesh.schema.cataloged import CatalogedNetwork
from mathmesh.schema.mesh_object import parse
from meshclient.applications.wifi import make_network

MAXIMUM_FILE = 1024 * 1024

_ESCAPES = {"s": " ", "n": "\n", "t": "\t", "r": "\r", "\\": "\\", ";": ";"}
_OCTETS = re.compile(r"(?:[0-9]{1,3};)+")
_SECTION = re.compile(r"\[([^\[\]]+)\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Networks:
    """The networks of a file, and for each that was passed over why."""

    found: tuple[CatalogedNetwork, ...]
    passed_over: tuple[str, ...] = ()


def read_networks(octets: bytes) -> Networks:
    """The networks in a file: a keyfile, a wpa_supplicant.conf, or a CatalogedNetwork in JSON."""
    if len(octets) > MAXIMUM_FILE:
        raise EncodingError("the file is larger than any list of networks")
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        raise EncodingError("the file is not UTF-8 text") from None
    if text.lstrip().startswith("{"):
        entry = parse(octets)
        if not isinstance(entry, CatalogedNetwork):
            raise EncodingError(f"the file holds a {entry.tag}, not a network")
        return Networks(found=(entry,))
    blocks = list(_keyfile(text)) if re.search(r"^\[", text, re.MULTILINE) else list(_supplicant(text))
    if not blocks:
        raise EncodingError("the file is no keyfile of NetworkManager and no wpa_supplicant.conf")
    read = [_network(block) for block in blocks]
    return Networks(
        found=tuple(one for one in read if isinstance(one, CatalogedNetwork)),
        passed_over=tuple(one for one in read if isinstance(one, str)),
    )


def _network(block: Mapping[str, str]) -> CatalogedNetwork | str:
    """The network of a block with the members of `_block`, or why it is passed over."""
    ssid, kind = block["ssid"], block["kind"]
    if kind == "wep":
        return f"{ssid}: WEP protects nothing"
    if kind == "enterprise":
        if not block["username"] or not block["password"]:
            return f"{ssid}: user name and password are not in the file"
        return make_network(ssid, block["password"], username=block["username"])
    if kind == "psk" and not block["password"]:
        return f"{ssid}: the passphrase is not in the file"
    return make_network(ssid, block["password"] if kind == "psk" else None)


def _block(ssid: str, kind: str, username: str = "", password: str = "") -> dict[str, str]:
    return {"ssid": ssid, "kind": kind, "username": username, "password": password}


# -- NetworkManager (nm-settings-keyfile(5)) -----------------------------------------------------
def _keyfile(text: str) -> Iterator[dict[str, str]]:
    groups: dict[str, dict[str, str]] = {}
    group: dict[str, str] | None = None
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        section = _SECTION.fullmatch(line.strip())
        if section:
            group = groups.setdefault(section[1], {})
            continue
        name, mark, value = line.partition("=")
        if group is None or not mark:
            raise EncodingError(f"line {number} is not one of a keyfile")
        group[name.strip()] = value.lstrip()
    wireless = groups.get("wifi", groups.get("802-11-wireless"))
    if wireless is None:
        raise EncodingError("the keyfile is of no Wi-Fi connection")
    security = groups.get("wifi-security", groups.get("802-11-wireless-security", {}))
    method = security.get("key-mgmt", "")
    ssid = _ssid(wireless.get("ssid", ""))
    if method in ("wpa-psk", "sae"):
        yield _block(ssid, "psk", password=_unescaped(security.get("psk", "")))
    elif method.startswith("wpa-eap"):
        who = groups.get("802-1x", {})
        yield _block(
            ssid, "enterprise", _unescaped(who.get("identity", "")), _unescaped(who.get("password", ""))
        )
    else:
        yield _block(ssid, "wep" if method in ("none", "ieee8021x") else "open")


def _ssid(value: str) -> str:
    if not _OCTETS.fullmatch(value):
        return _unescaped(value)
    try:
        return bytes(int(octet) for octet in value.split(";")[:-1]).decode()
    except ValueError:
        raise EncodingError("the name of a network is no text") from None


def _unescaped(value: str) -> str:
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[0]), value)


# -- wpa_supplicant.conf(5) ----------------------------------------------------------------------
def _supplicant(text: str) -> Iterator[dict[str, str]]:
    block: dict[str, str] | None = None
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if line.replace(" ", "") == "network={":
            if block is not None:
                raise EncodingError(f"line {number}: a network begins inside another one")
            block = {}
        elif line == "}" and block is not None:
            yield _of_supplicant(block, number)
            block = None
        elif block is not None:
            name, mark, value = line.partition("=")
            if not mark:
                raise EncodingError(f"line {number} is no name=value")
            block[name.strip()] = value.strip()
    if block is not None:
        raise EncodingError("the last network has no end")


def _of_supplicant(block: Mapping[str, str], number: int) -> dict[str, str]:
    ssid = _value(block.get("ssid", ""), number)
    method = block.get("key_mgmt", "WPA-PSK").split()
    if any(one.startswith("WPA-EAP") for one in method):
        who, password = (_value(block.get(name, '""'), number) for name in ("identity", "password"))
        return _block(ssid, "enterprise", who, password)
    if method == ["NONE"]:
        return _block(ssid, "wep" if any(name.startswith("wep_key") for name in block) else "open")
    secret = block.get("sae_password", block.get("psk", ""))
    key = secret if re.fullmatch(r"[0-9A-Fa-f]{64}", secret) else _value(secret or '""', number)
    return _block(ssid, "psk", password=key)


def _value(text: str, number: int) -> str:
    """A value in quotes, or in hexadecimal digits."""
    if len(text) >= 2 and text[0] == '"' and text.rfind('"') > 0:
        return text[1 : text.rfind('"')]
    try:
        return bytes.fromhex(text.partition("#")[0]).decode()
    except ValueError:
        raise EncodingError(f"the network that ends on line {number} has a malformed value") from None
