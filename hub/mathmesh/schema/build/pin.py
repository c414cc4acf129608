"""PINs and the requests that make use of them (mesh-schema §10; protocol book)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from mathmesh.codec import uri
from mathmesh.dare.envelope import Envelope
from mathmesh.errors import LocalProtocolError
from mathmesh.keys import ids
from mathmesh.keys.pair import PrivateKey, PublicKey
from mathmesh.schema.build.enveloped import enveloped, seconds
from mathmesh.schema.message_connection import CONTACT, DEVICE, MessagePin
from mathmesh.schema.pin import NONCE_OCTETS
from mathmesh.schema.signed import check_digest
from mathmesh.types import Entropy

LIFE = timedelta(days=1)


def make_message_pin(
    pin: str,
    *,
    account: str,
    signer: PrivateKey,
    recipient: PublicKey,
    entropy: Entropy,
    now: datetime,
    action: str = DEVICE,
    expires: datetime | None = None,
    automatic: bool = False,
    roles: Sequence[str] | None = None,
) -> Envelope:
    """What the account at the address `account` keeps of `pin` (a UDF of type A), for its Local spool.

    `signer` is its CommonSignature and `recipient` its CommonEncryption key: the service sees nothing. The
    PIN ends after one day unless `expires` says otherwise; with `automatic`, who proves it for the action
    Device is accepted with `roles` and without asking.
    """
    if action not in (DEVICE, CONTACT):
        raise LocalProtocolError(f"there are no PINs for {action}")
    account = uri.account_address(account)
    salted = ids.salted_pin(pin, action)
    message = MessagePin(
        message_id=ids.pin_id(salted, account),
        account=account,
        expires=seconds(expires if expires is not None else now + LIFE),
        automatic=automatic,
        salted_pin=salted,
        action=action,
        roles=tuple(roles) if roles is not None else None,
    )
    return enveloped(message, entropy=entropy, now=now, signer=signer, recipients=[recipient])


def prove_pin(pin: str, action: str, account: str, data: Envelope, client_nonce: bytes) -> tuple[str, bytes]:
    """PinId and PinWitness: the proof to the account at `account` that the sender of `data` knows `pin`."""
    if len(client_nonce) < NONCE_OCTETS:
        raise LocalProtocolError(f"a nonce of {NONCE_OCTETS} octets is wanted")
    salted = ids.salted_pin(pin, action)
    digest = check_digest(data, "what a PIN vouches for")
    return ids.pin_id(salted, account), ids.pin_witness(salted, account, client_nonce, digest)
