import base64
import os
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from mathmesh.errors import EncodingError
from mathmesh.keys.pair import PrivateKey, generate
from mathmesh.schema.build import make_cataloged_vpn
from meshclient.applications import wireguard

SERVER = base64.b64encode(
    X25519PrivateKey.from_private_bytes(bytes(range(32))).public_key().public_bytes_raw()
).decode()
KEY = generate("X25519", os.urandom)


def tunnel(**changed: Any) -> Any:
    peer = wireguard.make_peer(SERVER, "vpn.example.com:51820", ("10.8.0.0/24", "fd00::/64"))
    settings = {"addresses": ("10.8.0.2/24", "fd00::2/64"), "dns": ("10.8.0.1",), "peers": (peer,), **changed}
    return make_cataloged_vpn(
        KEY, escrow=None, entropy=os.urandom, now=datetime.now(UTC), local_name="home", **settings
    )


def test_the_configuration_of_a_client() -> None:
    text = wireguard.configuration(tunnel(), KEY)
    private = base64.b64decode(text.split("PrivateKey = ")[1].split("\n")[0])
    public = X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
    assert base64.b64encode(public).decode() == wireguard.key_text(KEY.public)
    assert text.replace(base64.b64encode(private).decode(), "…") == (
        "[Interface]\nPrivateKey = …\nAddress = 10.8.0.2/24\nAddress = fd00::2/64\nDNS = 10.8.0.1\n\n"
        f"[Peer]\nPublicKey = {SERVER}\nAllowedIPs = 10.8.0.0/24, fd00::/64\n"
        "Endpoint = vpn.example.com:51820\nPersistentKeepalive = 25\n"
    )


def test_what_the_other_end_needs() -> None:
    assert wireguard.server_section(tunnel()) == (
        f"# home\n[Peer]\nPublicKey = {wireguard.key_text(KEY.public)}\n"
        "AllowedIPs = 10.8.0.2/32, fd00::2/128\n"
    )


@pytest.mark.parametrize(
    ("key", "endpoint", "allowed"),
    [
        ("short", None, ()),
        (SERVER[:-4] + "####", None, ()),
        (base64.b64encode(bytes(33)).decode(), None, ()),
        (SERVER, "vpn.example.com", ()),
        (SERVER, "vpn.example.com:0", ()),
        (SERVER, "vpn.example.com:65536", ()),
        (SERVER, "vpn.example.com:1\nPostUp = reboot", ()),
        (SERVER, "a:1", ("10.8.0.1/24",)),
        (SERVER, "a:1", ("everything",)),
        (SERVER, "a:1", ("10.8.0.0/24\nPostUp = reboot",)),
    ],
)
def test_what_is_no_other_end(key: str, endpoint: str | None, allowed: tuple[str, ...]) -> None:
    with pytest.raises(EncodingError):
        wireguard.make_peer(key, endpoint, allowed)


@pytest.mark.parametrize(
    "changed",
    [
        {"addresses": ("10.8.0.2/24\nPostUp = reboot",)},
        {"dns": ("10.8.0.1\nPostUp = reboot",)},
        {"peers": (wireguard.VpnPeer(),)},
        {"peers": (wireguard.VpnPeer(key=tunnel().client_key, endpoint="a:1\nPostUp = reboot"),)},
    ],
)
def test_entries_of_others_write_no_lines_of_their_own(changed: dict[str, Any]) -> None:
    with pytest.raises(EncodingError):
        wireguard.configuration(tunnel(**changed), KEY)


def test_keys_that_wireguard_does_not_take() -> None:
    for key in (generate("X448", os.urandom), PrivateKey.from_scalar("X25519", 99)):
        with pytest.raises(EncodingError):
            wireguard.configuration(tunnel(), key)
