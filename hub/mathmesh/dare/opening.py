"""Opening of one envelope: what its header says and what the keys at hand make of it.

The order of the checks is that of `envelope`; a reader in pieces makes the same ones when the body has ended.
"""

from typing import Any

from mathmesh.codec import b64, jsonbcd
from mathmesh.dare import edss, exchange, protection, signature
from mathmesh.dare.sealing import Hasher
from mathmesh.dare.structure import NEVER_CLOAKED, Envelope, check_limits
from mathmesh.dare.suites import A256CBC, INTEROPERABLE, Suites
from mathmesh.dare.text_form import plain_members
from mathmesh.errors import EncodingError, VerificationError
from mathmesh.keys import openssl
from mathmesh.keys.keyring import Keyring


class Opening:
    """Made from a header; `unlock` finds the keys, `check` verifies digest and signatures of the body."""

    def __init__(self, header: dict[str, Any], *, suites: Suites = INTEROPERABLE, dig: object = None) -> None:
        """`dig` is the digest that the trailer names, if that is known already and the header names none.

        Raises PolicyError for algorithms that are not allowed and for lists longer than we read.
        """
        check_limits(header)
        self.header = header
        self._suites = suites
        self._cipher = suites.encryption(header.get("enc"))
        self._digest = suites.digest(header.get("dig") or dig)
        self._seed = b""
        self._salt = b""

    @property
    def encrypted(self) -> bool:
        """Whether the body is encrypted."""
        return self._cipher is not None

    @property
    def digest_octets(self) -> int:
        """Length of the digest of the body."""
        return self._digest.octets

    def hasher(self) -> Hasher:
        """A fresh digest for the body."""
        made: Hasher = self._digest.new()
        return made

    def unlock(self, keyring: Keyring | None) -> None:
        """Finds the base seed of an encrypted body; cloaked members then count in `header`.

        Raises KeyUnavailableError when no key opens it, EncodingError for malformed members.
        """
        if self._cipher is None:
            return
        self._seed = exchange.open_recipients(self.header.get("recipients"), keyring)
        self._salt = protection.salt_of(self.header)

    def decrypt(self, body: bytes) -> bytes:
        """The plaintext of a body taken as a whole, after `check` and `unlock`."""
        if self._cipher is None:
            return body
        return protection.decrypt(self._seed, self._salt, body, self._cipher.name)

    def decryptor(self) -> openssl.Decryptor | None:
        """What decrypts the body in pieces, None when it is in clear."""
        if self._cipher is None:
            return None
        return protection.decryptor(self._seed, self._salt, self._cipher)

    def check(
        self,
        digest: bytes,
        trailer: dict[str, Any],
        *,
        signers: signature.Signers = (),
        require_signature: bool = False,
        require_digest: bool = True,
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Kids whose signature holds over `digest`, that of the body, and kids whose key is not at hand.

        With the keys of the body found, witnesses are checked too. Raises VerificationError.
        """
        members = Envelope(self.header, b"", trailer).merged()
        if self._suites.digest(members.get("dig")) is not self._digest:
            raise VerificationError("trailer names another digest than the header")
        claimed = protection.binary(members, "PayloadDigest")
        if claimed is not None:
            protection.compare_digest(claimed, digest)
        signatures = signature.of(members)
        if not self.encrypted and _speaks_of_encryption(members, signatures):
            raise VerificationError("header does not say how the body is encrypted; ask for a correct copy")
        held, unknown = signature.verify_all(
            signatures, digest, self._digest.name, signature.by_kid(signers), self._suites
        )
        if require_signature and not held:
            raise VerificationError(
                "envelope is not signed by a key that is trusted here; ask for a signed copy"
            )
        if self.encrypted and require_digest and claimed is None and not held:
            raise VerificationError("encrypted body has no digest; ask the sender for an envelope with one")
        if self._seed:
            signature.check_witnesses(signatures, self._seed, self._salt)
        return held, unknown

    def check_witnesses(self, trailer: dict[str, Any]) -> None:
        """Checks the witnesses alone, for an order in which the keys are found after `check`."""
        members = Envelope(self.header, b"", trailer).merged()
        signature.check_witnesses(signature.of(members), self._seed, self._salt)

    def uncloak(self) -> None:
        """Takes the cloaked members into `header`, after `unlock`.

        Nothing authenticates them. Raises EncodingError when they say how the envelope is to be read.
        """
        octets = protection.binary(self.header, "cloaked")
        if octets is None or not self._seed:
            return
        cloaked = plain_members(jsonbcd.loads(self._item(octets)[1], tolerant=True))
        if not isinstance(cloaked, dict) or NEVER_CLOAKED.intersection(cloaked):
            raise EncodingError("cloaked part of the header holds what it must not")
        self.header = self.header | cloaked

    def annotations(self) -> tuple[bytes, ...]:
        """The annotations, decrypted where the body is; none for a reader without the keys.

        Nothing authenticates them. Raises EncodingError for malformed ones and when a salt prefix recurs.
        """
        items = self.header.get("annotations") or []
        if self.encrypted and not self._seed:
            return ()
        if not all(isinstance(item, str) for item in items):
            raise EncodingError("annotation is not binary")
        read = [self._item(b64.decode(item)) for item in items]
        if len({prefix for prefix, _ in read}) != len(read) and self.encrypted:
            raise EncodingError("two annotations have the same salt prefix")
        return tuple(data for _, data in read)

    def _item(self, octets: bytes) -> tuple[bytes, bytes]:
        enc = A256CBC if self._cipher is None else self._cipher.name
        return edss.decode(octets, self._seed, self._salt, enc)


def _speaks_of_encryption(members: dict[str, Any], signatures: list[dict[str, Any]]) -> bool:
    """Whether a body to be taken as it is was encrypted once: no signature covers the member `enc`."""
    if members.get("recipients") or members.get("Salt"):
        return True
    return any(entry.get("witness") for entry in signatures)
