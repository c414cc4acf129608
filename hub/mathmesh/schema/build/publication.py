"""What the maker of a device publishes and puts into it (mesh-schema §8.4, §9; protocol book)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from mathmesh.dare.envelope import Envelope
from mathmesh.errors import PolicyError
from mathmesh.keys import earl
from mathmesh.keys.pair import PrivateKey
from mathmesh.schema.build.enveloped import enveloped, no_entropy
from mathmesh.schema.cataloged import CatalogedPublication
from mathmesh.schema.connection import ConnectionDevice, ConnectionService
from mathmesh.schema.preconfiguration import DevicePreconfigurationPrivate, DevicePreconfigurationPublic
from mathmesh.schema.profile import ProfileDevice
from mathmesh.schema.validation import administrator_key, verify_profile_device, verify_profile_user
from mathmesh.types import Entropy

SEED_TYPE = "MeshProfileDevice"


def make_publication(
    k: bytes,
    authenticator: str | None,
    profile_device: Envelope,
    hailing: Sequence[str],
    entropy: Entropy,
    now: datetime,
    *,
    not_on_or_after: datetime | None = None,
) -> CatalogedPublication:
    """The publication of a device under the secret `k` of its label (15 octets).

    `authenticator` is the service authenticator of `k` (None: computed). The published document is a
    DevicePreconfigurationPublic with the `hailing` URIs of local transports; only who holds `k` can read it.
    """
    verify_profile_device(profile_device)
    document = DevicePreconfigurationPublic(enveloped_profile_device=profile_device, hailing=tuple(hailing))
    expected = earl.service_authenticator(k)
    if authenticator is not None and authenticator != expected:
        raise PolicyError("the authenticator does not follow from the secret of the label")
    return CatalogedPublication(
        id=earl.publication_id(k),
        authenticator=expected,
        enveloped_data=enveloped(document, entropy=entropy, now=now, symmetric=[k]),
        not_on_or_after=not_on_or_after,
    )


def make_preconfiguration_private(
    seed_udf: str,
    profile_device: Envelope,
    connect_uri: str | None,
    hailing: Sequence[str],
    now: datetime,
    *,
    maker_profile: Envelope | None = None,
    administrator: PrivateKey | None = None,
) -> DevicePreconfigurationPrivate:
    """What goes into the device: its seed (type 0x0100) and profile.

    With the maker's account (`maker_profile` and its `administrator` key, which must be a derived one)
    connections signed by the maker are included; they state the base keys of the device.
    """
    device = verify_profile_device(profile_device)
    service = connection = None
    if maker_profile is not None and administrator is not None:
        service, connection = _maker_connections(device, maker_profile, administrator, now)
    return DevicePreconfigurationPrivate(
        enveloped_profile_device=profile_device,
        hailing=tuple(hailing),
        enveloped_connection_device=connection,
        enveloped_connection_service=service,
        private_key={"PrivateKeyUDF": {"PrivateValue": seed_udf, "KeyType": SEED_TYPE}},
        connect_uri=connect_uri,
    )


def _maker_connections(
    device: ProfileDevice, maker_profile: Envelope, administrator: PrivateKey, now: datetime
) -> tuple[Envelope, Envelope]:
    maker = verify_profile_user(maker_profile)
    if administrator.public.udf != administrator_key(maker).udf:
        raise PolicyError(
            f"key {administrator.public.udf} is not the administrator of {maker.account_address}"
        )
    service = ConnectionService(profile_udf=maker.udf, authentication=device.authentication)
    connection = ConnectionDevice(
        profile_udf=maker.udf,
        authentication=device.authentication,
        signature=device.signature,
        encryption=device.encryption,
    )
    return (
        enveloped(service, entropy=no_entropy, now=now, signer=administrator, json_b=True),
        enveloped(connection, entropy=no_entropy, now=now, signer=administrator, json_b=True),
    )
