"""Verification of callsigns (draft-hallambaker-mesh-schema §9).

CallsignBinding, after 1 and 2 of `mathmesh.schema.validation`
  84. it is signed by the AdministratorSignature key of the account that bound it, valid now; a group's name
      is bound by the user that made the group;
  85. ProfileUdf is the account that the name is for;
  86. Canonical is the canonical form of Display.
CatalogedCallsign
  87. Canonical and ProfileUdf are those of the binding, which passes 84 to 86.
"""

from __future__ import annotations

from datetime import datetime

from mathmesh.dare.envelope import Envelope
from mathmesh.errors import VerificationError
from mathmesh.schema.callsign import CallsignBinding, CatalogedCallsign, canonical_callsign
from mathmesh.schema.key_data import same_udf
from mathmesh.schema.profile import ProfileAccount
from mathmesh.schema.signed import check_signed_by, envelope_of, exactly, object_in
from mathmesh.schema.validation import administrator_key


def verify_callsign_binding(
    envelope: Envelope, *, binder: ProfileAccount, now: datetime, named: ProfileAccount | None = None
) -> CallsignBinding:
    """The binding in `envelope` by the account of the verified profile `binder`, after checks 84 to 86.

    `named` is the verified profile that the name is for, by default `binder`.
    """
    check_signed_by(envelope, administrator_key(binder, now), "CallsignBinding")
    binding = exactly(object_in(envelope, CallsignBinding), CallsignBinding)
    wanted = (named or binder).udf
    if not same_udf(binding.profile_udf, wanted):
        raise VerificationError(f"the name is bound to account {binding.profile_udf}, not to {wanted}")
    if not binding.canonical or binding.canonical != canonical_callsign(binding.display or ""):
        raise VerificationError(f"{binding.canonical} is not the canonical form of {binding.display}")
    return binding


def verify_cataloged_callsign(
    entry: CatalogedCallsign,
    *,
    binder: ProfileAccount,
    now: datetime,
    named: ProfileAccount | None = None,
) -> CallsignBinding:
    """The binding in `entry`, after checks 84 to 87."""
    envelope = envelope_of(entry.enveloped_callsign_binding, "EnvelopedCallsignBinding")
    binding = verify_callsign_binding(envelope, binder=binder, now=now, named=named)
    if entry.canonical != binding.canonical or not same_udf(entry.profile_udf, binding.profile_udf):
        raise VerificationError(f"the entry {entry.canonical} holds the binding of {binding.canonical}")
    return binding
