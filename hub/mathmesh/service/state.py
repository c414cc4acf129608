"""What the service knows: its identity, its accounts, who may do what, and who holds which publication.

All of it is the fold of the sequences that the engine keeps. At start the list of accounts is read, and the
claims; what else an account's stores hold is read when it is needed. `ServiceState.replay` takes in each
frame after its commit.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from mathmesh.dare.content_meta import ContentMeta, format_time, parse_time
from mathmesh.dare.envelope import Envelope, open_envelope
from mathmesh.errors import MeshError, PolicyError, StoreError
from mathmesh.keys import ids
from mathmesh.keys.keyring import Keyring, MemoryKeyring
from mathmesh.schema.capability import AccessCapability
from mathmesh.schema.cataloged import CatalogedAccess, CatalogedPublication
from mathmesh.schema.mesh_object import GenericObject, parse
from mathmesh.schema.message import MessageClaim
from mathmesh.schema.message_access import ContactAccess
from mathmesh.schema.profile import ProfileGroup, ProfileUser
from mathmesh.schema.profile_validation import verify_profile_account
from mathmesh.schema.signed import object_in
from mathmesh.service.admission import Admission
from mathmesh.service.claims import Claim, ClaimLedger
from mathmesh.service.contact_rules import ContactRules
from mathmesh.service.effects import MASTER_FOLDER, StoreReader
from mathmesh.service.host_catalog import HostCatalog
from mathmesh.service.identity import ServiceIdentity
from mathmesh.service.message_key import message_key
from mathmesh.service.outgoing import OUTGOING_STORE, OutgoingQueue
from mathmesh.service.pace import Pace
from mathmesh.stores import ACCESS, HOST_READABLE, INBOUND, LOCAL, PUBLICATION
from mathmesh.stores.spool import Spool, clear_message, closed_messages

ACCOUNT_USER = "AccountUser"
CONNECTED, UNBOUND = "Connected", "Unbound"
"""Status of an account; the second is ours."""
INVITATION = "Invitation"
LOADED_MOST = 4096
"""Accounts of which it is at hand at a time what their stores hold."""
CONNECTIONS_A_MINUTE = 20
"""Devices that may ask to join one account."""
OPERATIONS_A_MINUTE = 600
"""Operations with shares for one caller."""
SENT_A_MINUTE = 600
"""Messages that one account sends, counted for each recipient."""
POSTED_A_MINUTE = 600
"""Messages that one other service delivers."""
POSTED_BY_A_MINUTE = 60
"""Messages that one account of another service sends here."""
STRANGERS_A_MINUTE = 20
"""Messages of strangers that one account takes."""


@dataclass(slots=True, kw_only=True)
class Folds:
    """What the service reads of an account's stores."""

    catalogs: dict[str, HostCatalog]
    rules: ContactRules
    local: Spool = field(default_factory=Spool)
    received: set[bytes] | None = None
    """What messages in the Inbound spool are known again by; None while that was not needed."""


class Account:
    """One account of this service. What its stores hold is read when it is first needed, by `load`."""

    def __init__(
        self, address: str, udf: str, profile_envelope: Envelope, load: Callable[[Account], Folds]
    ) -> None:
        self.address = address
        self.udf = udf
        """The UDF of the account's profile."""
        self.profile_envelope = profile_envelope
        self.folds: Folds | None = None
        """None while nothing was needed."""
        self.claims_known = False
        """Whether the ledger has what the Local spool says of claims."""
        self._load = load
        self._profile: ProfileUser | ProfileGroup | None = None

    def renew(self, profile_envelope: Envelope) -> None:
        """Take on a newer profile."""
        self.profile_envelope, self._profile = profile_envelope, None

    @property
    def profile(self) -> ProfileUser | ProfileGroup:
        """The account's profile. Raises StoreError when what is stored is not the profile of the account."""
        if self._profile is None:
            try:
                profile = verify_profile_account(self.profile_envelope)
            except MeshError as error:
                raise StoreError(f"the profile of {self.address} cannot be read: {error}") from error
            if profile.udf != self.udf:
                raise StoreError(f"the profile of {self.address} is that of another account")
            self._profile = profile
        return self._profile

    @property
    def catalogs(self) -> dict[str, HostCatalog]:
        """The catalogs that the service reads."""
        return self._load(self).catalogs

    @property
    def local(self) -> Spool:
        """The Local spool."""
        return self._load(self).local

    @property
    def rules(self) -> ContactRules:
        """Whom the account hears and to whom it writes."""
        return self._load(self).rules

    @property
    def user(self) -> ProfileUser:
        """The profile of a person's account. Raises PolicyError for a group, which has no devices."""
        if not isinstance(self.profile, ProfileUser):
            raise PolicyError(f"{self.address} is a group")
        return self.profile

    def access(self, key_id: str | None) -> AccessCapability | None:
        """The AccessCapability filed under an authentication key."""
        entry = self.catalogs[ACCESS].get(key_id) if key_id else None
        capability = entry.capability if isinstance(entry, CatalogedAccess) else None
        return capability if isinstance(capability, AccessCapability) else None

    def knows(self, key_id: str | None) -> bool:
        """Whether MMM_Access has an entry of any kind under a key, revoked ones included."""
        return key_id is not None and self.catalogs[ACCESS].get(key_id) is not None

    def publication(self, publication_id: str) -> CatalogedPublication | None:
        """The publication with this id."""
        entry = self.catalogs[PUBLICATION].get(publication_id)
        return entry if isinstance(entry, CatalogedPublication) else None


class ServiceState:
    """The fold of everything the service stores; `reader` gives the frames of accounts when needed."""

    def __init__(self, identity: ServiceIdentity, reader: StoreReader) -> None:
        self.identity = identity
        self._reader = reader
        self._loaded: OrderedDict[str, Account] = OrderedDict()
        self.admission = Admission()
        self.claims = ClaimLedger(self._know_claims_of)
        self.invitations: set[str] = set()
        """Names of the invitations that were used."""
        self.unbound: set[str] = set()
        """UDFs of the accounts that have left: nothing of theirs is to be kept."""
        self.connections = Pace(CONNECTIONS_A_MINUTE, timedelta(minutes=1))
        self.operations = Pace(OPERATIONS_A_MINUTE, timedelta(minutes=1))
        self.delivers = False
        """Whether messages to accounts of other services are taken for delivery."""
        self.outgoing = OutgoingQueue()
        self.sent = Pace(SENT_A_MINUTE, timedelta(minutes=1))
        self.posted = Pace(POSTED_A_MINUTE, timedelta(minutes=1))
        self.posted_by = Pace(POSTED_BY_A_MINUTE, timedelta(minutes=1))
        self.strangers = Pace(STRANGERS_A_MINUTE, timedelta(minutes=1))
        self._keyring = MemoryKeyring()
        self._keyring.add(identity.access_encrypt)
        self._by_address: dict[str, Account] = {}
        self._by_udf: dict[str, Account] = {}

    @property
    def keyring(self) -> Keyring:
        """The host's key, to which shares and readable stores are encrypted."""
        return self._keyring

    def by_address(self, address: str) -> Account | None:
        """The account at an address, in whatever case it is written.

        An account is also found as `<profile UDF>@<a domain of this service>`: who recovers an account from
        its seed knows no more.
        """
        address = address.lower()
        found = self._by_address.get(address)
        if found is None and self.identity.serves(address):
            return self._by_udf.get(address.partition("@")[0].upper())
        return found

    def by_udf(self, udf: str) -> Account | None:
        """The account with a profile UDF."""
        return self._by_udf.get(udf)

    def accounts(self) -> Iterable[Account]:
        """All accounts."""
        return self._by_udf.values()

    def open(self, envelope: Envelope) -> tuple[ContentMeta, bytes]:
        """ContentMeta and plaintext of an envelope that is in clear or encrypted to this host.

        Raises VerificationError, EncodingError or KeyUnavailableError.
        """
        opened = open_envelope(envelope, keyring=self._keyring)
        return opened.content_meta, opened.plaintext

    def replay(
        self, folder: str, store: str, index: int, envelope: Envelope, received: datetime | None
    ) -> None:
        """Take in a committed frame (not frame 0). `received` is when the service took it in.

        Raises StoreError when the service cannot read its own list of accounts.
        """
        if folder == MASTER_FOLDER:
            if store == OUTGOING_STORE:
                self.outgoing.apply(self.open(envelope)[1])
            else:
                self._fold_master(envelope)
            return
        account = self._by_udf.get(folder)
        if account is None:
            raise StoreError(f"frames for {folder}, which is not an account of this service")
        if account.folds is not None:
            self._fold(account.folds, store, index, envelope)
        if store == LOCAL and account.claims_known:
            self._fold_local(account, envelope, received)

    def received(self, account: Account) -> Set[bytes]:
        """What the messages in an account's Inbound spool are known again by."""
        folds = self._load(account)
        if folds.received is None:
            folds.received = {
                known
                for envelope in self._frames(account, INBOUND)
                if (known := message_key(envelope)) is not None
            }
        return folds.received

    def find_claims(self) -> None:
        """At start: learn of all claims, which are in the Local spools of those who publish something."""
        for account in self._by_udf.values():
            published = self._reader.status(account.udf, PUBLICATION)
            if published is not None and published.count > 1:
                self._load(account)

    def _load(self, account: Account) -> Folds:
        """What the service reads of an account's stores, read now if it is not at hand."""
        folds = account.folds
        if folds is None:
            folds = Folds(
                catalogs={name: self._catalog(account, name) for name in HOST_READABLE},
                rules=ContactRules(self._contact_access),
            )
            for store in (*HOST_READABLE, LOCAL):
                for index, envelope in enumerate(self._frames(account, store), start=1):
                    self._fold(folds, store, index, envelope)
                    if store == LOCAL and not account.claims_known:
                        stated = envelope.header.get("Received")
                        self._fold_local(account, envelope, parse_time(stated) if stated else None)
            account.folds, account.claims_known = folds, True
            self._loaded[account.udf] = account
        self._loaded.move_to_end(account.udf)
        while len(self._loaded) > LOADED_MOST:
            self._loaded.popitem(last=False)[1].folds = None
        return folds

    def _catalog(self, account: Account, store: str) -> HostCatalog:
        def frame(index: int) -> Envelope:
            return next(iter(self._reader.envelopes(account.udf, store, index, index + 1)))

        return HostCatalog(frame, self.open)

    def _frames(self, account: Account, store: str) -> Iterable[Envelope]:
        status = self._reader.status(account.udf, store)
        return () if status is None else self._reader.envelopes(account.udf, store, 1, status.count)

    def _fold(self, folds: Folds, store: str, index: int, envelope: Envelope) -> None:
        if store in folds.catalogs:
            folds.catalogs[store].apply(index, envelope)
        elif store == LOCAL:
            folds.local.apply(index, envelope)
            if envelope.content_meta.message_type == ContactAccess.__name__:
                folds.rules.note(envelope)
        elif store == INBOUND and folds.received is not None:
            known = message_key(envelope)
            if known is not None:
                folds.received.add(known)

    def _know_claims_of(self, address: str) -> None:
        account = self._by_address.get(address)
        if account is not None and not account.claims_known:
            self._load(account)

    def _fold_local(self, account: Account, envelope: Envelope, received: datetime | None) -> None:
        name = envelope.envelope_id
        message = clear_message(envelope)
        claim = claim_in(account.address, message, received)
        if claim is not None:
            self.claims.add(claim)
        elif name is not None:
            self.claims.confirm(account.address, name)
        for message_id in closed_messages(message):
            self.claims.release(account.address, message_id)

    def _contact_access(self, envelope: Envelope) -> ContactAccess | None:
        try:
            return object_in(envelope, ContactAccess, keyring=self._keyring)
        except MeshError:
            return None

    def _fold_master(self, envelope: Envelope) -> None:
        try:
            entry = parse(self.open(envelope)[1])
            if entry.tag != ACCOUNT_USER:
                raise StoreError(f"the service's list of accounts holds a {entry.tag}")
            members = entry.write()
            udf, envelope = members["ProfileUdf"], Envelope.from_value(members["EnvelopedProfileUser"])
        except (MeshError, KeyError) as error:
            raise StoreError(f"the service's list of accounts cannot be read: {error}") from error
        invitation = members.get(INVITATION)
        if isinstance(invitation, str):
            self.invitations.add(invitation)
        if members.get("Status") == UNBOUND:
            self._remove(udf)
        else:
            self._enter(udf, envelope)

    def _enter(self, udf: str, envelope: Envelope) -> None:
        """A new account, or the newer profile of one that is here."""
        present = self._by_udf.get(udf)
        if present is not None:
            present.renew(envelope)
            return
        account = Account(_address(envelope), udf, envelope, self._load)
        self.unbound.discard(udf)
        self._by_address[account.address] = account
        self._by_udf[udf] = account

    def _remove(self, udf: str) -> None:
        account = self._by_udf.pop(udf, None)
        if account is not None:
            self._by_address.pop(account.address, None)
            self._loaded.pop(udf, None)
            self.claims.forget(account.address)
            self.unbound.add(udf)


def _address(profile: Envelope) -> str:
    """The address in the profile of an account; who uses the profile verifies it."""
    value = parse(profile.body, tolerant=True)
    stated = value.account_address if isinstance(value, ProfileUser | ProfileGroup) else None
    if not stated:
        raise StoreError("the service's list of accounts holds a profile without address")
    return stated.lower()


def claim_in(publisher: str, message: object, received: datetime | None) -> Claim | None:
    """The claim that a message in the Local spool of `publisher` makes; None for any other message."""
    if not isinstance(message, MessageClaim) or received is None:
        return None
    if not (message.message_id and message.sender and message.publication_id):
        return None
    return Claim(
        publication_id=message.publication_id,
        message_id=message.message_id,
        account=message.sender.lower(),
        publisher=publisher,
        received=received,
    )


def account_entry(
    profile_envelope: Envelope,
    udf: str,
    now: datetime,
    *,
    status: str = CONNECTED,
    invitation: str | None = None,
) -> GenericObject:
    """The entry of an account in the service's own list (AccountUser of the reference's server).

    `invitation` is the name of the one that it used.
    """
    members: dict[str, Any] = {
        "Directory": udf,
        "ProfileUdf": udf,
        "Status": status,
        "Updated": format_time(now),
        "EnvelopedProfileUser": profile_envelope.to_value(),
    }
    if invitation is not None:
        members[INVITATION] = invitation
    return GenericObject(type_name=ACCOUNT_USER, unknown=members)


def claim_envelope_id(publication_id: str) -> str:
    """The EnvelopeId under which claims of a publication are filed."""
    return ids.envelope_id(publication_id)
