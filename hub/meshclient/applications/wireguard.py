"""VPN entries in the forms of WireGuard: wg(8), wg-quick(8).

A tunnel's settings come from a person and end in a file of lines, so each is checked to be what it should be.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re

from mathmesh.errors import EncodingError
from mathmesh.keys.pair import PrivateKey, PublicKey
from mathmesh.schema.key_data import KeyData
from mathmesh.schema.vpn import CatalogedApplicationVpn, VpnPeer
from meshclient.applications.renewal import VPN_CURVE

KEEPALIVE_SECONDS = 25

_ENDPOINT = re.compile(r"(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):([0-9]{1,5})")
_OCTETS = 32


def parse_key(text: str) -> PublicKey:
    """A public key as `wg pubkey` prints it; raises EncodingError for anything else."""
    try:
        octets = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        octets = b""
    if len(octets) != _OCTETS:
        raise EncodingError("a WireGuard key is 44 characters of Base64")
    return PublicKey(VPN_CURVE, octets)


def key_text(key: PublicKey) -> str:
    """A public key as WireGuard writes it."""
    return base64.b64encode(key.u).decode()


def make_peer(key: str, endpoint: str | None, allowed: tuple[str, ...]) -> VpnPeer:
    """The other end of a tunnel; raises EncodingError for what none can be."""
    found = _ENDPOINT.fullmatch(endpoint) if endpoint is not None else None
    if endpoint is not None and (found is None or not 0 < int(found[1]) < 65536):
        raise EncodingError("where the other end is, is written host:port")
    return VpnPeer(
        key=KeyData.of_public(parse_key(key)), endpoint=endpoint, allowed=tuple(map(parse_network, allowed))
    )


def parse_network(text: str) -> str:
    """A network `address/length`, as it is written shortest; raises EncodingError for anything else."""
    try:
        return str(ipaddress.ip_network(text, strict=True))
    except ValueError:
        raise EncodingError(f"{text!r} is no network such as 10.8.0.0/24") from None


def parse_interface(text: str) -> str:
    """An address with the length of its network's prefix; raises EncodingError for anything else."""
    try:
        return str(ipaddress.ip_interface(text))
    except ValueError:
        raise EncodingError(f"{text!r} is no address such as 10.8.0.2/24") from None


def parse_address(text: str) -> str:
    """An address; raises EncodingError for anything else."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise EncodingError(f"{text!r} is no address") from None


def configuration(entry: CatalogedApplicationVpn, private: PrivateKey) -> str:
    """The file for wg-quick at the client; it holds the private key."""
    if private.crv != VPN_CURVE or private.key_seed is None:
        raise EncodingError("WireGuard takes X25519 keys made from a seed only")
    lines = ["[Interface]", f"PrivateKey = {base64.b64encode(private.key_seed).decode()}"]
    lines += [f"Address = {parse_interface(one)}" for one in entry.addresses or ()]
    lines += [f"DNS = {parse_address(one)}" for one in entry.dns or ()]
    for stated in entry.peers or ():
        peer = _checked(stated)
        lines += ["", "[Peer]", f"PublicKey = {_peer_key(peer)}"]
        lines += [f"AllowedIPs = {', '.join(peer.allowed or ())}"]
        if peer.endpoint is not None:
            lines += [f"Endpoint = {peer.endpoint}", f"PersistentKeepalive = {KEEPALIVE_SECONDS}"]
    return "".join(line + "\n" for line in lines)


def server_section(entry: CatalogedApplicationVpn) -> str:
    """What stands at the other end for this client; it holds no secret."""
    assert entry.client_key is not None  # verified with the entry
    hosts = [str(ipaddress.ip_network(ipaddress.ip_interface(one).ip)) for one in entry.addresses or ()]
    name = f"# {entry.local_name}\n" if entry.local_name and entry.local_name.isprintable() else ""
    public = key_text(entry.client_key.public_key(VPN_CURVE))
    return f"{name}[Peer]\nPublicKey = {public}\nAllowedIPs = {', '.join(hosts)}\n"


def _checked(peer: VpnPeer) -> VpnPeer:
    """What another device has written is checked as what a person typed."""
    return make_peer(_peer_key(peer), peer.endpoint, peer.allowed or ())


def _peer_key(peer: VpnPeer) -> str:
    if peer.key is None:
        raise EncodingError("the other end of a tunnel has no key")
    return key_text(peer.key.public_key(VPN_CURVE))
