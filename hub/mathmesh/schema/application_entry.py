"""Application entries: what a CatalogedDevice carries of the applications granted to it (mesh-schema §6)."""

from __future__ import annotations

from mathmesh.dare.envelope import Envelope
from mathmesh.schema.mesh_object import MeshObject, mesh_type


@mesh_type
class ApplicationEntry(MeshObject):
    """``identifier`` is the key of the application; the activation is for the device alone."""

    identifier: str | None = None


@mesh_type
class ApplicationEntrySsh(ApplicationEntry):
    """Holds an ActivationApplicationSsh."""

    enveloped_activation: Envelope | None = None


@mesh_type
class ApplicationEntryMail(ApplicationEntry):
    """Holds an ActivationApplicationMail."""

    enveloped_activation: Envelope | None = None


@mesh_type
class ApplicationEntryGroup(ApplicationEntry):
    """Holds an ActivationApplicationGroup."""

    enveloped_activation: Envelope | None = None


@mesh_type
class ApplicationEntryCallsign(ApplicationEntry):
    """Holds an ActivationApplicationCallsign."""

    enveloped_activation: Envelope | None = None
