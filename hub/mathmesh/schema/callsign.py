"""Callsigns: names that are bound to an account by its administrator (mesh-schema §9)."""

from __future__ import annotations

from mathmesh.dare.envelope import Envelope
from mathmesh.schema.application import CatalogedApplication
from mathmesh.schema.mesh_object import MeshStruct, mesh_type
from mathmesh.schema.profile import Assertion

MESH_SERVICE = "mmm"


@mesh_type
class NamedService(MeshStruct):
    """A service under the name: ``prefix`` is its protocol, ``mmm`` that of the Mesh."""

    prefix: str | None = None
    mapping: str | None = None
    endpoint: tuple[str, ...] | None = None


@mesh_type
class CallsignBinding(Assertion):
    """A name bound to the account ``profile_udf``; ``canonical`` is ``display`` in canonical form."""

    canonical: str | None = None
    display: str | None = None
    profile_udf: str | None = None
    services: tuple[NamedService, ...] | None = None


@mesh_type
class CatalogedCallsign(CatalogedApplication):
    """A callsign of the account with its binding."""

    canonical: str | None = None
    profile_udf: str | None = None
    enveloped_callsign_binding: Envelope | None = None


def canonical_callsign(display: str) -> str:
    """The canonical form of a name: lower case, without white space around it."""
    return display.strip().lower()
