"""Verification of the answer to a device (draft-hallambaker-mesh-schema §10; protocol book).

RespondConnection, opened with the device's base encryption key
  44. MessageId is the ResponseId of the request (or of the acknowledgement, or the claim);
  45. Result is Accept, Reject, Pending or Expired, and Accept comes with a CatalogedDevice, the others with
      none;
  46. the account is the one the device expects: the given profile, UDF and address;
  47. the message is signed by the CommonSignature key of that account, valid now (`allow_unsigned`: or not
      at all); Sender is its address;
  48. the entry passes 12 to 15 and 25 for this account and is for this device; the service the account names
      is the one expected;
  49. PinProof, which must be there where it is required, shows that the administrator knew the PIN.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime

from mathmesh.dare.envelope import Envelope
from mathmesh.errors import LocalProtocolError, VerificationError
from mathmesh.keys import ids
from mathmesh.keys.keyring import Keyring
from mathmesh.schema.key_data import same_udf
from mathmesh.schema.message import ACCEPT, RESULTS, RespondConnection
from mathmesh.schema.message_connection import DEVICE
from mathmesh.schema.pin import pin_proof
from mathmesh.schema.profile import ProfileDevice, ProfileUser
from mathmesh.schema.profile_validation import verify_profile_user
from mathmesh.schema.signed import check_signed_or_clear, envelope_of
from mathmesh.schema.validation import VerifiedDevice, verify_cataloged_device
from mathmesh.schema.validity import key_in_use
from mathmesh.schema.verify.message import check_address, read_message


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the device knows of the account that answers; at least one member must be given.

    `profile` is the verified profile that it was shown, `udf` and `address` are those of the account
    (ClaimantUdf and Sender of a claim), `service_udf` is the service it asked.
    """

    profile: ProfileUser | None = None
    udf: str | None = None
    address: str | None = None
    service_udf: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PinUse:
    """The PIN that the device used and the nonce of its request; `required` refuses answers without proof."""

    pin: str
    client_nonce: bytes
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedResponse:
    """An answer; `device` is there when it is Accept."""

    message: RespondConnection
    device: VerifiedDevice | None

    @property
    def accepted(self) -> bool:
        """Whether the device is now one of the account."""
        return self.device is not None


def verify_respond_connection(
    envelope: Envelope,
    *,
    request_id: str,
    device: ProfileDevice,
    expected: Expected,
    keyring: Keyring,
    now: datetime,
    pin: PinUse | None = None,
    allow_unsigned: bool = False,
) -> VerifiedResponse:
    """The answer in `envelope` to the request with the MessageId `request_id`, after checks 29 and 44 to 49.

    `device` is the device's own profile, `keyring` holds its base encryption key.
    """
    message = read_message(envelope, RespondConnection, keyring=keyring, allow_unsigned=allow_unsigned)
    if not same_udf(message.message_id, ids.response_id(request_id)):
        raise VerificationError("the message answers another request")
    if message.result not in RESULTS or (message.result == ACCEPT) != (message.cataloged_device is not None):
        raise VerificationError(f"an answer {message.result} cannot be what was sent")
    account = _account(message, expected, now)
    signer = key_in_use(account.common_signature, "CommonSignature in the account's profile", now)
    check_signed_or_clear(envelope, signer, "RespondConnection", allow_unsigned=allow_unsigned)
    if not allow_unsigned or message.sender is not None:
        check_address(message.sender, account.account_address, "RespondConnection.Sender")
    verified = None
    if message.cataloged_device is not None:
        verified = verify_cataloged_device(message.cataloged_device, account, base_keyring=keyring, now=now)
        if not same_udf(verified.profile_device.udf, device.udf):
            raise VerificationError(f"the answer is for device {verified.profile_device.udf}")
        _check_pin_proof(message, account, pin)
    return VerifiedResponse(message=message, device=verified)


def _account(message: RespondConnection, expected: Expected, now: datetime) -> ProfileUser:
    """The account that answers, after check 46."""
    if expected.profile is None and expected.udf is None and expected.address is None:
        raise LocalProtocolError("a device must know something of the account it joins")
    account = expected.profile
    if message.cataloged_device is not None:
        carried = envelope_of(message.cataloged_device.enveloped_profile_user, "EnvelopedProfileUser")
        account = verify_profile_user(carried, now=now)
    if account is None:
        raise VerificationError("the answer is a refusal by an account whose profile is not known")
    pinned = expected.udf or (expected.profile.udf if expected.profile is not None else None)
    if pinned is not None and not same_udf(pinned, account.udf):
        raise VerificationError(f"account {account.udf} answers for {pinned}")
    if expected.address is not None:
        check_address(account.account_address, expected.address, "the address of the account")
    if expected.service_udf is not None and not same_udf(expected.service_udf, account.service_udf):
        raise VerificationError(f"the account is hosted by {account.service_udf}")
    return account


def _check_pin_proof(message: RespondConnection, account: ProfileUser, pin: PinUse | None) -> None:
    if pin is None or (message.pin_proof is None and not pin.required):
        return
    salted = ids.salted_pin(pin.pin, DEVICE)
    proof = pin_proof(salted, account.account_address or "", account.udf, pin.client_nonce)
    if not hmac.compare_digest(proof, message.pin_proof or b""):
        raise VerificationError("the answer does not prove that the account gave out the PIN")
