"""Opens the ActivationAccount of a device and adds it to the device's base key
(draft-hallambaker-mesh-schema §6).

The envelope is DARE with one X448 recipient: KEK = HKDF-SHA-512(Z, empty info), base seed by RFC 3394,
content keys by HMAC-SHA-256 from salt and base seed, A256CBC. It travels inside a record of the link, whose
peer proves itself later, so its signature is not checked here; the digest is, when the envelope has one.
"""

from mathmesh.codec import b64, udf
from mathmesh.errors import MeshError
from meshdevice import aes
from meshdevice.sha512 import hkdf, sha512
from meshlink import json_text
from meshlink.agreement import ORDER_448
from meshlink.hkdf import equal
from meshlink.record import LinkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from meshlink.suite import Suite

SEED_TYPE = 259
SCALAR = 56

_ACTIVATION = 16
_MAXIMUM_RECIPIENTS = 4
_BLOCK = 16
_AUTHENTICATE = b"ActivationDeviceAuthenticate"


def open_activation(
    suite: "Suite", act: bytes, encryption_scalar: bytes, authentication_scalar: bytes
) -> "dict[str, Any]":
    """Members seed (Z UDF text), account (UDF text or None), authentication (56 octets, s little-endian).

    act: octets of EnvelopedActivationAccount as JSON text; scalars: the device's base ones, 56 octets
    little-endian. s = (base + activation) mod L and is never clamped. Raises LinkError 16 when the
    activation is malformed or not for this device.
    """
    try:
        header, body, trailer = _parts(json_text.loads(act, list))
        base_seed = _base_seed(suite, header, encryption_scalar)
        content = _decrypt(suite, header, body, trailer, base_seed)
        activation = json_text.loads(content)["ActivationAccount"]
        seed = activation["ActivationKey"]
        contribution = _scalar(seed)
    except (MeshError, KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        if isinstance(error, LinkError):
            raise
        raise LinkError(_ACTIVATION, "the activation cannot be read") from None
    s = (int.from_bytes(authentication_scalar, "little") + contribution) % ORDER_448
    return {
        "seed": seed,
        "account": activation.get("AccountUdf"),
        "authentication": s.to_bytes(SCALAR, "little"),
    }


def _parts(value: "Any") -> "tuple[dict[str, Any], bytes, dict[str, Any]]":
    """Header, body octets and trailer of an envelope in JSON."""
    body = value[1] if isinstance(value[1], bytes) else b64.decode(value[1])
    trailer = value[2] if len(value) > 2 else {}
    return value[0], body, trailer


def _base_seed(suite: "Suite", header: "dict[str, Any]", scalar: bytes) -> bytes:
    for recipient in header["recipients"][:_MAXIMUM_RECIPIENTS]:
        point = recipient["epk"]["PublicKeyECDH"]
        public = b64.decode(point["Public"])
        if point["crv"] != "X448" or len(public) not in (SCALAR, SCALAR + 1):
            continue
        z = suite.x448(scalar, public[:SCALAR])
        seed = aes.unwrap(hkdf(z, b"", 32), b64.decode(recipient["wmk"])) if any(z) else None
        if seed is not None:
            return seed
    raise LinkError(_ACTIVATION, "the activation is not for this device")


def _decrypt(
    suite: "Suite", header: "dict[str, Any]", body: bytes, trailer: "dict[str, Any]", base_seed: bytes
) -> bytes:
    """The plaintext; its digest is compared before anything is decrypted."""
    digest = trailer.get("PayloadDigest") or header.get("PayloadDigest")
    if digest is not None and not equal(b64.decode(digest), sha512(body)):
        raise LinkError(_ACTIVATION, "the activation's digest differs")
    if header["enc"] != "A256CBC" or not body or len(body) % _BLOCK:
        raise LinkError(_ACTIVATION, "the activation is not encrypted with A256CBC")
    prk = suite.hmac(b64.decode(header["Salt"]), base_seed)
    iv = suite.hmac(prk, b"iv\x01")[:_BLOCK]
    padded = aes.cbc_decrypt(suite.hmac(prk, b"encrypt\x01"), iv, body)
    fill = padded[-1]
    if not 0 < fill <= _BLOCK or padded[-fill:] != bytes([fill]) * fill:
        raise LinkError(_ACTIVATION, "the activation's padding is wrong")
    return padded[:-fill]


def _scalar(seed: str) -> int:
    """The clamped X448 scalar that an activation seed gives for Authenticate, as an integer."""
    kind, data = udf.parse(seed)
    if kind != udf.SEED or len(data) < 2:
        raise LinkError(_ACTIVATION, "the activation has no seed")
    key = bytearray(hkdf(data, data[:2] + _AUTHENTICATE, SCALAR))
    key[0] &= 0xFC
    key[SCALAR - 1] |= 0x80
    return int.from_bytes(key, "little")
