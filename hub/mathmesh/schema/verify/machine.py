"""Verification of what a machine keeps about itself (draft-hallambaker-mesh-schema §9).

The entries are local, but they outlive restarts and restores. Any CatalogedMachine has an Id, and
  96. CatalogedStandard: its account's profile passes 1 to 6, its CatalogedDevice 12 to 15, both 25;
  97. CatalogedPending: its device profile passes 1 to 6 and 25 and is that of DeviceUDF; its acknowledgement
      passes 39 to 42 for the account's profile and is that of this device;
  98. CatalogedPreconfigured: its device profile passes 1 to 6 and 25, and PublicationId and both
      authenticators are there, as keys of type E;
  99. CatalogedService: both profiles pass 1 to 6 and 25, and the connection of the host passes 91 to 93.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mathmesh.codec import udf
from mathmesh.errors import VerificationError
from mathmesh.keys.keyring import Keyring
from mathmesh.schema.key_data import same_udf
from mathmesh.schema.machine import (
    CatalogedMachine,
    CatalogedPending,
    CatalogedPreconfigured,
    CatalogedService,
    CatalogedStandard,
)
from mathmesh.schema.profile import ProfileDevice, ProfileHost, ProfileService, ProfileUser
from mathmesh.schema.profile_validation import (
    verify_profile_device,
    verify_profile_host,
    verify_profile_service,
    verify_profile_user,
)
from mathmesh.schema.signed import envelope_of
from mathmesh.schema.validation import VerifiedDevice, verify_cataloged_device
from mathmesh.schema.verify.connection_request import VerifiedAcknowledgement, verify_acknowledge_connection
from mathmesh.schema.verify.host import verify_activation_host, verify_connection_host


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedMachine:
    """An entry and what of its content was verified."""

    entry: CatalogedMachine
    account: ProfileUser | None = None
    device: VerifiedDevice | None = None
    profile_device: ProfileDevice | None = None
    acknowledgement: VerifiedAcknowledgement | None = None
    service: ProfileService | None = None
    host: ProfileHost | None = None


def verify_cataloged_machine(
    entry: CatalogedMachine,
    *,
    now: datetime,
    service: ProfileService | None = None,
    keyring: Keyring | None = None,
    allow_unsigned: bool = False,
) -> VerifiedMachine:
    """`entry`, after the check of 96 to 99 that goes with its type.

    `service` is the verified profile of the service that acknowledged a pending request, `keyring` holds
    the base encryption key of a host; `allow_unsigned` is about the acknowledgement.
    """
    if not entry.id:
        raise VerificationError("the entry of the machine has no Id")
    if isinstance(entry, CatalogedStandard):
        return _standard(entry, now)
    if isinstance(entry, CatalogedPending):
        return _pending(entry, service, now, allow_unsigned)
    if isinstance(entry, CatalogedPreconfigured):
        return _preconfigured(entry, now)
    if isinstance(entry, CatalogedService):
        return _service(entry, keyring, now)
    raise VerificationError(f"a {entry.tag} is no state of a machine")


def _account(entry: CatalogedMachine, now: datetime) -> ProfileUser:
    return verify_profile_user(
        envelope_of(entry.enveloped_profile_account, "EnvelopedProfileAccount"), now=now
    )


def _standard(entry: CatalogedStandard, now: datetime) -> VerifiedMachine:
    account = _account(entry, now)
    if entry.cataloged_device is None:
        raise VerificationError("a machine that is connected has no CatalogedDevice")
    device = verify_cataloged_device(entry.cataloged_device, account, now=now)
    return VerifiedMachine(entry=entry, account=account, device=device, profile_device=device.profile_device)


def _pending(
    entry: CatalogedPending, service: ProfileService | None, now: datetime, allow_unsigned: bool
) -> VerifiedMachine:
    account = _account(entry, now)
    device = verify_profile_device(
        envelope_of(entry.enveloped_profile_device, "EnvelopedProfileDevice"), now=now
    )
    acknowledgement = verify_acknowledge_connection(
        envelope_of(entry.enveloped_acknowledge_connection, "EnvelopedAcknowledgeConnection"),
        account=account,
        service=service,
        now=now,
        allow_unsigned=allow_unsigned,
    )
    for udf_text in (entry.device_udf, acknowledgement.requested.profile_device.udf):
        if not same_udf(udf_text, device.udf):
            raise VerificationError(f"the entry of device {device.udf} is about {udf_text}")
    return VerifiedMachine(
        entry=entry, account=account, profile_device=device, acknowledgement=acknowledgement
    )


def _preconfigured(entry: CatalogedPreconfigured, now: datetime) -> VerifiedMachine:
    device = verify_profile_device(
        envelope_of(entry.enveloped_profile_device, "EnvelopedProfileDevice"), now=now
    )
    for name in (entry.publication_id, entry.service_authenticator, entry.device_authenticator):
        if name is None or udf.parse(name)[0] != udf.ENCRYPTION:
            raise VerificationError("the entry lacks what shows that a claim is genuine; install it anew")
    return VerifiedMachine(entry=entry, profile_device=device)


def _service(entry: CatalogedService, keyring: Keyring | None, now: datetime) -> VerifiedMachine:
    service = verify_profile_service(
        envelope_of(entry.enveloped_profile_service, "EnvelopedProfileService"), now=now
    )
    host = verify_profile_host(envelope_of(entry.enveloped_profile_host, "EnvelopedProfileHost"), now=now)
    activation = None
    if entry.enveloped_activation_host is not None and keyring is not None:
        activation = verify_activation_host(
            entry.enveloped_activation_host, service=service, keyring=keyring, now=now
        )
    known = host if entry.enveloped_activation_host is None or activation is not None else None
    verify_connection_host(
        envelope_of(entry.enveloped_connection_service, "EnvelopedConnectionService"),
        service=service,
        now=now,
        host=known,
        activation=activation,
    )
    return VerifiedMachine(entry=entry, service=service, host=host)
