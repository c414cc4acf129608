"""Making the identity of a device: seed → ProfileDevice → publication, label and what the firmware keeps.

Everything is a function of the seed and the maker's account, so a minted device can be checked against the
reference's published chain (draft-hallambaker-mesh-udf §5.4; draft-hallambaker-mesh-protocol §7.5; protocol
book, "Identity").
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from mathmesh.codec import base32, udf
from mathmesh.dare.envelope import Envelope
from mathmesh.keys import derive, earl
from mathmesh.keys.hkdf import hkdf
from mathmesh.keys.pair import PrivateKey
from mathmesh.schema.build import make_profile_device, make_publication
from mathmesh.schema.cataloged import CatalogedPublication
from mathmesh.types import Entropy
from meshfactory.product import Product

SCALAR_OCTETS = 56
PREFIX_OCTETS = 57
POOL_OCTETS = 32
PSK_OCTETS = 32
PASSPHRASE_OCTETS = 15
PREFIX_HASH_OCTETS = 114


@dataclass(frozen=True, slots=True, kw_only=True)
class Minted:
    """One device, before the factory forgets its secrets.

    `seed` and `secret` (k, 15 octets) leave the factory only as the printed label; `identity` is what the
    device gets and holds neither. `publication` goes into the maker's MMM_Publication.
    """

    product: Product
    serial: str
    maker: str
    udf: str
    publication_id: str
    connect_uri: str
    publication: CatalogedPublication
    profile_device: Envelope
    identity: dict[str, object] = field(repr=False)
    seed: str = field(repr=False)
    secret: bytes = field(repr=False)


def mint(
    product: Product,
    maker: str,
    *,
    maker_key: bytes,
    entropy: Entropy,
    now: datetime,
    serial: str = "",
    hailing: Sequence[str] = (),
    seed: str | None = None,
) -> Minted:
    """A new device of `product` made by the account `maker`.

    `maker_key` is the maker's Ed448 update key (57 octets); `hailing` are URIs of local transports for the
    publication. With `seed` (Z-UDF of a device profile) the same device is made again. Raises EncodingError
    for a bad account.
    """
    seed = seed or derive.new_seed(derive.PROFILE_DEVICE, entropy)
    secret = earl.connect_secret(seed, maker)
    profile_device = make_profile_device(seed, now)
    publication_id = earl.publication_id(secret)
    identity = _identity(
        product, seed, secret, maker, maker_key, publication_id, serial, entropy(POOL_OCTETS)
    )
    return Minted(
        product=product,
        serial=serial,
        maker=maker.lower(),
        udf=derive.derive_key(seed, "BaseDeviceProfile").public.udf,
        publication_id=publication_id,
        connect_uri=earl.connect_uri(secret, maker),
        publication=make_publication(
            secret, earl.service_authenticator(secret), profile_device, tuple(hailing), entropy, now
        ),
        profile_device=profile_device,
        identity=identity,
        seed=seed,
        secret=secret,
    )


def _identity(
    product: Product,
    seed: str,
    secret: bytes,
    maker: str,
    maker_key: bytes,
    publication_id: str,
    serial: str,
    pool: bytes,
) -> dict[str, object]:
    """Members as the firmware's identity module reads them; neither seed nor k is among them."""
    encryption = derive.derive_key(seed, "BaseDeviceEncrypt")
    authentication = derive.derive_key(seed, "BaseDeviceAuthenticate")
    signature = derive.derive_key(seed, "BaseDeviceSign")
    profile = derive.derive_key(seed, "BaseDeviceProfile")
    return {
        "v": 1,
        "kind": product.kind,
        "model": product.model,
        "serial": serial,
        "udf": profile.public.udf_bytes,
        "pid": publication_id,
        "enc": _scalar(encryption, SCALAR_OCTETS),
        "auth": _scalar(authentication, SCALAR_OCTETS),
        "auth_pub": authentication.public.octets,
        "sign": _scalar(signature, PREFIX_OCTETS),
        "sign_prefix": _nonce_prefix(seed),
        "svc": earl.service_authenticator(secret),
        "dev": earl.device_authenticator(secret),
        "psk_on": hkdf(secret, b"mh1 onboard", PSK_OCTETS, hash_name="sha256"),
        "pass": base32.encode(hkdf(secret, b"mh1 softap", PASSPHRASE_OCTETS, hash_name="sha256")).lower(),
        "maker": maker.lower(),
        "maker_key": maker_key,
        "pool": pool,
    }


def _scalar(key: PrivateKey, octets: int) -> bytes:
    return key.scalar.to_bytes(octets, "little")


def _nonce_prefix(seed: str) -> bytes:
    """Second half of SHAKE256(key seed): RFC 8032's nonce prefix of the Signature key."""
    _, key_seed = derive.key_seed(seed, "BaseDeviceSign")
    return hashlib.shake_256(key_seed).digest(PREFIX_HASH_OCTETS)[PREFIX_OCTETS:]


def label_id(publication_id: str) -> bytes:
    """`lid`: 10 octets by which a device is hailed; says nothing to whoever lacks the label (protocol
    book).
    """
    udf.parse(publication_id)
    return hashlib.sha256(b"mh1 label" + publication_id.encode()).digest()[:10]
