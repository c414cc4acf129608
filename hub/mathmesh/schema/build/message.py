"""Messages of the connection of a device, all signed by their sender (mesh-schema §10; protocol book)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from mathmesh.codec import uri
from mathmesh.dare.envelope import Envelope
from mathmesh.errors import LocalProtocolError
from mathmesh.keys import earl, ids
from mathmesh.keys.pair import PrivateKey
from mathmesh.schema.build.enveloped import enveloped, seconds
from mathmesh.schema.cataloged import CatalogedDevice
from mathmesh.schema.claim import device_proof
from mathmesh.schema.key_data import AGREEMENT
from mathmesh.schema.message import RESULTS, MessageClaim, MessageComplete, Reference, RespondConnection
from mathmesh.schema.profile import ProfileDevice
from mathmesh.types import Entropy


def make_message_claim(
    k: bytes,
    *,
    sender: str,
    recipient: str,
    claimant_udf: str,
    signer: PrivateKey,
    entropy: Entropy,
    now: datetime,
    expires: datetime | None = None,
) -> Envelope:
    """The claim of the publication with the secret `k` by the account `claimant_udf` at the address `sender`.

    `recipient` is the maker's address, `signer` the account's CommonSignature key. Addresses are
    lower-cased: the MACs cover the text of `sender`.
    """
    sender = uri.account_address(sender)
    message_id = ids.nonce_id(entropy)
    device_key = earl.device_authenticator(k)
    claim = MessageClaim(
        message_id=message_id,
        sender=sender,
        recipient=uri.account_address(recipient),
        publication_id=earl.publication_id(k),
        service_authenticate=earl.claim_mac(earl.service_authenticator(k), sender),
        device_authenticate=earl.claim_mac(device_key, sender),
        expires=seconds(expires) if expires else None,
        claimant_udf=claimant_udf,
        device_proof=device_proof(device_key, sender, claimant_udf, message_id),
    )
    return enveloped(claim, entropy=entropy, now=now, signer=signer)


def make_respond_connection(
    request_id: str,
    result: str,
    cataloged: CatalogedDevice | None,
    device: ProfileDevice,
    *,
    sender: str,
    recipient: str | None = None,
    signer: PrivateKey,
    entropy: Entropy,
    now: datetime,
    proof: bytes | None = None,
) -> Envelope:
    """The answer to the request or claim with the MessageId `request_id`, for the device with the profile
    `device`.

    It is encrypted to the device's base encryption key; its id follows from `request_id`, so the device can
    ask for it. `cataloged` is there exactly when `result` is Accept. `proof` is that of `pin_proof`, where
    the device used a PIN.
    """
    if result not in RESULTS or (result == "Accept") != (cataloged is not None) or device.encryption is None:
        raise LocalProtocolError(f"an answer {result} cannot be made of this")
    message = RespondConnection(
        message_id=ids.response_id(request_id),
        sender=uri.account_address(sender),
        recipient=recipient,
        result=result,
        cataloged_device=cataloged,
        pin_proof=proof,
    )
    base = device.encryption.public_key(AGREEMENT)
    return enveloped(message, entropy=entropy, now=now, signer=signer, recipients=[base])


def make_message_complete(
    references: Sequence[Reference],
    *,
    sender: str,
    recipient: str | None = None,
    signer: PrivateKey,
    entropy: Entropy,
    now: datetime,
) -> Envelope:
    """The statement of `sender` that the messages of `references` have the states given there."""
    message = MessageComplete(
        message_id=ids.nonce_id(entropy),
        sender=uri.account_address(sender),
        recipient=recipient,
        references=tuple(references),
    )
    return enveloped(message, entropy=entropy, now=now, signer=signer)
