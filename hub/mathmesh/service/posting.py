"""Messages between accounts: out of the one, over its service and that of the other, into the other
(protocol book, "Messages between accounts").

Checks on the way out, for each message: the account's CommonSignature key signed it, it is not too large,
the account's own rules send such messages to this recipient, and the account keeps to the pace. On the way
in, for messages of another service: that service serves the sender's domain and is the one that the
sender's profile names, that profile's CommonSignature key signed, the message is not too large, the
recipient's rules take it, sender and service keep to the pace, and it is not here already.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mathmesh.codec import uri
from mathmesh.dare.envelope import Envelope
from mathmesh.errors import EncodingError, MeshError, StoreError
from mathmesh.keys import ids
from mathmesh.keys.pair import PublicKey
from mathmesh.schema.build.message_access import make_message_undelivered
from mathmesh.schema.key_data import same_udf
from mathmesh.schema.profile import ProfileUser
from mathmesh.schema.profile_validation import verify_profile_user
from mathmesh.schema.signed import check_signed_by
from mathmesh.schema.validity import key_in_use
from mathmesh.service import messages as wire
from mathmesh.service.access import Caller
from mathmesh.service.effects import MASTER_FOLDER, Append, StoreReader
from mathmesh.service.envelope_checks import PLACED, check_message
from mathmesh.service.message_key import message_key
from mathmesh.service.outgoing import OUTGOING_STORE, Outgoing, by_domain, domain_of, settled
from mathmesh.service.refusal import Refusal
from mathmesh.service.state import Account, ServiceState
from mathmesh.stores import INBOUND, OUTBOUND
from mathmesh.types import Entropy

RECIPIENTS_MOST = 64
"""Recipients of one transaction or Post."""
MESSAGES_MOST = 16
"""Messages of one transaction with recipients, or of one Post."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What a transaction delivers: into Inbound spools here, and into the queue for elsewhere."""

    here: tuple[tuple[Account, tuple[Envelope, ...]], ...] = ()
    elsewhere: tuple[Outgoing, ...] = ()


def send(
    request: wire.TransactRequest,
    state: ServiceState,
    account: Account,
    first: int,
    now: datetime,
    entropy: Entropy,
) -> Sent:
    """Check the messages of a transaction and find where they go.

    `first` is the number that the first of them has in the account's Outbound spool.
    """
    if not request.outbound or not request.accounts:
        return Sent()
    addresses = list(dict.fromkeys(_address(one) for one in request.accounts))
    if len(addresses) > RECIPIENTS_MOST or len(request.outbound) > MESSAGES_MOST:
        text = f"{MESSAGES_MOST} messages to {RECIPIENTS_MOST} accounts at most are sent at once"
        raise Refusal(wire.BAD_REQUEST, wire.TOO_LARGE, text)
    for envelope in request.outbound:
        _check_signed(envelope, account.user, now)
    elsewhere = [one for one in addresses if not state.identity.serves(one)]
    if elsewhere and not state.delivers:
        text = f"{elsewhere[0][:80]} is not an account of this service, which delivers to no other one"
        raise Refusal(wire.NOT_FOUND, wire.ABSENT, text)
    here = [(_recipient(one, state), request.outbound) for one in addresses if state.identity.serves(one)]
    for address in addresses:
        _check_sends(account, address, request.outbound)
    for recipient, _ in here:
        _check_takes(recipient, account, request.outbound, state, now)
    if not state.sent.allows(account.udf, now, len(addresses) * len(request.outbound)):
        raise Refusal(wire.UNAVAILABLE, wire.TIMEOUT, "too many messages at this moment; try again later")
    queued = tuple(
        Outgoing(
            id=ids.nonce_id(entropy),
            folder=account.udf,
            index=first,
            count=len(request.outbound),
            to=to,
            queued=now,
            profile=account.profile_envelope,
        )
        for to in by_domain(elsewhere)
    )
    new = tuple((to, _unknown_of(to, messages, state)) for to, messages in here)
    return Sent(here=new, elsewhere=queued)


def queue(entries: Sequence[Envelope], reader: StoreReader, now: datetime) -> tuple[Append, ...]:
    """The append that puts entries into the queue of what is to be delivered elsewhere."""
    if not entries:
        return ()
    status = reader.status(MASTER_FOLDER, OUTGOING_STORE)
    return (
        Append(
            folder=MASTER_FOLDER,
            store=OUTGOING_STORE,
            index=status.count if status else 1,
            envelopes=tuple(entries),
            received=now,
            create=status is None,
        ),
    )


def post_request(waiting: Outgoing, state: ServiceState, reader: StoreReader) -> wire.PostRequest | None:
    """The request that delivers what waits; None when the account that sent it has left."""
    account = state.by_udf(waiting.folder)
    if account is None:
        return None
    found = reader.envelopes(account.udf, OUTBOUND, waiting.index, waiting.index + waiting.count)
    return wire.PostRequest(
        accounts=waiting.to,
        messages=tuple(_unplaced(envelope) for envelope in found),
        sender=account.address,
        enveloped_profile_account=waiting.profile,
    )


def settle(
    waiting: Outgoing,
    state: ServiceState,
    reader: StoreReader,
    *,
    later: Sequence[str],
    failed: Iterable[tuple[str, str]],
    now: datetime,
    entropy: Entropy,
) -> tuple[Append, ...]:
    """What is to be stored after a delivery: those of `later` wait on, of each of `failed` (address, reason)
    the sender is told.
    """
    host = state.identity.access_encrypt.public
    if later:
        entry = replace(waiting, to=tuple(later)).sealed(host, entropy)
    else:
        entry = settled(waiting.id, host, entropy)
    effects = queue([entry], reader, now)
    account = state.by_udf(waiting.folder)
    notices = []
    if account is not None:
        found = list(reader.envelopes(account.udf, OUTBOUND, waiting.index, waiting.index + waiting.count))
        notices = [
            _notice(account, address, envelope, reason, state, now, entropy)
            for address, reason in failed
            for envelope in found
        ]
    return effects if account is None or not notices else (*effects, _inbound(account, notices, reader, now))


# -- in ------------------------------------------------------------------------------------------
def post(
    request: wire.PostRequest,
    state: ServiceState,
    reader: StoreReader,
    caller: Caller,
    now: datetime,
) -> tuple[wire.PostResponse, tuple[Append, ...]]:
    """Take in messages that another service delivers; the answer says for each recipient what became of
    them.
    """
    if not 0 < len(request.accounts) <= RECIPIENTS_MOST or not 0 < len(request.messages) <= MESSAGES_MOST:
        text = f"a Post has 1 to {MESSAGES_MOST} messages to 1 to {RECIPIENTS_MOST} accounts"
        raise Refusal(wire.BAD_REQUEST, wire.TOO_LARGE, text)
    sender = _sender(request, state, caller, now)
    for message in request.messages:
        _check_signed(message, sender, now)
    count = len(request.accounts) * len(request.messages)
    if not (
        state.posted.allows(caller.service_udf or "", now, count)
        and state.posted_by.allows(sender.udf, now, count)
    ):
        raise Refusal(wire.UNAVAILABLE, wire.TIMEOUT, "too many messages at this moment; try again later")
    entries, effects = [], []
    for number, address in enumerate(dict.fromkeys(one.lower() for one in request.accounts)):
        result, reason, new = _received(address, request.messages, sender, state, now)
        recipient = state.by_address(address)
        if new and recipient is not None:
            effects.append(_inbound(recipient, new, reader, now))
        entries.append(wire.EntryResponse(index_request=number, result=result, reason=reason))
    response = wire.PostResponse(
        status=wire.SUCCESS, status_description=wire.SUCCESS_TEXT, entries=tuple(entries)
    )
    return response, tuple(effects)


def _sender(request: wire.PostRequest, state: ServiceState, caller: Caller, now: datetime) -> ProfileUser:
    envelope = request.enveloped_profile_account
    if envelope is None:
        raise Refusal(wire.BAD_REQUEST, wire.REFUSED, "the messages come without the profile of their sender")
    profile = verify_profile_user(envelope, now=now)
    address = _address(profile.account_address or "")
    if address != (request.sender or "").lower():
        raise Refusal(wire.BAD_REQUEST, wire.REFUSED, "the profile is of another account than the sender's")
    if state.identity.serves(address) or domain_of(address) != caller.domain:
        text = f"{address[:80]} is not an account of the service that posts"
        raise Refusal(wire.UNAUTHORIZED, wire.NOT_AUTHORIZED, text)
    if profile.service_udf is None or not same_udf(profile.service_udf, caller.service_udf or ""):
        text = f"the profile of {address[:80]} names another service than the one that posts"
        raise Refusal(wire.UNAUTHORIZED, wire.NOT_AUTHORIZED, text)
    return profile


def _received(
    address: str, messages: Sequence[Envelope], sender: ProfileUser, state: ServiceState, now: datetime
) -> tuple[str, str | None, list[Envelope]]:
    """Result and reason for one recipient, and the messages that are new to it."""
    recipient = state.by_address(address) if state.identity.serves(address) else None
    if recipient is None:
        return wire.REJECT, f"{address[:80]} is not an account of this service", []
    who = (sender.account_address or "").lower()
    if not all(recipient.rules.takes(message, who, sender.udf) for message in messages):
        return wire.REJECT, f"{recipient.address} does not take such messages from {who}", []
    new = list(_unknown_of(recipient, messages, state))
    stranger = recipient.rules.is_stranger(who, sender.udf)
    if new and stranger and not state.strangers.allows(recipient.udf, now, len(new)):
        return wire.LATER, f"too many strangers write to {recipient.address} at this moment", []
    return wire.ACCEPT, None, new


# -- steps ---------------------------------------------------------------------------------------
def _address(stated: str) -> str:
    try:
        return uri.account_address(stated)
    except EncodingError:
        raise Refusal(wire.BAD_REQUEST, wire.REFUSED, f"{stated[:80]!r} is no account address") from None


def _recipient(address: str, state: ServiceState) -> Account:
    recipient = state.by_address(address)
    if recipient is None:
        raise Refusal(wire.NOT_FOUND, wire.ABSENT, f"{address[:80]} is not an account of this service")
    return recipient


def _check_signed(envelope: Envelope, sender: ProfileUser, now: datetime) -> None:
    check_message(envelope)
    signer = key_in_use(sender.common_signature, "CommonSignature in the sender's profile", now)
    try:
        check_signed_by(envelope, signer, "a message")
    except MeshError as error:
        text = f"a message to others is signed by its account: {error}"
        raise Refusal(wire.BAD_REQUEST, wire.REFUSED, text) from None


def _check_sends(account: Account, address: str, messages: Sequence[Envelope]) -> None:
    if address != account.address and not all(account.rules.sends(one, address) for one in messages):
        text = f"{account.address} does not send such messages to {address[:80]}; add it to the contacts"
        raise Refusal(wire.UNAUTHORIZED, wire.NOT_AUTHORIZED, text)


def _check_takes(
    recipient: Account, account: Account, messages: Sequence[Envelope], state: ServiceState, now: datetime
) -> None:
    if recipient is account:
        return
    if not all(recipient.rules.takes(one, account.address, account.udf) for one in messages):
        text = f"{recipient.address} does not take such messages from {account.address}"
        raise Refusal(wire.UNAUTHORIZED, wire.NOT_AUTHORIZED, text)
    if recipient.rules.is_stranger(account.address, account.udf) and not state.strangers.allows(
        recipient.udf, now, len(messages)
    ):
        text = f"too many strangers write to {recipient.address} at this moment; try again later"
        raise Refusal(wire.UNAVAILABLE, wire.TIMEOUT, text)


def _unknown_of(
    recipient: Account, messages: Sequence[Envelope], state: ServiceState
) -> tuple[Envelope, ...]:
    """The messages that do not lie in the recipient's Inbound spool already."""
    received = state.received(recipient)
    return tuple(one for one in messages if message_key(one) not in received)


def _inbound(account: Account, messages: Sequence[Envelope], reader: StoreReader, now: datetime) -> Append:
    status = reader.status(account.udf, INBOUND)
    if status is None:
        raise StoreError(f"{account.address} has no {INBOUND}")
    return Append(
        folder=account.udf, store=INBOUND, index=status.count, envelopes=tuple(messages), received=now
    )


def _notice(
    account: Account,
    address: str,
    envelope: Envelope,
    reason: str,
    state: ServiceState,
    now: datetime,
    entropy: Entropy,
) -> Envelope:
    return make_message_undelivered(
        address,
        envelope.content_meta.unique_id or envelope.envelope_id or "",
        reason,
        recipient=account.address,
        encryption=_encryption(account, now),
        signer=state.identity.signature,
        entropy=entropy,
        now=now,
    )


def _encryption(account: Account, now: datetime) -> PublicKey:
    return key_in_use(account.profile.common_encryption, f"CommonEncryption of {account.address}", now)


def _unplaced(envelope: Envelope) -> Envelope:
    header = {name: value for name, value in envelope.header.items() if name not in PLACED}
    trailer = {name: value for name, value in envelope.trailer.items() if name not in PLACED}
    return Envelope(header=header, body=envelope.body, trailer=trailer)
