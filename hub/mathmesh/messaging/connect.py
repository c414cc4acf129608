"""Connecting a device: the device's side of all ways, and the administrator's answers (mesh-schema §10,
mesh-protocol Connect and Complete).

Conversations are generators, as in `mathmesh.messaging.static_qr`; an administrator's step is a `Changes`
for one transaction.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from mathmesh.codec import udf, uri
from mathmesh.dare.envelope import Envelope
from mathmesh.errors import PolicyError, ProtocolError
from mathmesh.keys import derive, ids
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.keys.pair import PrivateKey, PublicKey
from mathmesh.messaging.effects import Changes
from mathmesh.messaging.granting import Granter, grant
from mathmesh.messaging.sender import Sender
from mathmesh.schema.activated import BASE, ENCRYPT, SIGN, activated_authentication
from mathmesh.schema.build import (
    make_access_capability,
    make_cataloged_device,
    make_message_pin,
    make_null_capability,
    make_profile_device,
    make_request_connection,
    make_respond_connection,
)
from mathmesh.schema.build.capability import Service
from mathmesh.schema.build.enveloped import enveloped, seconds
from mathmesh.schema.capability import AccessCapability, CryptographicCapability
from mathmesh.schema.cataloged import CatalogedAccess, CatalogedDevice
from mathmesh.schema.claim import verify_message_claim
from mathmesh.schema.connection import ConnectionDevice, ConnectionService
from mathmesh.schema.key_data import KeyData, same_udf
from mathmesh.schema.machine import CatalogedPending, CatalogedPreconfigured
from mathmesh.schema.mesh_object import MeshObject
from mathmesh.schema.message import MessageClaim
from mathmesh.schema.message_connection import DEVICE as DEVICE_ACTION
from mathmesh.schema.message_connection import AcknowledgeConnection, RequestConnection
from mathmesh.schema.pin import new_pin, pin_proof
from mathmesh.schema.profile import ProfileDevice, ProfileUser
from mathmesh.schema.signed import envelope_of, object_in
from mathmesh.schema.validation import (
    verify_cataloged_device,
    verify_profile_device,
    verify_profile_service,
    verify_profile_user,
)
from mathmesh.schema.verify import (
    Expected,
    PinUse,
    VerifiedAcknowledgement,
    VerifiedResponse,
    verify_acknowledge_connection,
    verify_respond_connection,
)
from mathmesh.service import messages as wire
from mathmesh.service.client import ServiceRefusal
from mathmesh.stores import ACCESS, DEVICE
from mathmesh.types import Entropy


# -- the device ----------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class NewDevice:
    """A device before it is in an account: its seed (type 0x0100) and the time in its profile."""

    seed: str = field(repr=False)
    created: datetime

    @classmethod
    def fresh(cls, entropy: Entropy, now: datetime) -> NewDevice:
        """A device that nobody knows yet."""
        return cls(seed=derive.new_seed(derive.PROFILE_DEVICE, entropy), created=now.replace(microsecond=0))

    @property
    def profile_envelope(self) -> Envelope:
        """Its profile."""
        return make_profile_device(self.seed, self.created)

    @property
    def profile(self) -> ProfileDevice:
        """Its profile, verified."""
        return verify_profile_device(self.profile_envelope)

    @property
    def keyring(self) -> MemoryKeyring:
        """Its base encryption key."""
        return MemoryKeyring([derive.derive_key(self.seed, BASE + ENCRYPT)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """A request that the service has taken: what the device keeps, and the witness for people to compare."""

    pending: CatalogedPending
    request: Envelope
    profile: ProfileUser
    witness: str


def parse_invitation(text: str, pin: str | None) -> tuple[str, str | None]:
    """Account and PIN of an address, or of the URI that an administrator shows.

    Raises EncodingError for neither, PolicyError for the code of a label or a second PIN.
    """
    if not text.lower().startswith(uri.MCU):
        return uri.account_address(text), udf.canonical(pin) if pin else None
    account, key = uri.parse_mcu(text)
    if udf.parse(key)[0] != udf.MAC:
        raise PolicyError("this code is the label of a device; its owner connects it, not the device")
    if pin is not None and not same_udf(pin, key):
        raise PolicyError("the code has a PIN already")
    return account, key


def request(
    device: NewDevice,
    account: str,
    pin: str | None,
    rights: Sequence[str],
    *,
    entropy: Entropy,
    now: datetime,
) -> Generator[wire.Request, wire.Response, Requested]:
    """Ask the service of `account` for the connection of `device`, with a PIN that the account gave out or
    without one.
    """
    hello = yield wire.HelloRequest()
    if not isinstance(hello, wire.MeshHelloResponse) or hello.enveloped_profile_service is None:
        raise ProtocolError("the service states no profile")
    service = verify_profile_service(hello.enveloped_profile_service, now=now)
    made = make_request_connection(
        device.profile_envelope,
        account_address=account,
        signer=derive.derive_key(device.seed, BASE + SIGN),
        entropy=entropy,
        now=now,
        pin=pin,
    )
    response = yield wire.ConnectRequest(enveloped_request_connection=made, rights=tuple(rights))
    if not isinstance(response, wire.ConnectResponse):
        raise ProtocolError("the service did not acknowledge the request")
    profile_envelope = envelope_of(response.enveloped_profile_account, "EnvelopedProfileAccount")
    profile = verify_profile_user(profile_envelope, now=now)
    acknowledgement = envelope_of(response.enveloped_acknowledge_connection, "EnvelopedAcknowledgeConnection")
    verified = verify_acknowledge_connection(
        acknowledgement, account=profile, service=service, now=now, own_request=made
    )
    pending = CatalogedPending(
        id=device.profile.udf,
        device_udf=device.profile.udf,
        enveloped_profile_account=profile_envelope,
        enveloped_profile_device=device.profile_envelope,
        enveloped_acknowledge_connection=acknowledgement,
        account_address=account,
    )
    return Requested(pending=pending, request=made, profile=profile, witness=verified.witness)


def complete(
    device: NewDevice, pending: CatalogedPending, sent: Envelope, pin: str | None, *, now: datetime
) -> Generator[wire.Request, wire.Response, VerifiedResponse | None]:
    """Fetch the answer to the request `sent`; None while there is none.

    With a PIN the answer must prove that the administrator knew it.
    """
    profile = verify_profile_user(
        envelope_of(pending.enveloped_profile_account, "EnvelopedProfileAccount"), now=now
    )
    message = object_in(sent, RequestConnection)
    witness = _witness(pending)
    use = PinUse(pin=pin, client_nonce=message.client_nonce or b"", required=True) if pin else None
    expected = Expected(profile=profile, address=pending.account_address, service_udf=profile.service_udf)
    answer = yield from _fetch(pending.account_address or "", witness)
    if answer is None:
        return None
    return verify_respond_connection(
        answer,
        request_id=witness,
        device=device.profile,
        expected=expected,
        keyring=device.keyring,
        now=now,
        pin=use,
    )


def poll_claim(
    preconfigured: CatalogedPreconfigured, *, now: datetime
) -> Generator[wire.Request, wire.Response, MessageClaim | None]:
    """Ask the maker's service by whom the device was claimed; None while it was not.

    The claimant has proved that it read the label, and which account it is.
    """
    question = wire.PollClaimRequest(
        target_account_address=preconfigured.account_address, publication_id=preconfigured.publication_id
    )
    try:
        response = yield question
    except ServiceRefusal as refusal:
        if refusal.status == wire.NOT_FOUND:
            return None
        raise
    if not isinstance(response, wire.PollClaimResponse) or response.enveloped_message is None:
        return None
    claim = verify_message_claim(
        response.enveloped_message,
        claimant=None,
        publication_id=preconfigured.publication_id or "",
        service_authenticator=preconfigured.service_authenticator or "",
        device_authenticator=preconfigured.device_authenticator,
        recipient=preconfigured.account_address,
        now=now,
    )
    if claim.claimant_udf is None:
        raise PolicyError("the claim does not say by which account; ask its owner for a program that does")
    return claim


def complete_claim(
    device: NewDevice, claim: MessageClaim, *, now: datetime
) -> Generator[wire.Request, wire.Response, VerifiedResponse | None]:
    """Fetch the answer that the claimant left for the device; None while there is none."""
    answer = yield from _fetch(claim.sender or "", claim.message_id or "")
    if answer is None:
        return None
    return verify_respond_connection(
        answer,
        request_id=claim.message_id or "",
        device=device.profile,
        expected=Expected(udf=claim.claimant_udf, address=claim.sender),
        keyring=device.keyring,
        now=now,
    )


def _fetch(account: str, request_id: str) -> Generator[wire.Request, wire.Response, Envelope | None]:
    question = wire.CompleteRequest(account_address=account, response_id=ids.response_id(request_id))
    try:
        response = yield question
    except ServiceRefusal as refusal:
        if refusal.status in (wire.BAD_REQUEST, wire.NOT_FOUND):
            return None
        raise
    return response.enveloped_respond_connection if isinstance(response, wire.CompleteResponse) else None


def _witness(pending: CatalogedPending) -> str:
    envelope = envelope_of(pending.enveloped_acknowledge_connection, "EnvelopedAcknowledgeConnection")
    return object_in(envelope, AcknowledgeConnection).witness or ""


# -- the administrator ---------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Administrator:
    """An administrator of an account: what it signs and grants with."""

    sender: Sender
    signature: PrivateKey = field(repr=False)
    granter: Granter
    service: Service

    def connect(
        self,
        profile_device: Envelope,
        roles: Sequence[str],
        *,
        local_name: str | None = None,
        expires: datetime | None = None,
    ) -> tuple[CatalogedDevice, list[CatalogedAccess]]:
        """The entries that make a device one of the account with `roles`, which end at `expires`."""
        sender = self.sender
        seed = derive.new_seed(derive.ACTIVATION_ACCOUNT, sender.entropy)
        device = verify_profile_device(profile_device, now=sender.now)
        return self.cataloged(profile_device, device, seed, roles, local_name=local_name, expires=expires)

    def cataloged(
        self,
        profile_device: Envelope,
        device: ProfileDevice,
        activation: str,
        roles: Sequence[str],
        *,
        local_name: str | None = None,
        expires: datetime | None = None,
    ) -> tuple[CatalogedDevice, list[CatalogedAccess]]:
        """As `connect`, for a device with this activation."""
        sender = self.sender
        granted = grant(
            self.granter,
            roles,
            device_key_id=activated_authentication(device, activation).udf,
            service=self.service,
            entropy=sender.entropy,
            now=sender.now,
        )
        entry = make_cataloged_device(
            sender.profile_envelope,
            profile_device,
            self.signature,
            roles,
            activation,
            sender.entropy,
            sender.now,
            granted.common,
            local_name=local_name,
            expires=expires,
        )
        access = make_access_capability(
            entry, sender.entropy, sender.now, administrator=self.signature, rights=roles
        )
        return entry, [access, *granted.access]

    def regrant(
        self, entry: CatalogedDevice, roles: Sequence[str], expires: datetime | None = None
    ) -> tuple[CatalogedDevice, list[CatalogedAccess]]:
        """The entries of a device that stays in the account, with what `roles` grant now, until `expires`.

        Its keys remain; it learns of the change when it asks for its status.
        """
        sender = self.sender
        keys = verify_cataloged_device(entry, sender.profile).keys
        authentication = replace(
            KeyData.of_public(keys.authentication), not_on_or_after=seconds(expires) if expires else None
        )
        granted = grant(
            self.granter,
            roles,
            device_key_id=keys.authentication.udf,
            service=self.service,
            entropy=sender.entropy,
            now=sender.now,
        )
        service = ConnectionService(
            updated=seconds(sender.now), profile_udf=sender.profile.udf, authentication=authentication
        )
        connection = ConnectionDevice(
            updated=seconds(sender.now),
            profile_udf=sender.profile.udf,
            authentication=authentication,
            roles=tuple(roles),
            signature=KeyData.of_public(keys.signature),
            encryption=KeyData.of_public(keys.encryption),
        )

        def signed(item: MeshObject, recipients: Sequence[PublicKey], *, json_b: bool) -> Envelope:
            return enveloped(
                item,
                entropy=sender.entropy,
                now=sender.now,
                signer=self.signature,
                recipients=recipients,
                json_b=json_b,
            )

        made = replace(
            entry,
            updated=seconds(sender.now),
            enveloped_profile_user=sender.profile_envelope,
            enveloped_connection_service=signed(service, (), json_b=True),
            enveloped_connection_device=signed(connection, (), json_b=True),
            enveloped_activation_common=signed(granted.common, [keys.encryption], json_b=False),
        )
        access = make_access_capability(
            made, sender.entropy, sender.now, administrator=self.signature, rights=roles
        )
        return made, [access, *granted.access]


def accept(
    administrator: Administrator,
    acknowledged: VerifiedAcknowledgement,
    roles: Sequence[str],
    *,
    local_name: str | None = None,
    expires: datetime | None = None,
) -> tuple[CatalogedDevice, Changes]:
    """Take the device of a verified request into the account with `roles`, which end at `expires`.

    A PIN that it used is closed, and the answer proves to the device that the account knew it.
    """
    sender = administrator.sender
    requested = acknowledged.requested
    entry, access = administrator.connect(
        requested.profile_envelope, roles, local_name=local_name, expires=expires
    )
    proof = None
    closing = []
    if acknowledged.pin is not None:
        proof = pin_proof(
            acknowledged.pin.salted_pin or "",
            sender.address,
            sender.profile.udf,
            requested.request.client_nonce or b"",
        )
        closing.append(sender.closing([acknowledged.pin.message_id or ""]))
    answer = make_respond_connection(
        acknowledged.witness,
        "Accept",
        entry,
        requested.profile_device,
        sender=sender.address,
        signer=sender.signature,
        entropy=sender.entropy,
        now=sender.now,
        proof=proof,
    )
    changes = Changes(
        updates={DEVICE: [entry], ACCESS: access},
        local=(answer, *closing),
        inbound=(sender.closing([acknowledged.witness]),),
    )
    return entry, changes


def reject(sender: Sender, acknowledged: VerifiedAcknowledgement) -> Changes:
    """Refuse the device of a verified request."""
    answer = make_respond_connection(
        acknowledged.witness,
        "Reject",
        None,
        acknowledged.requested.profile_device,
        sender=sender.address,
        signer=sender.signature,
        entropy=sender.entropy,
        now=sender.now,
    )
    return Changes(local=(answer,), inbound=(sender.closing([acknowledged.witness]),))


def issue_pin(
    sender: Sender, roles: Sequence[str], *, octets: int, expires: datetime, automatic: bool = True
) -> tuple[str, Changes]:
    """A PIN for a device that is to have `roles`, of so many octets."""
    pin = new_pin(sender.entropy, octets)
    message = make_message_pin(
        pin,
        account=sender.address,
        signer=sender.signature,
        recipient=sender.encryption,
        entropy=sender.entropy,
        now=sender.now,
        action=DEVICE_ACTION,
        expires=expires,
        automatic=automatic,
        roles=roles,
    )
    return pin, Changes(local=(message,))


def removal(entry: CatalogedDevice, access: Sequence[CatalogedAccess]) -> Changes:
    """Take a device out of the account: its access and every share that the service holds for it end.

    `access` are the entries of MMM_Access. Renewing the keys that it had is the caller's.
    """
    ended: list[CatalogedAccess] = []
    for one in access:
        capability = one.capability
        if isinstance(capability, AccessCapability) and same_udf(capability.id, entry.udf):
            ended.append(CatalogedAccess(capability=AccessCapability(id=capability.id, active=False)))
    ended += withdrawn_shares(entry, access)
    return Changes(updates={ACCESS: ended}, deletes={DEVICE: [entry.device_udf or ""]})


def withdrawn_shares(entry: CatalogedDevice, access: Sequence[CatalogedAccess]) -> list[CatalogedAccess]:
    """What takes the place of every share that the service holds for a device."""
    return [
        make_null_capability(one.capability.id or "")
        for one in access
        if isinstance(one.capability, CryptographicCapability)
        and same_udf(one.capability.grantee_udf, entry.udf)
    ]
