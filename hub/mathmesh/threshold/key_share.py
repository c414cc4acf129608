"""KeyShare: one share of a private key, and where the others are (draft-hallambaker-mesh-schema §4.1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mathmesh.codec.udf import canonical
from mathmesh.errors import EncodingError, VerificationError
from mathmesh.keys.pair import PrivateKey, PublicKey

TAG = "KeyShare"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyShare:
    """A share of the key behind `public_primary`; the service at `service_address` holds the other one."""

    public_primary: PublicKey
    share: PrivateKey
    service_address: str | None = None
    service_id: str | None = None

    def __post_init__(self) -> None:
        if self.share.crv != self.public_primary.crv:
            raise EncodingError(f"a {self.share.crv} share cannot belong to a {self.public_primary.crv} key")

    @property
    def key_id(self) -> str:
        """UDF of the share's own public key, by which the service finds its share."""
        return self.share.public.udf

    def to_json(self) -> dict[str, Any]:
        """The tagged JSON object; the share is a bare scalar of fixed length, never a seed."""
        scalar = PrivateKey.from_scalar(self.share.crv, self.share.scalar)
        members: dict[str, Any] = {"PublicPrimary": self.public_primary.to_json(), "Share": scalar.to_json()}
        if self.service_id is not None:
            members["ServiceId"] = self.service_id
        if self.service_address is not None:
            members["ServiceAddress"] = self.service_address
        return {TAG: members}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "KeyShare":
        """The share of a tagged object; scalars may have any length. Raises EncodingError when malformed."""
        members = _mapping(value, TAG)
        return cls(
            public_primary=PublicKey.from_json(_mapping(members, "PublicPrimary")),
            share=PrivateKey.from_json(_mapping(members, "Share")),
            service_address=_text(members, "ServiceAddress"),
            service_id=_text(members, "ServiceId"),
        )

    def to_key_data(self) -> dict[str, Any]:
        """The members of the KeyData that carries the share, named by the primary key."""
        return {"Udf": self.public_primary.udf, "PrivateParameters": self.to_json()}

    @classmethod
    def from_key_data(cls, members: Mapping[str, Any]) -> "KeyShare":
        """Reverse of `to_key_data`; raises VerificationError when ``Udf`` is not that of the primary key."""
        found = cls.from_json(_mapping(members, "PrivateParameters"))
        if canonical(_text(members, "Udf") or "") != canonical(found.public_primary.udf):
            raise VerificationError(f"a share of key {found.public_primary.udf} is under the name of another")
        return found


def _mapping(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = value.get(name) if isinstance(value, Mapping) else None
    if not isinstance(found, Mapping):
        raise EncodingError(f"key share lacks the object {name}")
    return found


def _text(members: Mapping[str, Any], name: str) -> str | None:
    found = members.get(name)
    if found is not None and not isinstance(found, str):
        raise EncodingError(f"member {name} of a key share is no text")
    return found
