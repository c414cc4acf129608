"""KeyData: a key, named by its UDF (draft-hallambaker-mesh-schema §4.1)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TypeVar

from mathmesh.codec import b64
from mathmesh.codec.udf import canonical
from mathmesh.errors import EncodingError, VerificationError
from mathmesh.keys.pair import PrivateKey, PublicKey
from mathmesh.schema.mesh_object import JsonObject, MeshObject, MeshStruct, members, mesh_type
from mathmesh.threshold.key_share import KeyShare

SIGNING = "Ed448"
AGREEMENT = "X448"

Key = TypeVar("Key")
_BINARY_MEMBERS = ("Public", "Private")


@mesh_type
class KeyData(MeshObject):
    """A public or private key; the parameters are tagged key objects, kept as read.

    As a member of another object it is untagged; an envelope of its own holds it tagged.
    """

    udf: str | None = None
    x509_certificate: bytes | None = None
    x509_chain: tuple[bytes, ...] | None = None
    x509_csr: bytes | None = None
    not_before: datetime | None = None
    not_on_or_after: datetime | None = None
    public_parameters: JsonObject | None = None
    private_parameters: JsonObject | None = None

    @classmethod
    def of_public(cls, key: PublicKey) -> KeyData:
        """The published form of `key`."""
        return cls(udf=key.udf, public_parameters=key.to_json())

    @classmethod
    def of_private(cls, key: PrivateKey) -> KeyData:
        """`key` itself, for an object that will be encrypted."""
        return cls(udf=key.public.udf, private_parameters=key.to_json())

    @classmethod
    def of_share(cls, share: KeyShare) -> KeyData:
        """A share of a key, under the name of the whole key."""
        return cls.read(share.to_key_data())

    def public_key(self, curve: str | None = None) -> PublicKey:
        """The public key, its UDF recomputed.

        Raises EncodingError when there is none, VerificationError when ``Udf`` is not the UDF of the key or
        the key is not of `curve`.
        """
        if self.public_parameters is None:
            raise EncodingError("the key has no public parameters")
        key = PublicKey.from_json(self.public_parameters)
        return self._checked(key, key, curve)

    def private_key(self, curve: str | None = None) -> PrivateKey:
        """The private key, under the same conditions as `public_key`."""
        if self.private_parameters is None:
            raise EncodingError("the key has no private parameters")
        key = PrivateKey.from_json(self.private_parameters)
        return self._checked(key, key.public, curve)

    def key_share(self, curve: str | None = None) -> KeyShare:
        """The share in the private parameters.

        Raises EncodingError when there is none, VerificationError when ``Udf`` is not that of the whole key
        or the key is not of `curve`.
        """
        share = KeyShare.from_key_data(self.write())
        self._checked(share, share.public_primary, curve)
        return share

    def _checked(self, key: Key, public: PublicKey, curve: str | None) -> Key:
        if curve is not None and public.crv != curve:
            raise VerificationError(f"key {public.udf} is of curve {public.crv}, {curve} is expected")
        if not same_udf(self.udf, public.udf):
            raise VerificationError(f"a key that calls itself {self.udf} is {public.udf}")
        return key

    def write(self, *, binary: bool = False) -> JsonObject:
        """As `MeshStruct.write`; in JSON-B the octets inside the key parameters are binary items too."""
        written = MeshStruct.write(self, binary=binary)
        if binary:
            for name in ("PublicParameters", "PrivateParameters"):
                if name in written:
                    written[name] = {
                        tag: _binary(members) if isinstance(members, dict) else members
                        for tag, members in written[name].items()
                    }
        return written


def _binary(members: JsonObject) -> JsonObject:
    return {
        name: _octets(value) if name in _BINARY_MEMBERS and isinstance(value, str) else value
        for name, value in members.items()
    }


def _octets(text: str) -> bytes | str:
    try:
        return b64.decode(text)
    except EncodingError:  # kept as read; `public_key` and `private_key` refuse it
        return text


@mesh_type
class CompositePrivate(MeshObject):
    """A key of the device plus a salt or a share of the service; declared by the draft, made by nobody."""

    device_key_udf: str | None = None
    private_salt: JsonObject | None = None
    service_share: JsonObject | None = None


def keys_within(item: MeshStruct) -> Iterator[KeyData]:
    """Every key in `item`, at any depth; what lies in an envelope is not looked into."""
    if isinstance(item, KeyData):
        yield item
    for member in members(type(item)).values():
        value = getattr(item, member.attribute)
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, MeshStruct):
                yield from keys_within(one)


def same_udf(one: object, other: object) -> bool:
    """Whether both are UDF texts of the same identifier; spelling does not matter."""
    if not isinstance(one, str) or not isinstance(other, str):
        return False
    try:
        return canonical(one) == canonical(other)
    except EncodingError:
        return False
