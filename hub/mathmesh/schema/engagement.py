"""Engagements: tasks and appointments, the content of MMM_Task (mesh-schema §9)."""

from __future__ import annotations

from datetime import datetime

from mathmesh.schema.mesh_object import MeshObject, mesh_type


@mesh_type
class Engagement(MeshObject):
    """A task or an appointment (``Task`` in the edition of 2021)."""

    key: str | None = None
    start: datetime | None = None
    finish: datetime | None = None
    start_travel: str | None = None
    finish_travel: str | None = None
    time_zone: str | None = None
    title: str | None = None
    description: str | None = None
    location: str | None = None
    trigger: tuple[str, ...] | None = None
    conference: tuple[str, ...] | None = None
    repeat: str | None = None
    busy: bool | None = None
