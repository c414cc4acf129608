"""Verification of requests for connection, by witness or PIN (draft-hallambaker-mesh-schema §10).

RequestConnection, after 29 of `mathmesh.schema.verify.message`
  35. AuthenticatedData holds a device profile that passes 1 to 6 and 25;
  36. the message is signed by the Signature key of that profile (`allow_unsigned`: or not at all);
  37. AccountAddress is the account's;
  38. ClientNonce has at least 16 octets, and PinId comes with PinWitness.
AcknowledgeConnection, after 29
  39. it is signed by the ServiceSignature key of the service that the account's profile names by ServiceUdf
      (`allow_unsigned`: or not at all);
  40. the request it encloses passes 35 to 38; where the device's own request is given, it is that one octet
      for octet;
  41. ServerNonce has at least 16 octets;
  42. Witness is that of both profiles and both nonces, and MessageId is Witness;
  43. where a PIN is given, the request passes 34.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime

from mathmesh.dare.envelope import Envelope
from mathmesh.errors import VerificationError
from mathmesh.keys import ids
from mathmesh.keys.keyring import Keyring
from mathmesh.keys.pair import PublicKey
from mathmesh.schema.key_data import SIGNING, KeyData, same_udf
from mathmesh.schema.message_connection import AcknowledgeConnection, MessagePin, RequestConnection
from mathmesh.schema.pin import NONCE_OCTETS, check_pin_witness
from mathmesh.schema.profile import Profile, ProfileAccount, ProfileDevice, ProfileService, ProfileUser
from mathmesh.schema.profile_validation import verify_profile_device
from mathmesh.schema.signed import check_signed_by, check_signed_or_clear, envelope_of, is_unsigned
from mathmesh.schema.validity import key_in_use
from mathmesh.schema.verify.message import check_address, read_message


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedRequest:
    """A request and the device that made it."""

    request: RequestConnection
    profile_device: ProfileDevice
    profile_envelope: Envelope


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedAcknowledgement:
    """A request as the service passed it on; `pin` is the one whose knowledge the device proved."""

    acknowledgement: AcknowledgeConnection
    requested: VerifiedRequest
    witness: str
    pin: MessagePin | None

    @property
    def automatic(self) -> bool:
        """Whether the account said beforehand that this request may be accepted without asking."""
        return self.pin is not None and self.pin.automatic is True

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that were set down with the PIN."""
        return (self.pin.roles or ()) if self.pin is not None else ()


def verify_request_connection(
    envelope: Envelope,
    *,
    account_address: str,
    now: datetime,
    keyring: Keyring | None = None,
    allow_unsigned: bool = False,
) -> VerifiedRequest:
    """The request in `envelope` to the account at `account_address`, after checks 29 and 35 to 38."""
    request = read_message(envelope, RequestConnection, keyring=keyring, allow_unsigned=allow_unsigned)
    profile_envelope = envelope_of(request.authenticated_data, "AuthenticatedData")
    device = verify_profile_device(profile_envelope, now=now)
    signer = key_in_use(device.signature, "Signature in the device's profile", now)
    check_signed_or_clear(envelope, signer, "RequestConnection", allow_unsigned=allow_unsigned)
    check_address(request.account_address, account_address, "RequestConnection.AccountAddress")
    if len(request.client_nonce or b"") < NONCE_OCTETS:
        raise VerificationError(f"the request has no nonce of {NONCE_OCTETS} octets")
    if (request.pin_id is None) != (request.pin_witness is None):
        raise VerificationError("the request names a PIN and does not prove it")
    return VerifiedRequest(request=request, profile_device=device, profile_envelope=profile_envelope)


def verify_acknowledge_connection(
    envelope: Envelope,
    *,
    account: ProfileUser,
    service: ProfileService | None,
    now: datetime,
    keyring: Keyring | None = None,
    own_request: Envelope | None = None,
    pin: MessagePin | None = None,
    allow_unsigned: bool = False,
) -> VerifiedAcknowledgement:
    """The acknowledgement in `envelope` of a request to the verified `account`, after checks 39 to 43.

    `service` is the verified profile of the account's service; None will do for unsigned ones only. The
    device gives `own_request` and compares `witness` with what the administrator sees; the administrator
    gives the verified `pin` that the request names, where there is one.
    """
    if not (allow_unsigned and is_unsigned(envelope)):
        check_signed_by(envelope, service_key(service, account, now), "AcknowledgeConnection")
    message = read_message(envelope, AcknowledgeConnection, keyring=keyring, allow_unsigned=allow_unsigned)
    enclosed = envelope_of(message.enveloped_request_connection, "EnvelopedRequestConnection")
    if own_request is not None and enclosed.body != own_request.body:
        raise VerificationError("the service acknowledges another request than this device made")
    requested = verify_request_connection(
        enclosed, account_address=account.account_address or "", now=now, allow_unsigned=allow_unsigned
    )
    witness = connection_witness(account, message.server_nonce, requested)
    for stated in (message.witness, message.message_id):
        if not hmac.compare_digest((stated or "").encode(), witness.encode()):
            raise VerificationError("the witness is not that of this account, this device and their nonces")
    if pin is not None:
        check_pin_witness(requested.request, pin)
    return VerifiedAcknowledgement(acknowledgement=message, requested=requested, witness=witness, pin=pin)


def connection_witness(account: ProfileUser, server_nonce: bytes | None, requested: VerifiedRequest) -> str:
    """The witness of a request: 140 bits in the form of a UDF, without a type."""
    if len(server_nonce or b"") < NONCE_OCTETS:
        raise VerificationError(f"the service gave no nonce of {NONCE_OCTETS} octets")
    return ids.connection_witness(
        _fingerprint(account),
        server_nonce or b"",
        _fingerprint(requested.profile_device),
        requested.request.client_nonce or b"",
    )


def service_key(service: ProfileService | None, account: ProfileAccount, now: datetime) -> PublicKey:
    """The key with which the service of `account` signs; VerificationError when `service` is another one."""
    if service is None or not same_udf(service.udf, account.service_udf):
        raise VerificationError(f"the profile of the account's service {account.service_udf} is needed")
    return key_in_use(service.service_signature, "ServiceSignature", now)


def _fingerprint(profile: Profile) -> bytes:
    return (profile.profile_signature or KeyData()).public_key(SIGNING).udf_bytes
