"""Strong internet names: an address that carries the digest of a security policy or profile (mesh-udf §6).

The digest says what must hold for whoever answers at the address. Whatever a domain returns for such a name
is compared with it here, before any of it is used.
"""

from mathmesh.codec import uri
from mathmesh.errors import VerificationError
from mathmesh.keys import digest
from mathmesh.keys.pair import PublicKey


def check_policy(address: str, document: bytes, content_type: str) -> None:
    """Checks that `document` of that media type is the policy which the name of `address` commits to.

    Raises VerificationError when it is another document, EncodingError when the address is no strong name.
    """
    named = uri.parse_sin_address(address)[2]
    if not _is_digest(named, document, content_type):
        raise VerificationError(f"the policy offered for {address} is not the one that its name commits to")


def check_profile(address: str, profile_key: PublicKey) -> None:
    """Checks that the profile with this ProfileSignature key is the one which `address` commits to.

    The profile's own signature is checked elsewhere (`schema.validation`). Raises as `check_policy` does.
    """
    named = uri.parse_sin_address(address)[2]
    if not digest.matches(named, profile_key.udf_bytes):
        raise VerificationError(f"the profile offered for {address} is not the one that its name commits to")


def check_document(name: str, document: bytes, content_type: str) -> None:
    """Checks that the digest UDF `name` is that of `document` of that media type; else VerificationError."""
    if not _is_digest(name, document, content_type):
        raise VerificationError(f"the document found for {name} is another one; do not use it")


def _is_digest(name: str, document: bytes, content_type: str) -> bool:
    return any(
        digest.matches(name, digest.udf_bytes(document, content_type, sha3=sha3)) for sha3 in (False, True)
    )
