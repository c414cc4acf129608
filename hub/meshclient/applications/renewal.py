"""Fresh client keys: SSH and VPN keys are made here, and made anew when a device that knows them goes or
loses the role for which it had them.

All devices but that one are given the new ones. The old keys are no keys of the account any more: servers
refuse them as soon as they are told of the account's keys again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mathmesh.keys.pair import generate
from mathmesh.schema.activation import ActivationApplication, ActivationApplicationSsh
from mathmesh.schema.application import CatalogedApplication, CatalogedApplicationSsh
from mathmesh.schema.application_entry import ApplicationEntrySsh
from mathmesh.schema.build.application import make_cataloged_ssh, make_cataloged_vpn
from mathmesh.schema.cataloged import CatalogedDevice
from mathmesh.schema.key_data import KeyData
from mathmesh.schema.vpn import (
    ActivationApplicationVpn,
    ApplicationEntryVpn,
    CatalogedApplicationVpn,
    VpnPeer,
)
from mathmesh.stores import APPLICATION
from meshclient.applications import granting, ssh_key
from meshclient.session import Session

VPN_CURVE = "X25519"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tunnel:
    """The settings of a VPN: the client's addresses with prefix lengths, its name servers, the other ends."""

    addresses: Sequence[str]
    dns: Sequence[str]
    peers: Sequence[VpnPeer]


async def renew(
    session: Session, device: CatalogedDevice, roles: Sequence[str] | None = None
) -> list[CatalogedApplication]:
    """Put fresh keys in place of the SSH and VPN keys that `device` has, and return the entries.

    With the `roles` that it has from now on, those that they grant it stay; without, the device goes, and a
    key that was granted to it alone is deleted.
    """
    alone = granting.DEVICE_GRANT + (device.device_udf or "")
    known = {
        entry.identifier
        for entry in device.application_entries or ()
        if isinstance(entry, ApplicationEntrySsh | ApplicationEntryVpn)
    }
    present = list(granting.applications(session))
    old = [
        one
        for one in present
        if one.key in known and (roles is None or not granting.is_given(one, device, roles))
    ]
    if not old:
        return []
    made = [_made_anew(session, one) for one in old if one.grant != (alone,)]
    entries = [entry for entry, _ in made]
    updates, _ = granting.regranted(
        session,
        [*(one for one in present if one not in old), *entries],
        {entry.key or "": keys for entry, keys in made},
        without=device,
    )
    updates[APPLICATION] = [*entries]
    await session.context.transact(updates=updates, deletes={APPLICATION: [one.key or "" for one in old]})
    return entries


def make_ssh(
    session: Session, grant: Sequence[str], *, local_name: str | None = None
) -> tuple[CatalogedApplicationSsh, ActivationApplicationSsh]:
    """A fresh SSH client key and its entry, for devices with a role in `grant`."""
    key = generate(ssh_key.CURVE, session.context.entropy)
    entry = make_cataloged_ssh(
        key,
        escrow=granting.escrow_key(session),
        entropy=session.context.entropy,
        now=session.now,
        grant=grant,
        local_name=local_name,
    )
    return entry, ActivationApplicationSsh(client_key=KeyData.of_private(key))


def make_vpn(
    session: Session, tunnel: Tunnel, grant: Sequence[str], *, local_name: str | None = None
) -> tuple[CatalogedApplicationVpn, ActivationApplicationVpn]:
    """A fresh VPN client key and its entry, for devices with a role in `grant`."""
    key = generate(VPN_CURVE, session.context.entropy)
    entry = make_cataloged_vpn(
        key,
        escrow=granting.escrow_key(session),
        entropy=session.context.entropy,
        now=session.now,
        addresses=tunnel.addresses,
        dns=tunnel.dns,
        peers=tunnel.peers,
        grant=grant,
        local_name=local_name,
    )
    return entry, ActivationApplicationVpn(client_key=KeyData.of_private(key))


def _made_anew(
    session: Session, old: CatalogedApplication
) -> tuple[CatalogedApplication, ActivationApplication]:
    grant = old.grant or ()
    if isinstance(old, CatalogedApplicationVpn):
        tunnel = Tunnel(addresses=old.addresses or (), dns=old.dns or (), peers=old.peers or ())
        vpn, vpn_keys = make_vpn(session, tunnel, grant, local_name=old.local_name)
        return replace(vpn, deny=old.deny), vpn_keys
    ssh, ssh_keys = make_ssh(session, grant, local_name=old.local_name)
    return replace(ssh, deny=old.deny), ssh_keys
