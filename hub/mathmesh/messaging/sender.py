"""The account that sends: what every message of it is made with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from mathmesh.dare.envelope import Envelope
from mathmesh.keys import ids
from mathmesh.keys.pair import PrivateKey, PublicKey
from mathmesh.schema.build import make_message_complete
from mathmesh.schema.key_data import AGREEMENT
from mathmesh.schema.message import CLOSED, Reference
from mathmesh.schema.profile import ProfileAccount, ProfileUser
from mathmesh.schema.validity import key_in_use
from mathmesh.types import Entropy


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """The verified profile of an account and its CommonSignature key; `now` and `entropy` for one step."""

    profile: ProfileUser
    profile_envelope: Envelope
    signature: PrivateKey = field(repr=False)
    entropy: Entropy
    now: datetime

    @property
    def address(self) -> str:
        """The account's address, in lower case."""
        return (self.profile.account_address or "").lower()

    @property
    def encryption(self) -> PublicKey:
        """The account's own CommonEncryption key."""
        return encryption_key(self.profile, self.now)

    def closing(self, message_ids: Sequence[str]) -> Envelope:
        """The message, for the spool that these lie in, that they are dealt with."""
        references = [
            Reference(message_id=one, response_id=ids.response_id(one), relationship=CLOSED)
            for one in message_ids
        ]
        return make_message_complete(
            references,
            sender=self.address,
            recipient=self.address,
            signer=self.signature,
            entropy=self.entropy,
            now=self.now,
        )


def encryption_key(profile: ProfileAccount, now: datetime) -> PublicKey:
    """The CommonEncryption key of a verified profile, valid at `now`."""
    data = profile.common_encryption
    key = key_in_use(data, f"CommonEncryption of {profile.account_address}", now)
    if data is not None:
        data.public_key(AGREEMENT)
    return key
