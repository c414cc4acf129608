"""One envelope in the making: header and keys first, then the body, whole or in pieces, then the trailer.

Annotations and cloaked members are encrypted when the body is. Cloaked members replace those of the header in
the hands of a reader who has a key; without encryption there is nothing to cloak them with.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from mathmesh.codec import b64, jsonbcd
from mathmesh.dare import edss, exchange, protection, signature
from mathmesh.dare.content_meta import ContentMeta
from mathmesh.dare.structure import MAXIMUM_ANNOTATIONS, NEVER_CLOAKED
from mathmesh.dare.suites import A256CBC, INTEROPERABLE, S512, Suites
from mathmesh.errors import LocalProtocolError, PolicyError
from mathmesh.keys import openssl
from mathmesh.keys import symmetric as symmetric_keys
from mathmesh.keys.pair import PrivateKey
from mathmesh.types import Entropy


class Hasher(Protocol):
    """A digest that is fed in pieces, as `hashlib` makes them."""

    def update(self, piece: bytes | memoryview, /) -> None:
        """Takes the next piece."""

    def digest(self) -> bytes:
        """The digest of all pieces."""


class Sealing:
    """`header` is complete from the beginning; `trailer` is asked for with the digest of the body."""

    def __init__(
        self,
        *,
        entropy: Entropy,
        recipients: Sequence[exchange.Recipient] = (),
        symmetric: Sequence[bytes] = (),
        signers: Sequence[PrivateKey] = (),
        content_meta: ContentMeta | None = None,
        envelope_id: str | None = None,
        annotations: Sequence[bytes] = (),
        cloaked: Mapping[str, Any] | None = None,
        enc: str = A256CBC,
        dig: str = S512,
        suites: Suites = INTEROPERABLE,
    ) -> None:
        """Arguments as those of `envelope.seal`; raises PolicyError for what `suites` does not allow."""
        self.encrypted = bool(recipients or symmetric)
        cipher = suites.encryption(enc)
        if self.encrypted and cipher is None:
            raise PolicyError("recipients are named but the body is not to be encrypted; leave them out")
        if cloaked and not self.encrypted:
            raise PolicyError("nothing can be cloaked without encryption; name a recipient")
        self._cipher = cipher if self.encrypted else None
        self._digest = suites.digest(dig)
        self._entropy = entropy
        self._signers = tuple(signers)
        self._seed = entropy(protection.SEED_OCTETS) if self.encrypted else b""
        self._salt = entropy(protection.SALT_OCTETS) if self.encrypted else b""
        self.header: dict[str, Any] = {} if envelope_id is None else {"EnvelopeId": envelope_id}
        if self._cipher is not None:
            self.header["enc"] = self._cipher.name
        self.header["dig"] = self._digest.name
        if self.encrypted:
            self.header["kid"] = symmetric_keys.key_id(self._seed)
            self.header["Salt"] = b64.encode(self._salt)
        self.header |= self._extras(annotations, cloaked)
        if self.encrypted:
            self.header["recipients"] = exchange.make_recipients(
                self._seed, entropy=entropy, recipients=recipients, symmetric_keys=symmetric, suites=suites
            )
        if content_meta is not None:
            self.header["ContentMetaData"] = b64.encode(content_meta.encode())

    def encrypt(self, plaintext: bytes) -> bytes:
        """The body of `plaintext` taken as a whole; the keys are for one body only."""
        if self._cipher is None:
            return plaintext
        self._check_length(len(plaintext))
        return protection.encrypt(self._seed, self._salt, plaintext, self._cipher.name)

    def encryptor(self, length: int = 0) -> openssl.Encryptor | None:
        """What encrypts the body in pieces, None when it is left as it is; `length` as far as it is known."""
        if self._cipher is None:
            return None
        self._check_length(length)
        return protection.encryptor(self._seed, self._salt, self._cipher)

    @property
    def maximum(self) -> int:
        """Octets of the longest plaintext that may be sealed."""
        return 1 << 62 if self._cipher is None else self._cipher.maximum

    def body_length(self, length: int) -> int:
        """Octets of the body of so many octets of plaintext."""
        return length if self._cipher is None else self._cipher.length(length)

    def hasher(self) -> Hasher:
        """A fresh digest for the body."""
        made: Hasher = self._digest.new()
        return made

    def trailer(self, digest: bytes) -> dict[str, Any]:
        """The trailer for a body with this digest: signatures and PayloadDigest."""
        made = [
            signature.make(signer, digest, self._digest.name, self._entropy, self._seed, self._salt)
            for signer in self._signers
        ]
        trailer: dict[str, Any] = {"signatures": made} if made else {}
        trailer["PayloadDigest"] = b64.encode(digest)
        return trailer

    def _extras(self, annotations: Sequence[bytes], cloaked: Mapping[str, Any] | None) -> dict[str, Any]:
        """The members `cloaked` and `annotations`; each item has a salt prefix of its own."""
        if len(annotations) > MAXIMUM_ANNOTATIONS:
            raise PolicyError("envelope has more than 1024 annotations")
        members: dict[str, Any] = {}
        counter = 0
        if cloaked:
            if NEVER_CLOAKED.intersection(cloaked):
                raise LocalProtocolError("members that say how an envelope is read cannot be cloaked")
            members["cloaked"] = self._item(counter, jsonbcd.dumps(dict(cloaked)))
            counter += 1
        if annotations:
            members["annotations"] = [
                self._item(number, data) for number, data in enumerate(annotations, counter)
            ]
        return members

    def _item(self, counter: int, data: bytes) -> str:
        enc = A256CBC if self._cipher is None else self._cipher.name
        return b64.encode(edss.encode(edss.prefix(counter), data, self._seed, self._salt, enc))

    def _check_length(self, length: int) -> None:
        if length > self.maximum:
            raise PolicyError(f"body is too long for {self.header['enc']}; use {A256CBC} or cut it")
