"""Verification of a PIN that the account gave out (draft-hallambaker-mesh-schema §10; protocol book).

MessagePin, after 26 and 29 of `mathmesh.schema.verify.message`
  30. MessageId is the PinId that follows from SaltedPin and Account, and the one asked for;
  31. Account is the account's address, Action the one wanted;
  32. Expires is stated and later than now;
  33. the PIN was not used before: the state of the message in its spool is not Closed.
A message that proves knowledge of the PIN
  34. as in `mathmesh.schema.pin.check_pin_witness`.
"""

from __future__ import annotations

from datetime import datetime

from mathmesh.dare.envelope import Envelope
from mathmesh.errors import VerificationError
from mathmesh.keys import ids
from mathmesh.keys.keyring import Keyring
from mathmesh.schema.key_data import same_udf
from mathmesh.schema.message import CLOSED
from mathmesh.schema.message_connection import MessagePin
from mathmesh.schema.profile import ProfileUser
from mathmesh.schema.signed import check_signed_or_clear
from mathmesh.schema.validity import check_not_expired, key_in_use
from mathmesh.schema.verify.message import check_address, read_message


def verify_message_pin(
    envelope: Envelope,
    *,
    account: ProfileUser,
    action: str,
    state: str,
    now: datetime,
    keyring: Keyring | None = None,
    pin_id: str | None = None,
    allow_unsigned: bool = False,
) -> MessagePin:
    """The PIN in `envelope` of the Local spool of `account`, after checks 26 and 29 to 33.

    `action` is Device or Contact, `state` what the spool says of the message, `keyring` holds the account's
    CommonEncryption key and `pin_id` is that of the message that makes use of the PIN.
    """
    signer = key_in_use(account.common_signature, "CommonSignature in the account's profile", now)
    check_signed_or_clear(envelope, signer, "MessagePin", allow_unsigned=allow_unsigned)
    pin = read_message(envelope, MessagePin, keyring=keyring, allow_unsigned=allow_unsigned)
    check_address(pin.account, account.account_address, "MessagePin.Account")
    expected = ids.pin_id(pin.salted_pin or "", pin.account or "")
    if not same_udf(pin.message_id, expected) or not same_udf(pin_id or expected, expected):
        raise VerificationError("the MessagePin is filed under the name of another PIN")
    if pin.action != action:
        raise VerificationError(f"the PIN is for the action {pin.action}, not {action}")
    if pin.expires is None:
        raise VerificationError("the PIN states no end; give out a new one")
    check_not_expired(pin.expires, now, "the PIN")
    if state == CLOSED:
        raise VerificationError("the PIN was used before; give out a new one")
    return pin
