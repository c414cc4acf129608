"""Applications, and their keys for the devices that are granted them (mesh-schema §6, §9)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from mathmesh.codec import uri
from mathmesh.dare.envelope import Envelope
from mathmesh.errors import LocalProtocolError
from mathmesh.keys.pair import PRIVATE_TAG, PrivateKey, PublicKey
from mathmesh.schema.activation import (
    ActivationApplication,
    ActivationApplicationCallsign,
    ActivationApplicationGroup,
    ActivationApplicationMail,
    ActivationApplicationSsh,
)
from mathmesh.schema.application import (
    MAIL_KEY,
    CatalogedApplication,
    CatalogedApplicationMail,
    CatalogedApplicationSsh,
)
from mathmesh.schema.application_entry import (
    ApplicationEntry,
    ApplicationEntryCallsign,
    ApplicationEntryGroup,
    ApplicationEntryMail,
    ApplicationEntrySsh,
)
from mathmesh.schema.build.enveloped import enveloped
from mathmesh.schema.key_data import KeyData
from mathmesh.schema.vpn import (
    ActivationApplicationVpn,
    ApplicationEntryVpn,
    CatalogedApplicationVpn,
    VpnPeer,
)
from mathmesh.types import Entropy

_ENTRIES: dict[type[ActivationApplication], Any] = {
    ActivationApplicationSsh: ApplicationEntrySsh,
    ActivationApplicationMail: ApplicationEntryMail,
    ActivationApplicationGroup: ApplicationEntryGroup,
    ActivationApplicationCallsign: ApplicationEntryCallsign,
    ActivationApplicationVpn: ApplicationEntryVpn,
}


def make_cataloged_ssh(
    client: PrivateKey,
    *,
    escrow: PublicKey | None,
    entropy: Entropy,
    now: datetime,
    grant: Sequence[str] = ("web",),
    local_name: str | None = None,
) -> CatalogedApplicationSsh:
    """The entry of a Secure Shell client key; `escrow` is the account's EscrowEncryption key."""
    return CatalogedApplicationSsh(
        local_name=local_name,
        key=client.public.udf,
        grant=tuple(grant),
        enveloped_escrow=_escrow([KeyData.of_private(client)], escrow, entropy, now),
        client_key=KeyData.of_public(client.public),
    )


def make_cataloged_vpn(
    client: PrivateKey,
    *,
    escrow: PublicKey | None,
    entropy: Entropy,
    now: datetime,
    addresses: Sequence[str],
    dns: Sequence[str] = (),
    peers: Sequence[VpnPeer],
    grant: Sequence[str] = ("web",),
    local_name: str | None = None,
) -> CatalogedApplicationVpn:
    """The entry of a tunnel with the X25519 key `client`."""
    return CatalogedApplicationVpn(
        local_name=local_name,
        key=client.public.udf,
        grant=tuple(grant),
        enveloped_escrow=_escrow([KeyData.of_private(client)], escrow, entropy, now),
        client_key=KeyData.of_public(client.public),
        addresses=tuple(addresses),
        dns=tuple(dns) or None,
        peers=tuple(peers),
    )


def make_cataloged_mail(
    address: str,
    keys: ActivationApplicationMail,
    *,
    escrow: PublicKey | None,
    entropy: Entropy,
    now: datetime,
    inbound: str | None = None,
    outbound: str | None = None,
    grant: Sequence[str] = ("web",),
) -> CatalogedApplicationMail:
    """The entry of the mail account at `address`; of the private `keys` it publishes the public ones.

    `inbound` and `outbound` are the URIs of its servers. A key that is not of our curves (RSA) states its
    public parameters beside the private ones.
    """
    address = uri.account_address(address)
    names = ("smime_sign", "smime_encrypt", "openpgp_sign", "openpgp_encrypt")
    held = {name: getattr(keys, name) for name in names if getattr(keys, name) is not None}
    published: dict[str, Any] = {name: _public_part(data) for name, data in held.items()}
    return CatalogedApplicationMail(
        key=MAIL_KEY + address,
        grant=tuple(grant),
        enveloped_escrow=_escrow(held.values(), escrow, entropy, now),
        account_address=address,
        inbound_connect=inbound,
        outbound_connect=outbound,
        **published,
    )


def is_granted(application: CatalogedApplication, roles: Iterable[str]) -> bool:
    """Whether a device with `roles` gets the keys of `application`."""
    held = set(roles)
    return not held.isdisjoint(application.grant or ()) and held.isdisjoint(application.deny or ())


def make_application_entry(
    application: CatalogedApplication,
    activation: ActivationApplication,
    *,
    device_key: PublicKey,
    administrator: PrivateKey,
    entropy: Entropy,
    now: datetime,
) -> ApplicationEntry:
    """The entry that gives a device the keys in `activation` of `application`.

    It is signed by the account's AdministratorSignature key and encrypted to `device_key`, the activated
    encryption key of the device. The reference signs none of these.
    """
    kind = _ENTRIES.get(type(activation))
    if kind is None:
        raise LocalProtocolError(f"a {activation.tag} is the activation of no application")
    envelope: Envelope = enveloped(
        activation, entropy=entropy, now=now, signer=administrator, recipients=[device_key]
    )
    entry: ApplicationEntry = kind(identifier=application.key, enveloped_activation=envelope)
    return entry


def _public_part(data: KeyData) -> KeyData:
    """`data` without what is private: times, certificate and name stay."""
    parameters = data.public_parameters
    if data.private_parameters is not None and PRIVATE_TAG in data.private_parameters:
        parameters = data.private_key().public.to_json()
    if parameters is None:
        raise LocalProtocolError(f"key {data.udf} does not state its public parameters")
    return replace(data, public_parameters=parameters, private_parameters=None)


def _escrow(
    keys: Iterable[KeyData], escrow: PublicKey | None, entropy: Entropy, now: datetime
) -> tuple[Envelope, ...] | None:
    if escrow is None:
        return None
    return tuple(enveloped(data, entropy=entropy, now=now, recipients=[escrow]) for data in keys)
