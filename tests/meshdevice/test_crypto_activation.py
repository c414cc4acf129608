"""Opening the activation on the device, against the core's sealing."""

import json
import os
from typing import Any

import pytest

from mathmesh.dare import envelope
from mathmesh.keys import derive
from mathmesh.keys.pair import generate
from mathmesh.threshold import cogeneration
from meshdevice.activation import open_activation
from meshdevice.crypto import DeviceSuite
from meshlink.agreement import ORDER_448, ladder_scalar
from meshlink.record import LinkError

SUITE = DeviceSuite(bytes(range(32)), 1)
SEED = derive.new_seed(256, lambda count: bytes(range(count)))
ENCRYPTION = derive.derive_key(SEED, "BaseDeviceEncrypt")
AUTHENTICATION = derive.derive_key(SEED, "BaseDeviceAuthenticate")
ACTIVATION = derive.new_seed(259, lambda count: bytes(range(1, count + 1)))


def sealed(content: object, **named: Any) -> bytes:
    recipients = named.pop("recipients", [ENCRYPTION.public])
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return envelope.seal(text, entropy=os.urandom, recipients=recipients, **named).to_json()


def opened(act: bytes) -> dict[str, Any]:
    scalars = [key.scalar.to_bytes(56, "little") for key in (ENCRYPTION, AUTHENTICATION)]
    return open_activation(SUITE, act, scalars[0], scalars[1])


def test_both_sides_agree() -> None:
    content = {"ActivationAccount": {"ActivationKey": ACTIVATION, "AccountUdf": "MAAA-AAAA"}}
    result = opened(sealed(content))
    assert (result["seed"], result["account"]) == (ACTIVATION, "MAAA-AAAA")
    contribution = derive.derive_key(ACTIVATION, "ActivationDeviceAuthenticate")
    s = int.from_bytes(result["authentication"], "little")
    assert s == (AUTHENTICATION.scalar + contribution.scalar) % ORDER_448
    adopter = generate("X448", os.urandom)
    combined = cogeneration.combine_public(AUTHENTICATION.public, contribution.public)
    z = SUITE.x448(ladder_scalar(result["authentication"]), adopter.public.u)
    assert z == adopter.agree(combined)


def test_the_recipient_may_be_one_of_several() -> None:
    other = generate("X448", os.urandom).public
    content = {"ActivationAccount": {"ActivationKey": ACTIVATION}}
    result = opened(sealed(content, recipients=[other, ENCRYPTION.public]))
    assert result["seed"] == ACTIVATION
    assert result["account"] is None


@pytest.mark.parametrize(
    "content",
    [
        {"ActivationAccount": {"ActivationKey": ""}},
        {"ActivationAccount": {}},
        {"ActivationCommon": {"ActivationKey": ACTIVATION}},
        {"ActivationAccount": {"ActivationKey": "MAPQ-CFMI-P2JZ-4POV-4HHD-GYWU-XMIE"}},
        {"ActivationAccount": {"ActivationKey": 5}},
        [],
        b"no json",
        b"",
    ],
)
def test_a_content_that_is_no_activation(content: object) -> None:
    with pytest.raises(LinkError) as caught:
        opened(sealed(content))
    assert caught.value.code == 16


def test_an_activation_for_another_device() -> None:
    other = generate("X448", os.urandom).public
    with pytest.raises(LinkError, match="not for this device"):
        opened(sealed({"ActivationAccount": {"ActivationKey": ACTIVATION}}, recipients=[other]))


@pytest.mark.parametrize(
    "act", [b"", b"{}", b"[]", b"[{}]", b'[{},""]', b'[{"recipients":[]},"",{}]', b"\xff"]
)
def test_what_is_no_envelope(act: bytes) -> None:
    with pytest.raises(LinkError) as caught:
        opened(act)
    assert caught.value.code == 16


def test_every_altered_part_is_noticed() -> None:
    act = sealed({"ActivationAccount": {"ActivationKey": ACTIVATION}})
    header, body, trailer = json.loads(act)
    recipient = header["recipients"][0]
    places: list[tuple[Any, str]] = [(recipient, "wmk"), (trailer, "PayloadDigest"), (header, "enc")]
    places.append((recipient["epk"]["PublicKeyECDH"], "Public"))
    for holder, name in places:
        kept = holder[name]
        holder[name] = ("B" if kept[4] != "B" else "C").join((kept[:4], kept[5:]))
        with pytest.raises(LinkError) as caught:
            opened(json.dumps([header, body, trailer]).encode())
        assert caught.value.code == 16
        holder[name] = kept
    changed = body[:20] + ("B" if body[20] != "B" else "C") + body[21:]
    with pytest.raises(LinkError, match="digest"):
        opened(json.dumps([header, changed, trailer]).encode())
    assert opened(json.dumps([header, body, trailer]).encode())["seed"] == ACTIVATION
