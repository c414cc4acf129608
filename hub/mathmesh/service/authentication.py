"""Who sent an enveloped request (protocol book, "Enveloped requests").

The checks, in this order; nothing of a request is acted on before all hold:
 1. the envelope opens under the ServiceEncryption key and its digest is that of the body;
 2. it is for this service, not older or newer than the window allows, and not from before the service
    started: what a crash made it forget cannot be played back to it;
 3. the caller's keys are found: those of an account that is bound here (or asks to be), of a device that
    the account's administrator connected, of a member of an account elsewhere, of another service, or those
    that a stranger states;
 4. the key that the request names is the one that signs for this caller, and it signed;
 5. no request of the caller had this nonce before.

Whether the caller may do what it asks is decided later, on the state at that time.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime

from mathmesh.codec import uri
from mathmesh.dare.envelope import Envelope
from mathmesh.errors import EncodingError, ProtocolError, VerificationError
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.keys.pair import PublicKey
from mathmesh.schema.connection import ConnectionDevice
from mathmesh.schema.key_data import same_udf
from mathmesh.schema.profile import ProfileAccount, ProfileUser
from mathmesh.schema.profile_validation import (
    verify_profile_account,
    verify_profile_service,
    verify_profile_user,
)
from mathmesh.schema.signed import check_signed_by
from mathmesh.schema.validation import administrator_key, connected_keys, verify_connection_device
from mathmesh.schema.validity import check_keys_valid, key_in_use
from mathmesh.service import messages as wire
from mathmesh.service.access import Caller
from mathmesh.service.enveloping import (
    VALUES_MOST,
    WINDOW,
    ServiceRequest,
    read_request,
    seal_response,
    stated_keys,
)
from mathmesh.service.refusal import Refusal
from mathmesh.service.state import ServiceState
from mathmesh.types import Entropy

NONCES_MOST = 131_072
"""Nonces that are remembered at a time; a service that has so many in one window takes no more."""
STRANGER_OCTETS = 64 * 1024
"""Largest request of a stranger, or to bind an account: no public operation needs more."""
FOREIGN_OCTETS = 1024 * 1024
"""Largest request of another service, or of a member of an account elsewhere."""
ACCOUNT_OCTETS = 16 * 1024 * 1024
"""Largest request of an account that is bound here."""
CONNECTIONS_MOST = 4096
"""Connections that are remembered as verified."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticated:
    """A request and who sent it; `caller` None is a stranger. `encryption` is the key for the answer."""

    caller: Caller | None
    request: bytes
    request_id: str
    encryption: PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class _Keys:
    caller: Caller | None
    signature: PublicKey
    encryption: PublicKey


class Authenticator:
    """Opens enveloped requests and seals the answers. `started` is when the service did."""

    def __init__(self, state: ServiceState, started: datetime) -> None:
        self._state = state
        self._started = started.replace(microsecond=0)
        self._keyring = MemoryKeyring([state.identity.encryption])
        self._nonces: OrderedDict[tuple[str, str], datetime] = OrderedDict()
        self._connections: OrderedDict[tuple[bytes, str], ConnectionDevice] = OrderedDict()

    def open(self, octets: bytes, now: datetime) -> Authenticated:
        """The request in an envelope, after the checks above.

        Raises Refusal, or a MeshError for what is malformed or does not verify.
        """
        envelope = Envelope.from_bytes(octets, most=VALUES_MOST)
        stated = read_request(envelope, self._keyring)
        if not same_udf(stated.service_udf, self._state.identity.profile.udf):
            raise VerificationError(f"the request is for service {stated.service_udf}, not for this one")
        self._check_time(stated, now)
        keys = self._keys(stated, now)
        if not same_udf(stated.key_id, keys.signature.udf):
            raise VerificationError(f"key {stated.key_id} does not sign for {stated.account or 'a stranger'}")
        check_signed_by(envelope, keys.signature, "ServiceRequest")
        if stated.request is None or not stated.request_id:
            raise ProtocolError("the envelope holds no request or no nonce")
        if len(stated.request) > self._octets_of(keys.caller):
            raise Refusal(wire.BAD_REQUEST, wire.TOO_LARGE, "the request is larger than this caller may send")
        if keys.caller is not None:
            self._check_nonce(keys.signature.udf, stated.request_id, now)
        return Authenticated(
            caller=keys.caller,
            request=stated.request,
            request_id=stated.request_id,
            encryption=keys.encryption,
        )

    def seal(self, response: bytes, to: Authenticated, *, entropy: Entropy, now: datetime) -> bytes:
        """The answer to a request in an envelope."""
        signer = self._state.identity.responder
        return seal_response(response, to.request_id, to.encryption, signer, entropy=entropy, now=now)

    def _check_time(self, stated: ServiceRequest, now: datetime) -> None:
        if stated.created is None or abs(now - stated.created) > WINDOW:
            text = f"the request is of {stated.created}, the service's time is {now:%Y-%m-%dT%H:%M:%SZ}"
            raise Refusal(wire.UNAUTHORIZED, wire.TIMEOUT, text + "; set the clock")
        if stated.created <= self._started:
            text = "the request is from before the service started; send it anew"
            raise Refusal(wire.UNAUTHORIZED, wire.TIMEOUT, text)

    def _check_nonce(self, key_id: str, request_id: str, now: datetime) -> None:
        while self._nonces:
            name, seen = next(iter(self._nonces.items()))
            if abs(now - seen) <= 2 * WINDOW:
                break
            self._nonces.pop(name, None)
        if (key_id, request_id) in self._nonces:
            raise Refusal(wire.UNAUTHORIZED, wire.NOT_AUTHORIZED, "the request was made before")
        if len(self._nonces) >= NONCES_MOST:
            raise Refusal(wire.UNAVAILABLE, wire.TIMEOUT, "the service is busy; try again later")
        self._nonces[key_id, request_id] = now

    def _octets_of(self, caller: Caller | None) -> int:
        """How long a request may be: the longer one takes much memory to read."""
        if caller is None:
            return STRANGER_OCTETS
        if caller.service_udf is None and self._state.by_address(caller.account) is not None:
            return ACCOUNT_OCTETS
        return FOREIGN_OCTETS

    # -- whose keys -------------------------------------------------------------------------------
    def _keys(self, stated: ServiceRequest, now: datetime) -> _Keys:
        if stated.enveloped_profile_service is not None:
            return _of_service(stated.enveloped_profile_service, now)
        if stated.account is None:
            signature, encryption = stated_keys(stated)
            return _Keys(caller=None, signature=signature, encryption=encryption)
        address = stated.account.lower()
        account = self._state.by_address(address)
        if account is None:
            if self._state.identity.serves(address):
                return _of_account(_profile_to_bind(stated, address, now), address, now)
            return self._of_member(stated, address, now)
        if stated.enveloped_connection_device is None:
            return _of_account(account.profile, account.address, now)
        connection = self._connection(stated.enveloped_connection_device, account.user, now)
        return _of_device(connection, account.address)

    def _of_member(self, stated: ServiceRequest, address: str, now: datetime) -> _Keys:
        if stated.enveloped_profile_account is None or stated.enveloped_connection_device is None:
            raise Refusal(
                wire.NOT_FOUND, wire.MOVED, f"this service does not serve {address.rpartition('@')[2][:80]}"
            )
        profile = verify_profile_user(stated.enveloped_profile_account, now=now)
        if (profile.account_address or "").lower() != address:
            raise VerificationError("the profile that the caller shows is of another address")
        connection = self._connection(stated.enveloped_connection_device, profile, now)
        return _of_device(connection, address, profile.udf)

    def _connection(self, envelope: Envelope, profile: ProfileUser, now: datetime) -> ConnectionDevice:
        """The verified connection; one that was verified before is taken again, while its keys are valid."""
        name = envelope.to_json_b(), administrator_key(profile, now).udf + profile.udf
        known = self._connections.pop(name, None)
        if known is None:
            known = verify_connection_device(envelope, profile, now=now)
        else:
            check_keys_valid(known, now)
        self._connections[name] = known
        while len(self._connections) > CONNECTIONS_MOST:
            self._connections.popitem(last=False)
        return known


def _of_service(envelope: Envelope, now: datetime) -> _Keys:
    profile = verify_profile_service(envelope, now=now)
    return _Keys(
        caller=Caller(account="", service_udf=profile.udf, remote=True),
        signature=key_in_use(profile.service_signature, "ServiceSignature", now),
        encryption=key_in_use(profile.service_encryption, "ServiceEncryption", now),
    )


def _of_account(profile: ProfileAccount, address: str, now: datetime) -> _Keys:
    """The account itself: its administrator signs, since devices that may not administer it have its other
    keys.
    """
    common = key_in_use(profile.common_authentication, "CommonAuthentication", now)
    return _Keys(
        caller=Caller(account=address, key_id=common.udf, remote=True),
        signature=administrator_key(profile, now),
        encryption=key_in_use(profile.common_encryption, "CommonEncryption", now),
    )


def _of_device(connection: ConnectionDevice, address: str, profile_udf: str | None = None) -> _Keys:
    keys = connected_keys(connection)
    caller = Caller(account=address, key_id=keys.authentication.udf, profile_udf=profile_udf, remote=True)
    return _Keys(caller=caller, signature=keys.signature, encryption=keys.encryption)


def _profile_to_bind(stated: ServiceRequest, address: str, now: datetime) -> ProfileAccount:
    """The profile of an account that is not bound yet, in the request to bind it."""
    if len(stated.request or b"") > STRANGER_OCTETS:
        raise Refusal(wire.BAD_REQUEST, wire.TOO_LARGE, "a request to bind an account is not that large")
    request = wire.decode_request(stated.request or b"")
    envelope = request.enveloped_profile_account if isinstance(request, wire.BindRequest) else None
    if envelope is None:
        raise Refusal(wire.NOT_FOUND, wire.ABSENT, f"{address[:80]} is not an account of this service")
    profile = verify_profile_account(envelope, now=now)
    try:
        own = uri.account_address(profile.account_address or "")
    except EncodingError:
        own = ""
    if own != address:
        raise VerificationError("the profile to be bound is of another address")
    return profile
