"""Commitments to nonces, the first round of FROST (RFC 9591 §5.1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from mathmesh.errors import LocalProtocolError, RemoteProtocolError
from mathmesh.threshold.frost_suite import Suite, suite
from mathmesh.threshold.signing_share import SigningShare
from mathmesh.types import Entropy

NONCE_ENTROPY = 32
"""Octets of fresh randomness for each of the two nonces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitment:
    """What a signer publishes of its two nonces: encoded points of its curve."""

    identifier: int
    hiding: bytes
    binding: bytes


class Nonces:
    """The two secret nonces of one signer, for one signature.

    A second signature under them would give the share away, so they can be taken once, and neither copied
    nor stored. They are gone after a restart: commit anew.
    """

    def __init__(self, commitment: Commitment, hiding: int, binding: int) -> None:
        self.commitment = commitment
        self._secrets = [(hiding, binding)]

    def take(self) -> tuple[int, int]:
        """Hiding and binding nonce; raises LocalProtocolError when they were taken before."""
        try:
            return self._secrets.pop()
        except IndexError:
            raise LocalProtocolError("these nonces have signed already; commit to new ones") from None

    def __reduce__(self) -> NoReturn:
        raise LocalProtocolError("nonces are neither copied nor stored; commit to new ones")

    def __repr__(self) -> str:
        return f"Nonces(of signer {self.commitment.identifier})"


def commit(share: SigningShare, entropy: Entropy) -> Nonces:
    """Fresh nonces, made of 64 octets of entropy and of the share, with the commitment to publish."""
    rules = suite(share.group.crv)
    hiding, binding = (_nonce(rules, share, entropy(NONCE_ENTROPY)) for _ in range(2))
    commitment = Commitment(
        identifier=share.identifier, hiding=rules.base_point(hiding), binding=rules.base_point(binding)
    )
    return Nonces(commitment, hiding, binding)


def check_commitments(rules: Suite, commitments: Sequence[Commitment]) -> tuple[Commitment, ...]:
    """The commitments in the order of their signers.

    Raises RemoteProtocolError for fewer than two, for two of one signer and for a signer without number.
    """
    identifiers = {commitment.identifier for commitment in commitments}
    if len(commitments) < 2 or len(identifiers) != len(commitments):
        raise RemoteProtocolError("a signature needs the commitments of at least two signers, one of each")
    if not all(0 < identifier < rules.order for identifier in identifiers):
        raise RemoteProtocolError("signers are numbered from 1 up")
    return tuple(sorted(commitments, key=lambda commitment: commitment.identifier))


def _nonce(rules: Suite, share: SigningShare, random: bytes) -> int:
    return rules.hash_to_scalar(b"nonce", random, rules.write_scalar(share.key.scalar))
