"""Key agreement as a service: the operation and result of an Operate transaction
(draft-hallambaker-mesh-protocol §7.6).

The service looks up the share under `KeyId`, checks that its capability is active and granted to the
caller, and answers with its partial agreement. The client adds its own. A wrong partial agreement shows
when the result unwraps nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mathmesh.codec import b64
from mathmesh.errors import EncodingError, PolicyError, RemoteProtocolError
from mathmesh.keys import algorithms
from mathmesh.keys.pair import PublicKey
from mathmesh.threshold.agreement import ShareAgreement
from mathmesh.threshold.point import Point, combine

OPERATION_TAG = "CryptographicOperationKeyAgreement"
RESULT_TAG = "CryptographicResultKeyAgreement"
AGREEMENT_TAG = "KeyAgreementECDH"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyAgreementOperation:
    """Request for a partial agreement with `public_key` by the share that `key_id` names.

    `key_coefficient` is the factor of a quorate share, written as share scalars are: little endian, of
    fixed length.
    """

    key_id: str
    public_key: PublicKey
    key_coefficient: int | None = None

    def to_json(self) -> dict[str, Any]:
        """The tagged JSON object."""
        members: dict[str, Any] = {"KeyId": self.key_id, "PublicKey": self.public_key.to_json()}
        if self.key_coefficient is not None:
            curve = algorithms.curve(self.public_key.crv)
            octets = (self.key_coefficient % curve.order).to_bytes(curve.scalar_size, "little")
            members["KeyCoefficient"] = b64.encode(octets)
        return {OPERATION_TAG: members}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "KeyAgreementOperation":
        """Operation of a tagged object; raises EncodingError when it is malformed."""
        members = _mapping(value, OPERATION_TAG)
        key_id = members.get("KeyId")
        if not isinstance(key_id, str):
            raise EncodingError("key agreement operation lacks KeyId")
        coefficient = members.get("KeyCoefficient")
        return cls(
            key_id=key_id,
            public_key=PublicKey.from_json(_mapping(members, "PublicKey")),
            key_coefficient=None
            if coefficient is None
            else int.from_bytes(_octets(members, "KeyCoefficient"), "little"),
        )

    def perform(self, share: ShareAgreement) -> "KeyAgreementResult":
        """The answer of whoever holds `share`; keep it for further operations, it is costly to prepare.

        Raises PolicyError when the key is of another curve, EncodingError for a public key without sign of
        v and for a coefficient of zero, VerificationError for a public key that is not of prime order.
        """
        if share.crv != self.public_key.crv:
            raise PolicyError(f"key {self.key_id} does not agree with {self.public_key.crv} keys")
        peer = Point.decode(self.public_key.crv, self.public_key.octets)
        party = share if self.key_coefficient is None else share.times(self.key_coefficient)
        return KeyAgreementResult(point=party.partial(peer))


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyAgreementResult:
    """A partial agreement, or why there is none."""

    point: Point | None = None
    error: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The tagged JSON object."""
        members: dict[str, Any] = {}
        if self.error is not None:
            members["Error"] = self.error
        if self.point is not None:
            agreed = {"Curve": self.point.crv, "Result": b64.encode(self.point.octets)}
            members["KeyAgreement"] = {AGREEMENT_TAG: agreed}
        return {RESULT_TAG: members}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "KeyAgreementResult":
        """Result of a tagged object.

        Raises EncodingError when it is malformed, VerificationError for a point off its curve.
        """
        members = _mapping(value, RESULT_TAG)
        error = members.get("Error")
        if error is not None:
            return cls(error=str(error))
        agreed = _mapping(_mapping(members, "KeyAgreement"), AGREEMENT_TAG)
        crv = agreed.get("Curve")
        if not isinstance(crv, str):
            raise EncodingError("key agreement result lacks Curve")
        return cls(point=Point.decode(crv, _octets(agreed, "Result")))

    def complete(self, own: Point) -> bytes:
        """The agreement, input of a key derivation, from this result and the client's `own` partial one.

        Raises RemoteProtocolError when the service refused or answered for another curve, VerificationError
        when the two cancel each other out.
        """
        if self.point is None:
            raise RemoteProtocolError(f"the key service refused the agreement: {self.error}")
        if self.point.crv != own.crv:
            raise RemoteProtocolError(f"the key service agreed on {self.point.crv}, not on {own.crv}")
        return combine([own, self.point]).agreement


def _mapping(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = value.get(name) if isinstance(value, Mapping) else None
    if not isinstance(found, Mapping):
        raise EncodingError(f"key agreement lacks the object {name}")
    return found


def _octets(members: Mapping[str, Any], name: str) -> bytes:
    found = members.get(name)
    if isinstance(found, bytes):
        return found
    if not isinstance(found, str):
        raise EncodingError(f"key agreement lacks the octets {name}")
    return b64.decode(found)
