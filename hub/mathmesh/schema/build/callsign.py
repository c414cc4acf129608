"""Names of accounts (mesh-schema §9)."""

from __future__ import annotations

from datetime import datetime

from mathmesh.keys.pair import PrivateKey
from mathmesh.schema.build.enveloped import enveloped, no_entropy
from mathmesh.schema.callsign import (
    MESH_SERVICE,
    CallsignBinding,
    CatalogedCallsign,
    NamedService,
    canonical_callsign,
)


def make_cataloged_callsign(
    display: str, profile_udf: str, *, administrator: PrivateKey, now: datetime
) -> CatalogedCallsign:
    """The name `display` bound to the account `profile_udf` by the derived AdministratorSignature key."""
    binding = CallsignBinding(
        canonical=canonical_callsign(display),
        display=display,
        profile_udf=profile_udf,
        services=(NamedService(prefix=MESH_SERVICE),),
    )
    return CatalogedCallsign(
        key=binding.canonical,
        canonical=binding.canonical,
        profile_udf=profile_udf,
        enveloped_callsign_binding=enveloped(binding, entropy=no_entropy, now=now, signer=administrator),
    )
