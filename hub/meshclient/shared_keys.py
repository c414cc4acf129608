"""Keys of which the service holds the other share: how an envelope is opened with its help (mesh-protocol,
Operate; mesh-schema §7).

The agreement for one envelope is the sum of this device's part and the service's. It is used once, through
a keyring that answers for that envelope; nothing of it is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mathmesh.codec import udf
from mathmesh.errors import EncodingError, KeyUnavailableError, MeshError, PolicyError, ProtocolError
from mathmesh.keys.keyring import Keyring
from mathmesh.keys.pair import PrivateKey, PublicKey
from mathmesh.service import messages as wire
from mathmesh.service.client import ServiceRefusal, Transport, transact
from mathmesh.threshold.agreement import ShareAgreement
from mathmesh.threshold.key_share import KeyShare
from mathmesh.threshold.operate import KeyAgreementOperation, KeyAgreementResult
from mathmesh.threshold.point import Point

MAXIMUM_OPERATIONS = 64
"""How many agreements are asked for in one request."""
NO_KEY = "No decryption key is available: `account sync /auto` fetches those that were given meanwhile"
FAILED = "A requested cryptographic operation failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """An agreement with `ephemeral` that needs the service's part of the key behind `share`."""

    share: KeyShare
    ephemeral: PublicKey

    @property
    def operation(self) -> KeyAgreementOperation:
        """What the service is asked."""
        return KeyAgreementOperation(key_id=self.share.key_id, public_key=self.ephemeral)

    def complete(self, result: KeyAgreementResult) -> bytes:
        """The agreement, from the service's answer and this device's own part.

        Raises PolicyError when the service refused.
        """
        if result.error is not None:
            raise PolicyError(FAILED)
        peer = Point.decode(self.ephemeral.crv, self.ephemeral.octets)
        return result.complete(ShareAgreement(self.share.share).partial(peer))


class AgreedKeyring:
    """The keys of `keyring`, and one agreement made with the service for one envelope."""

    def __init__(self, keyring: Keyring, kid: str, agreement: bytes) -> None:
        self._keyring = keyring
        self._kid = udf.canonical(kid)
        self._agreement = agreement

    def private(self, kid: str) -> PrivateKey | None:
        """Private key whose public key has this identifier."""
        return self._keyring.private(kid)

    def symmetric(self, kid: str) -> bytes | None:
        """The agreement, from which the key of the body is found just as from a secret of both sides."""
        return self._agreement if _canonical(kid) == self._kid else self._keyring.symmetric(kid)

    def kids(self) -> Iterable[str]:
        """Identifiers of all keys held."""
        return self._keyring.kids()


def needed(
    header: Mapping[str, Any], keyring: Keyring, shares: Mapping[str, KeyShare]
) -> tuple[str, Needed] | None:
    """The identifier of a recipient of which only a share is here, and what is needed to open it.

    None when a whole key is at hand, or no share either. `header` is the header of an envelope.
    """
    entries = [entry for entry in header.get("recipients") or () if isinstance(entry, dict)]
    kids = [_canonical(str(entry.get("kid", ""))) for entry in entries]
    if any(keyring.private(kid) is not None or keyring.symmetric(kid) is not None for kid in kids):
        return None
    for kid, entry in zip(kids, entries, strict=True):
        share = shares.get(kid)
        if share is None:
            continue
        try:
            ephemeral = PublicKey.from_json(entry.get("epk") or {})
        except MeshError:
            continue
        return kid, Needed(share=share, ephemeral=ephemeral)
    return None


def require_key(header: Mapping[str, Any], keyring: Keyring) -> None:
    """Raise KeyUnavailableError unless the body is in clear or a key of `keyring` is named as recipient."""
    entries = [entry for entry in header.get("recipients") or () if isinstance(entry, dict)]
    kids = [_canonical(str(entry.get("kid", ""))) for entry in entries]
    if entries and not any(keyring.private(kid) or keyring.symmetric(kid) for kid in kids):
        raise KeyUnavailableError(NO_KEY)


async def operate(
    transport: Transport, request: wire.OperateRequest, wanted: Sequence[Needed]
) -> list[bytes]:
    """The agreements of `wanted`, for which `request` asks; PolicyError when the service refuses."""
    try:
        response = await transact(transport, request, wire.OperateResponse)
    except ServiceRefusal as refusal:
        raise PolicyError(FAILED) from refusal
    if len(response.results) != len(wanted):
        raise ProtocolError("the service answered another number of operations than it was asked for")
    return [
        one.complete(KeyAgreementResult.from_json(result))
        for one, result in zip(wanted, response.results, strict=True)
    ]


def batches(wanted: Sequence[Needed]) -> Iterable[Sequence[Needed]]:
    """`wanted` in requests of a size that a service takes."""
    for start in range(0, len(wanted), MAXIMUM_OPERATIONS):
        yield wanted[start : start + MAXIMUM_OPERATIONS]


def _canonical(kid: str) -> str:
    try:
        return udf.canonical(kid)
    except EncodingError:
        return ""
