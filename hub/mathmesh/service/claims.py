"""Who holds a publication: the lock behind Claim (protocol book, "Claim lock").

Everything is derived from messages that lie in spools, so that nothing else needs to be stored and a restart
finds the same answer:

* a claim is a MessageClaim in the publisher's Local spool, filed under the publication's id;
* it is *confirmed* by the RespondConnection to it in the claimant's Local spool, which the claimant writes
  together with the CatalogedDevice; from then on the lock is permanent;
* it is *released* by a MessageComplete that closes it, in the claimant's or the publisher's Local spool; a
  release covers the earlier claims of that publication too;
* unconfirmed, it lapses 120 seconds after it was received.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mathmesh.keys import ids

PROVISIONAL = timedelta(seconds=120)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One accepted claim. `account` is the claimant's address in lower case, `publisher` the publisher's."""

    publication_id: str
    message_id: str
    account: str
    publisher: str
    received: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """The claim that counts, and whether it is permanent."""

    claim: Claim
    permanent: bool


@dataclass(slots=True)
class ClaimLedger:
    """Fold of claims, confirmations and releases, in any order between the spools.

    `need` is called with the address of a claimant before it counts what its Local spool says.
    """

    need: Callable[[str], None] = field(default=lambda _: None)
    _claims: dict[tuple[str, str], list[Claim]] = field(default_factory=dict)
    _by_message: dict[str, Claim] = field(default_factory=dict)
    _by_response: dict[str, Claim] = field(default_factory=dict)
    _confirmed: set[tuple[str, str]] = field(default_factory=set)
    _released: set[tuple[str, str]] = field(default_factory=set)

    def add(self, claim: Claim) -> None:
        """Record a claim; of a publication's claims the one added last is the newest."""
        self._claims.setdefault((claim.publisher, claim.publication_id), []).append(claim)
        self._by_message.setdefault(claim.message_id, claim)
        self._by_response.setdefault(ids.envelope_id(ids.response_id(claim.message_id)), claim)

    def knows_message(self, message_id: str) -> bool:
        """Whether a claim with this message id was recorded (ids are never used twice)."""
        return message_id in self._by_message

    def answered_by(self, envelope_id: str) -> Claim | None:
        """The claim that an envelope with this id in a Local spool answers, if any."""
        return self._by_response.get(envelope_id)

    def closed_by(self, message_id: str) -> Claim | None:
        """The claim with this message id, if any."""
        return self._by_message.get(message_id)

    def confirm(self, account: str, envelope_id: str) -> None:
        """Record an envelope of `account`'s Local spool; it counts once its claim is known to be by
        `account`.
        """
        self._confirmed.add((account, envelope_id))

    def release(self, account: str, message_id: str) -> None:
        """Record that `account` closed a message."""
        self._released.add((account, message_id))

    def forget(self, account: str) -> None:
        """Drop what the spools of `account` said: they are gone."""
        for name in [name for name in self._claims if name[0] == account]:
            for claim in self._claims.pop(name):
                self._by_message.pop(claim.message_id, None)
                self._by_response.pop(ids.envelope_id(ids.response_id(claim.message_id)), None)
        self._confirmed = {one for one in self._confirmed if one[0] != account}
        self._released = {one for one in self._released if one[0] != account}

    def holder(self, publisher: str, publication_id: str, now: datetime) -> Holder | None:
        """The claim that locks the publication at `now`; None when it is free."""
        standing = self._standing(publisher, publication_id)
        if not standing:
            return None
        for claim in standing:
            if self._is_confirmed(claim):
                newest = next(one for one in reversed(standing) if one.account == claim.account)
                return Holder(claim=newest, permanent=True)
        newest = standing[-1]
        if abs(now - newest.received) < PROVISIONAL:
            return Holder(claim=newest, permanent=False)
        return None

    def holder_of(self, claim: Claim, now: datetime) -> Holder | None:
        """The holder of the publication that `claim` is about."""
        return self.holder(claim.publisher, claim.publication_id, now)

    def _standing(self, publisher: str, publication_id: str) -> list[Claim]:
        claims = self._claims.get((publisher, publication_id), [])
        for account in {claim.account for claim in claims}:
            self.need(account)
        first = 0
        for number, claim in enumerate(claims):
            if self._is_released(claim):
                first = number + 1
        return claims[first:]

    def _is_confirmed(self, claim: Claim) -> bool:
        response = ids.envelope_id(ids.response_id(claim.message_id))
        return (claim.account, response) in self._confirmed

    def _is_released(self, claim: Claim) -> bool:
        return any((who, claim.message_id) in self._released for who in (claim.account, claim.publisher))
