"""`meshman calendar`: tasks and appointments (MMM_Task), shown in the time of this machine's zone."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from mathmesh.errors import MeshError
from mathmesh.keys import ids
from mathmesh.schema.build.enveloped import enveloped
from mathmesh.schema.cataloged import CatalogedTask
from mathmesh.schema.engagement import Engagement
from mathmesh.schema.signed import object_in
from mathmesh.stores import TASK
from meshclient.imports.icalendar import is_icalendar, read_icalendar
from meshclient.meshman.entries import EntryCommands, one_object
from meshclient.meshman.frame import Answer, MeshGroup
from meshclient.meshman.running import Flags, account_flags
from meshclient.session import Session


class _Moment(click.ParamType[datetime]):
    """A time of this machine's zone, or one that names its own zone."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The time in UTC."""
        try:
            return datetime.fromisoformat(str(value).strip()).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time; write it as 2031-05-02T09:00 or 2031-05-02.", param, ctx)


MOMENT = _Moment()


def _line(entry: CatalogedTask) -> str:
    task = _engagement(entry)
    moments = [task.start, task.finish] if task is not None else []
    when = " - ".join(f"{one.astimezone():%Y-%m-%d %H:%M}" for one in moments if one is not None)
    return " ".join(part for part in (entry.key, when, entry.title) if part)


def _members(entry: CatalogedTask) -> dict[str, Any]:
    task = _engagement(entry)
    return {**entry.to_json(), **(task.to_json() if task is not None else {})}


def _engagement(entry: CatalogedTask) -> Engagement | None:
    try:
        return object_in(entry.enveloped_task, Engagement) if entry.enveloped_task is not None else None
    except MeshError:
        return None


def _order(entry: CatalogedTask) -> tuple[bool, datetime]:
    task = _engagement(entry)
    start = task.start if task is not None else None
    return start is not None, start or datetime.min.replace(tzinfo=UTC)


_ENTRIES = EntryCommands(
    TASK,
    CatalogedTask,
    what="task",
    group="calendar",
    line=_line,
    members=_members,
    order=_order,
    names=lambda entry: (entry.key, entry.title),
)


@click.group("calendar", cls=MeshGroup)
def command() -> None:
    """Tasks and appointments."""


@command.command("add", example="calendar add Dentist /start=2031-05-02T09:00")
@click.argument("title")
@click.option("--start", type=MOMENT, metavar="TIME", help="When it begins, such as 2031-05-02T09:00.")
@click.option("--finish", type=MOMENT, metavar="TIME", help="When it ends.")
@click.option("--location", metavar="PLACE", help="Where it is.")
@click.option("--description", metavar="TEXT", help="What it is about.")
@click.option("--id", "key", metavar="ID", help="Its key.  [default: a new one]")
@account_flags
def add(
    flags: Flags,
    title: str,
    start: datetime | None,
    finish: datetime | None,
    location: str | None,
    description: str | None,
    key: str | None,
) -> Answer:
    """Keep a task or an appointment. Times are those of this machine's time zone."""

    def make(session: Session) -> list[CatalogedTask]:
        name = key or ids.nonce_id(session.context.entropy)
        task = Engagement(
            key=name,
            title=title,
            start=start,
            finish=finish,
            location=location,
            description=description,
        )
        return [_entry(session, task, name)]

    return _ENTRIES.put(flags, make)


@command.command("import", example="calendar import family.ics")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@account_flags
def import_(flags: Flags, file: Path) -> Answer:
    """Take in the events and tasks of an iCalendar file, or an Engagement in a JSON file.

    An import that is repeated makes no copies; what has changed in the file is changed here.
    """
    octets = file.read_bytes()
    if is_icalendar(octets):
        found = read_icalendar(octets)
        tasks, zones = found.tasks, found.zones
    else:
        tasks, zones = (one_object(file, octets, Engagement, "iCalendar file"),), ()
    notes = [f"The time zone {zone} is not known here: its standard time was taken." for zone in zones]

    def make(session: Session) -> list[CatalogedTask]:
        return [_entry(session, task, task.key or ids.nonce_id(session.context.entropy)) for task in tasks]

    return _ENTRIES.take_in(flags, make, notes)


@command.command("get", example="calendar get Dentist")
@click.argument("name")
@account_flags
def get(flags: Flags, name: str) -> Answer:
    """A task, by key or title."""
    return _ENTRIES.get(flags, name)


@command.command("delete", example="calendar delete Dentist")
@click.argument("name")
@account_flags
def delete(flags: Flags, name: str) -> Answer:
    """Forget a task."""
    return _ENTRIES.delete(flags, name)


@command.command("list", example="calendar list")
@account_flags
def list_(flags: Flags) -> Answer:
    """All tasks, the earliest first."""
    return _ENTRIES.listed(flags)


def _entry(session: Session, task: Engagement, key: str) -> CatalogedTask:
    envelope = enveloped(
        task, entropy=session.context.entropy, now=session.now, signer=session.context.keys.signature
    )
    return CatalogedTask(key=key, title=task.title, enveloped_task=envelope)
