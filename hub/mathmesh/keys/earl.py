"""Encrypted authenticated resource locators: the secret of a device label and what follows from it.

Source: draft-hallambaker-mesh-udf §5.4 and draft-hallambaker-mesh-protocol §7.5.
"""

from mathmesh.codec import udf, uri
from mathmesh.keys import digest, hkdf, mac, symmetric

SERVICE_INFO = "mmm/key/authenticate/service"
DEVICE_INFO = "mmm/key/authenticate/device"
CONNECT_SECRET_OCTETS = 15
CONTENT_ID_BITS = 280


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
