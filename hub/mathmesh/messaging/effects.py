"""What a step of a conversation changes in the account that takes it: one transaction at its service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mathmesh.dare.envelope import Envelope
from mathmesh.schema.mesh_object import MeshObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Catalog entries to write and keys to delete, messages for the own spools, and messages to others.

    `outbound` goes to each of `accounts`.
    """

    updates: Mapping[str, Sequence[MeshObject]] = field(default_factory=dict)
    deletes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    local: tuple[Envelope, ...] = ()
    inbound: tuple[Envelope, ...] = ()
    outbound: tuple[Envelope, ...] = ()
    accounts: tuple[str, ...] = ()
