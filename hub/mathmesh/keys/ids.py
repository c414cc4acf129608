"""Identifiers and witnesses of messages and connections (draft-hallambaker-mesh-protocol §5, mesh-schema §5).

Account addresses count in lower case.
"""

import hashlib
import hmac

from mathmesh.codec import udf
from mathmesh.errors import EncodingError
from mathmesh.keys import digest, mac
from mathmesh.types import Entropy

NONCE_OCTETS = 16


def make_id(identifier: str, content_type: str) -> str:
    """Digest UDF of the octets of another identifier, which may lack a type (a connection witness does)."""
    binary = udf.octets(identifier)
    if len(binary) < 2:
        raise EncodingError("identifier is too short")
    return digest.content_digest(binary[1:], content_type, sha3=binary[0] == udf.DIGEST_SHA3)


def envelope_id(message_id: str) -> str:
    """EnvelopeId of the message with this MessageId."""
    return make_id(message_id, digest.ENVELOPE_ID)


def response_id(message_id: str) -> str:
    """MessageId of the response to the message with this MessageId."""
    return make_id(message_id, digest.RESPONSE_ID)


def nonce_id(entropy: Entropy) -> str:
    """Fresh identifier: a nonce UDF of 128 bits, 28 characters."""
    return udf.text(udf.NONCE, entropy(NONCE_OCTETS))


def salted_pin(pin: str, action: str) -> str:
    """What the account keeps of a PIN for one action, `Device` or `Contact`."""
    return mac.mac(pin, action.encode())


def pin_id(salted: str, account: str) -> str:
    """Identifier under which the account finds the salted PIN again."""
    return mac.mac(salted, account.lower().encode())


def pin_witness(salted: str, account: str, client_nonce: bytes, payload_digest: bytes) -> bytes:
    """64 octets that prove knowledge of the PIN over the device profile with this PayloadDigest."""
    _, key = udf.parse(salted)
    return hmac.digest(key, account.lower().encode() + client_nonce + payload_digest, "sha512")


def connection_witness(
    account_udf_bytes: bytes, server_nonce: bytes, device_udf_bytes: bytes, client_nonce: bytes
) -> str:
    """Witness of both profiles and both nonces at 140 bits, without a type octet.

    The two fingerprints are in their 64-octet working form.
    """
    account = hashlib.sha512(account_udf_bytes + server_nonce).digest()
    device = hashlib.sha512(device_udf_bytes + client_nonce).digest()
    return udf.present(hashlib.sha512(account + device).digest())
