"""Keys that a grantee can use only together with the service (mesh-schema §7, §8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mathmesh.keys import derive
from mathmesh.keys.pair import PrivateKey, PublicKey
from mathmesh.schema.activation import ActivationCommon
from mathmesh.schema.build.enveloped import enveloped
from mathmesh.schema.build.grants import STORES, store_entries
from mathmesh.schema.build.profile import ACCOUNT
from mathmesh.schema.capability import CapabilityDecryptServiced, CryptographicCapability
from mathmesh.schema.cataloged import CatalogedAccess
from mathmesh.schema.key_data import KeyData
from mathmesh.threshold import split
from mathmesh.threshold.key_share import KeyShare
from mathmesh.types import Entropy

THRESHOLD_STORES = STORES["web"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The service that is to hold shares: the address of the account it holds them for, its host's key
    (AccessEncrypt) and the account's AdministratorSignature key, which signs them.
    """

    address: str
    host_key: PublicKey
    administrator: PrivateKey


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitKey:
    """A key in two parts: the grantee's share, and the entry of MMM_Access with that of the service."""

    share: KeyShare
    access: CatalogedAccess


def make_split_key(
    key: PrivateKey,
    service: Service,
    *,
    entropy: Entropy,
    now: datetime,
    grantee_udf: str | None = None,
    grantee_account: str | None = None,
    kind: type[CryptographicCapability] = CapabilityDecryptServiced,
) -> SplitKey:
    """`key` in a share for the grantee and one for the service, which add up to it.

    The grantee is a device, by the UDF of its activated authentication key, or an account by its address.
    The service's share is encrypted to its host; `kind` is the type of the capability.
    """
    own, serviced = split.direct(key, 2, entropy)
    share = KeyShare(public_primary=key.public, share=own, service_address=service.address)
    for_host = KeyData.of_share(KeyShare(public_primary=key.public, share=serviced))
    capability = kind(
        id=share.key_id,
        active=True,
        issued=int(now.timestamp()),
        grantee_account=grantee_account,
        grantee_udf=grantee_udf,
        enveloped_key_share=enveloped(
            for_host,
            entropy=entropy,
            now=now,
            signer=service.administrator,
            recipients=[service.host_key],
        ),
    )
    return SplitKey(share=share, access=CatalogedAccess(capability=capability))


def make_threshold_activation(
    account_seed: str, device_key_id: str, service: Service, *, entropy: Entropy, now: datetime
) -> tuple[ActivationCommon, CatalogedAccess]:
    """What the role `threshold` grants a device in the account with `account_seed` (type 0x0102).

    The device has the stores of `web` and, of the account's CommonEncryption key, a share that it can use
    with the service alone; no key that signs or authenticates for the account. `device_key_id` is the UDF of
    its activated authentication key. The reference splits the signature key too, which nothing can use.
    """
    whole = derive.derive_key(account_seed, ACCOUNT + "Encrypt")
    parts = make_split_key(whole, service, entropy=entropy, now=now, grantee_udf=device_key_id)
    common = ActivationCommon(
        entries=store_entries(account_seed, THRESHOLD_STORES), encryption=KeyData.of_share(parts.share)
    )
    return common, parts.access
