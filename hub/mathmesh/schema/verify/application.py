"""Verification of applications and of what a device gets of them (draft-hallambaker-mesh-schema §6, §9).

CatalogedApplication
  79. Key follows from its content: the UDF of ClientKey (SSH, VPN), `mailto:` and the address; it discloses
      no private key; its keys pass 25.
ApplicationEntry
  80. Identifier is the Key of the application;
  81. its activation is signed by the account's AdministratorSignature key, valid now (`allow_unsigned`: or
      not at all);
  82. the activation is of the type that goes with the entry;
  83. each key in it is private, the key whose UDF it bears, and the one the application publishes under that
      name.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from mathmesh.errors import EncodingError, VerificationError
from mathmesh.keys.keyring import Keyring
from mathmesh.keys.pair import PRIVATE_TAG
from mathmesh.schema.activation import (
    ActivationApplication,
    ActivationApplicationCallsign,
    ActivationApplicationGroup,
    ActivationApplicationMail,
    ActivationApplicationSsh,
)
from mathmesh.schema.application import (
    MAIL_KEY,
    CatalogedApplication,
    CatalogedApplicationMail,
    CatalogedApplicationSsh,
    CatalogedGroup,
)
from mathmesh.schema.application_entry import (
    ApplicationEntry,
    ApplicationEntryCallsign,
    ApplicationEntryGroup,
    ApplicationEntryMail,
    ApplicationEntrySsh,
)
from mathmesh.schema.key_data import KeyData, keys_within, same_udf
from mathmesh.schema.mesh_object import MeshObject, members
from mathmesh.schema.profile import ProfileUser
from mathmesh.schema.profile_validation import verify_profile_group
from mathmesh.schema.signed import check_signed_or_clear, envelope_of, exactly, is_unsigned, object_in
from mathmesh.schema.validation import administrator_key
from mathmesh.schema.validity import check_keys_valid
from mathmesh.schema.vpn import ActivationApplicationVpn, ApplicationEntryVpn, CatalogedApplicationVpn

ACTIVATIONS: dict[type[ApplicationEntry], type[ActivationApplication]] = {
    ApplicationEntrySsh: ActivationApplicationSsh,
    ApplicationEntryMail: ActivationApplicationMail,
    ApplicationEntryGroup: ActivationApplicationGroup,
    ApplicationEntryCallsign: ActivationApplicationCallsign,
    ApplicationEntryVpn: ActivationApplicationVpn,
}
"""Type of an entry → type of the activation in it."""

_OF_GROUP = {
    "account_encryption": "common_encryption",
    "account_authentication": "common_authentication",
    "administrator_signature": "administrator_signature",
}


def verify_cataloged_application(application: CatalogedApplication, *, now: datetime) -> CatalogedApplication:
    """`application`, after check 79."""
    for data in keys_within(application):
        if data.private_parameters is not None:
            raise VerificationError(f"application {application.key} discloses a private key")
        _check_name(data)
    check_keys_valid(application, now)
    if isinstance(application, CatalogedApplicationSsh | CatalogedApplicationVpn):
        named = application.client_key is not None and same_udf(application.key, application.client_key.udf)
    elif isinstance(application, CatalogedApplicationMail):
        named = application.key == MAIL_KEY + (application.account_address or "")
    else:
        named = bool(application.key)
    if not named:
        raise VerificationError(f"application {application.key} bears the name of another one")
    return application


def verify_application_entry(
    entry: MeshObject,
    *,
    application: CatalogedApplication,
    account: ProfileUser,
    keyring: Keyring,
    now: datetime,
    allow_unsigned: bool = False,
) -> ActivationApplication:
    """The activation in `entry` of a CatalogedDevice, after checks 80 to 83.

    `application` is the verified entry of MMM_Application, `account` the verified profile of the account
    and `keyring` holds the device's activated encryption key.
    """
    kind = ACTIVATIONS.get(type(entry)) if isinstance(entry, ApplicationEntry) else None
    if kind is None or not isinstance(entry, ApplicationEntry):
        raise VerificationError(f"a {entry.tag} activates no application")
    if not entry.identifier or entry.identifier != application.key:
        raise VerificationError(f"the entry is for application {entry.identifier}, not {application.key}")
    envelope = envelope_of(getattr(entry, "enveloped_activation", None), "EnvelopedActivation")
    signer = administrator_key(account, now)
    check_signed_or_clear(envelope, signer, kind.__name__, allow_unsigned=allow_unsigned)
    lax = allow_unsigned and is_unsigned(envelope)
    found = object_in(envelope, ActivationApplication, keyring=keyring, require_digest=not lax)
    activation = exactly(found, kind)
    check_keys_valid(activation, now)
    for name, data in _own_keys(activation):
        published = published_key(application, name, now)
        if data.private_parameters is None:
            raise VerificationError(f"the activation holds no private {name}")
        _check_name(data)
        if published is None or not same_udf(data.udf, published.udf):
            raise VerificationError(f"{name} of the activation is not the key of the application")
    return activation


def published_key(application: CatalogedApplication, name: str, now: datetime) -> KeyData | None:
    """The public key of `application` that the member `name` of an activation belongs to."""
    if isinstance(application, CatalogedGroup):
        profile = envelope_of(application.enveloped_profile_group, "EnvelopedProfileGroup")
        found = getattr(verify_profile_group(profile, now=now), _OF_GROUP.get(name, name), None)
    else:
        found = getattr(application, name, None)
    return found if isinstance(found, KeyData) else None


def _own_keys(activation: ActivationApplication) -> Iterator[tuple[str, KeyData]]:
    for member in members(type(activation)).values():
        value = getattr(activation, member.attribute)
        if isinstance(value, KeyData):
            yield member.attribute, value


def _check_name(data: KeyData) -> None:
    """Keys of our curves must bear their UDF; of others (RSA) the UDF is all that we know."""
    if data.private_parameters is not None and PRIVATE_TAG in data.private_parameters:
        data.private_key()
    elif data.public_parameters is not None and "PublicKeyECDH" in data.public_parameters:
        data.public_key()
    elif not data.udf:
        raise EncodingError("a key of an application has no Udf")
