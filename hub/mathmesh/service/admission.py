"""Who may have an account: what a service decides when it is asked to bind one (protocol book, "Accounts").

An invitation is a text that the service's operator makes and hands to a person. Nothing is kept of it until
it is used: its octets are bound to the service by a MAC, and the entry of the account that used one names it.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime

from mathmesh.codec import udf
from mathmesh.errors import EncodingError, PolicyError
from mathmesh.keys import hkdf
from mathmesh.types import Entropy

OPEN, INVITED, CLOSED = "open", "invitation", "closed"
POLICIES = (OPEN, INVITED, CLOSED)

_INFO = b"mmm/service/invitation"
_SECRET_OCTETS = 32
_NONCE_OCTETS = 10
_TIME_OCTETS = 5
_MAC_OCTETS = 16
_BODY_OCTETS = _NONCE_OCTETS + _TIME_OCTETS


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """The policy for callers from the network, and the secret that invitations are made with."""

    policy: str = CLOSED
    secret: bytes = field(default=b"", repr=False)

    @classmethod
    def of(cls, service_seed: str, policy: str) -> Admission:
        """The policy of the service with this seed (UDF of type 0x0104).

        Raises PolicyError when there is no such policy.
        """
        if policy not in POLICIES:
            raise PolicyError(f"accounts are admitted {', '.join(POLICIES)}; not {policy}")
        return cls(policy=policy, secret=hkdf.hkdf(service_seed.encode(), _INFO, _SECRET_OCTETS))

    def invite(self, expires: datetime, *, entropy: Entropy, address: str | None = None) -> str:
        """An invitation, a UDF of type nonce, good for one account until `expires`.

        With `address` it is good for the account at that address only.
        """
        body = entropy(_NONCE_OCTETS) + int(expires.timestamp()).to_bytes(_TIME_OCTETS, "big")
        return udf.text(udf.NONCE, body + self._mac(body, address))

    def check(self, invitation: str | None, address: str, now: datetime) -> str | None:
        """The name of the invitation that lets the account at `address` in; None where none is needed.

        Raises PolicyError when the account is not let in.
        """
        if self.policy == OPEN:
            return None
        if self.policy == CLOSED:
            raise PolicyError("this service takes in no accounts from the network; ask its operator")
        if invitation is None:
            raise PolicyError("this service takes in whom it has invited; ask its operator for an invitation")
        body, stated = _parts(invitation)
        if not any(hmac.compare_digest(self._mac(body, bound), stated) for bound in (None, address)):
            raise PolicyError("the invitation is not one of this service for this address")
        if datetime.fromtimestamp(int.from_bytes(body[_NONCE_OCTETS:], "big"), UTC) <= now:
            raise PolicyError("the invitation has expired; ask for a new one")
        return udf.text(udf.NONCE, body[:_NONCE_OCTETS])

    def _mac(self, body: bytes, address: str | None) -> bytes:
        message = body + (address or "").lower().encode()
        return hmac.digest(self.secret, message, "sha512")[:_MAC_OCTETS]


def _parts(invitation: str) -> tuple[bytes, bytes]:
    try:
        code, octets = udf.parse(invitation)
    except EncodingError:
        code, octets = -1, b""
    if code != udf.NONCE or len(octets) != _BODY_OCTETS + _MAC_OCTETS:
        raise PolicyError("the invitation is mistyped; it begins with N and has 52 letters and digits")
    return octets[:_BODY_OCTETS], octets[_BODY_OCTETS:]
