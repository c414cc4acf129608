"""Encrypted authenticated resource locators: the secret of a device label and what follows from it.

Source: draft-hallambaker-mesh-udf §5.4 and draft-hallambaker-mesh-protocol §7.5.
"""

import hmac

from mathmesh.codec import udf, uri
from mathmesh.errors import EncodingError
from mathmesh.keys import digest, hkdf, mac, symmetric
from mathmesh.keys.pair import PrivateKey, PublicKey

SERVICE_INFO = "mmm/key/authenticate/service"
DEVICE_INFO = "mmm/key/authenticate/device"
CONNECT_SECRET_OCTETS = 15
CONTENT_ID_BITS = 280
WELL_KNOWN = "/.well-known/mmm-udf/"
CONTACT_OCTETS = 16
"""Fewest octets of the key of a contact, and how many we take."""

_AUTHENTICATOR_INFO = b"mesh-hub earl authenticator"


def connect_secret(seed_udf: str, maker_account: str, octets: int = CONNECT_SECRET_OCTETS) -> bytes:
    """Secret on the label of the device with this seed, bound to the account of its maker."""
    account = uri.account_address(maker_account)
    return hkdf.hkdf(udf.canonical(seed_udf).encode(), account.encode(), octets)


def connect_uri(secret: bytes, maker_account: str) -> str:
    """What the label shows: `mcu://maker-account/KEY`."""
    return uri.mcu(maker_account, udf.text(udf.ENCRYPTION, secret))


def publication_id(secret: bytes) -> str:
    """Identifier under which the maker's service finds the publication."""
    return symmetric.key_id(secret)


def service_authenticator(secret: bytes) -> str:
    """Key UDF that the maker's service keeps to check claims."""
    return symmetric.sub_key(udf.text(udf.ENCRYPTION, secret), SERVICE_INFO)


def device_authenticator(secret: bytes) -> str:
    """Key UDF that the device keeps to check claims."""
    return symmetric.sub_key(udf.text(udf.ENCRYPTION, secret), DEVICE_INFO)


def claim_mac(authenticator: str, claimant_account: str) -> str:
    """Proof that the claimant knows the secret, under one of the two authenticators."""
    return mac.mac(authenticator, claimant_account.lower().encode())


def content_id(
    key_udf: str, *, content_type: str = digest.UDF_ENCRYPTION, bits: int = CONTENT_ID_BITS
) -> str:
    """Digest of a key's text, by which a `udf:` locator finds its content."""
    return digest.content_digest(udf.canonical(key_udf).encode(), content_type, bits=bits)


def location(authority: str, name: str) -> str:
    """Address at which a domain keeps the content of a `udf:` locator: that of a key or of a digest."""
    return f"https://{authority}{WELL_KNOWN}{content_id(name)}"


def authenticator_key(key_udf: str) -> PrivateKey:
    """The Ed448 key that whoever knows a key of type E shares: its signature shows that content was sealed
    by one of them. Our addition (protocol book): the encryption of the drafts alone can be altered.
    """
    seed = hkdf.hkdf(symmetric.secret(key_udf), _AUTHENTICATOR_INFO, 56)
    return PrivateKey.from_seed("Ed448", seed)


def contact_key(signer: PublicKey, octets: int = CONTACT_OCTETS) -> str:
    """Key UDF of a published contact: the first octets of the fingerprint of the key that signs it.

    Raises EncodingError for a key that does not sign with Ed448 and for fewer than 16 octets.
    """
    if signer.crv != "Ed448" or not CONTACT_OCTETS <= octets <= len(signer.udf_bytes):
        raise EncodingError(
            "the key of a contact is made from 16 or more octets of an Ed448 key's fingerprint"
        )
    return udf.text(udf.ENCRYPTION_SIGNATURE, signer.udf_bytes[:octets])


def is_contact_key(key_udf: str, signer: PublicKey) -> bool:
    """Whether content under the contact key `key_udf` is to be signed by `signer`."""
    code, data = udf.parse(key_udf)
    if code != udf.ENCRYPTION_SIGNATURE or signer.crv != "Ed448" or len(data) < CONTACT_OCTETS:
        return False
    return hmac.compare_digest(data, signer.udf_bytes[: len(data)])
