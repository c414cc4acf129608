"""PINs: what an account gives out on paper or by voice, and the proofs of its knowledge (mesh-schema §10;
protocol book).
"""

from __future__ import annotations

import hashlib
import hmac

from mathmesh.codec import udf
from mathmesh.errors import VerificationError
from mathmesh.keys import ids
from mathmesh.schema.key_data import same_udf
from mathmesh.schema.message_connection import MessagePin, MessagePinValidated
from mathmesh.schema.signed import check_digest, envelope_of
from mathmesh.types import Entropy

PIN_OCTETS = 15
CONTACT_PIN_OCTETS = 16
NONCE_OCTETS = 16

_ACCEPT = b"accept"


def new_pin(entropy: Entropy, octets: int = PIN_OCTETS) -> str:
    """A fresh PIN, a UDF of type A: 120 bits for a device, 128 for a contact (CONTACT_PIN_OCTETS)."""
    return udf.text(udf.MAC, entropy(octets))


def pin_proof(salted_pin: str, account: str, account_udf: str, client_nonce: bytes) -> bytes:
    """The 64 octets by which the account shows the device that it knew the PIN (protocol book).

    `account` is the address of the account, `account_udf` the UDF of its profile.
    """
    _, key = udf.parse(salted_pin)
    covered = _ACCEPT + account.lower().encode() + udf.canonical(account_udf).encode() + client_nonce
    return hmac.digest(key, covered, hashlib.sha512)


def check_pin_witness(message: MessagePinValidated, pin: MessagePin) -> None:
    """Require that the sender of `message` knew the PIN of `pin` and vouched with it for the data enclosed.

    Check 34: ClientNonce has at least 16 octets, PinId is that of the PIN and PinWitness covers the account,
    ClientNonce and the digest of AuthenticatedData.
    """
    nonce = message.client_nonce or b""
    if len(nonce) < NONCE_OCTETS:
        raise VerificationError(f"the {message.tag} has no nonce of {NONCE_OCTETS} octets")
    if not same_udf(message.pin_id, pin.message_id):
        raise VerificationError(f"the {message.tag} is for another PIN")
    digest = check_digest(envelope_of(message.authenticated_data, "AuthenticatedData"), "AuthenticatedData")
    expected = ids.pin_witness(pin.salted_pin or "", pin.account or "", nonce, digest)
    if not hmac.compare_digest(expected, message.pin_witness or b""):
        raise VerificationError(f"the {message.tag} does not prove knowledge of the PIN")
