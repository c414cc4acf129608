"""Requests for connection and their acknowledgement (mesh-schema §10; protocol book)."""

from __future__ import annotations

from datetime import datetime

from mathmesh.codec import uri
from mathmesh.dare.envelope import Envelope
from mathmesh.errors import PolicyError
from mathmesh.keys import ids
from mathmesh.keys.pair import PrivateKey, PublicKey
from mathmesh.schema.build.enveloped import enveloped
from mathmesh.schema.build.pin import prove_pin
from mathmesh.schema.message_connection import DEVICE, AcknowledgeConnection, RequestConnection
from mathmesh.schema.pin import NONCE_OCTETS
from mathmesh.schema.profile import ProfileUser
from mathmesh.schema.profile_validation import verify_profile_device
from mathmesh.schema.verify.connection_request import connection_witness, verify_request_connection
from mathmesh.types import Entropy


def make_request_connection(
    profile_device: Envelope,
    *,
    account_address: str,
    signer: PrivateKey,
    entropy: Entropy,
    now: datetime,
    pin: str | None = None,
) -> Envelope:
    """The request of the device with `profile_device` to the account at `account_address`.

    `signer` is the device's base Signature key; `pin` the PIN that the account gave out, where there is one.
    Raises PolicyError when the key is not the device's.
    """
    device = verify_profile_device(profile_device)
    if device.signature is None or device.signature.udf != signer.public.udf:
        raise PolicyError(f"key {signer.public.udf} is not that of device {device.udf}")
    account_address = uri.account_address(account_address)
    message_id = ids.nonce_id(entropy)
    nonce = entropy(NONCE_OCTETS)
    pin_id = witness = None
    if pin is not None:
        pin_id, witness = prove_pin(pin, DEVICE, account_address, profile_device, nonce)
    request = RequestConnection(
        message_id=message_id,
        authenticated_data=profile_device,
        client_nonce=nonce,
        pin_id=pin_id,
        pin_witness=witness,
        account_address=account_address,
    )
    return enveloped(request, entropy=entropy, now=now, signer=signer)


def make_acknowledge_connection(
    request: Envelope,
    *,
    account: ProfileUser,
    signer: PrivateKey,
    entropy: Entropy,
    now: datetime,
    recipient: PublicKey | None = None,
    allow_unsigned: bool = False,
) -> Envelope:
    """The acknowledgement of `request` by the service of the verified `account`, for its Inbound spool.

    The request is verified first, `allow_unsigned` as there. `signer` is the ServiceSignature key of the
    service; `recipient` encrypts the account's copy (the device is sent one in clear).
    """
    requested = verify_request_connection(
        request, account_address=account.account_address or "", now=now, allow_unsigned=allow_unsigned
    )
    nonce = entropy(NONCE_OCTETS)
    witness = connection_witness(account, nonce, requested)
    message = AcknowledgeConnection(
        message_id=witness,
        recipient=account.account_address,
        enveloped_request_connection=request,
        server_nonce=nonce,
        witness=witness,
    )
    recipients = [recipient] if recipient is not None else []
    return enveloped(message, entropy=entropy, now=now, signer=signer, recipients=recipients)
