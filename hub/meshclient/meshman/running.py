"""What the commands on accounts share: their flags, and how a step on an account is run.

Flags: /home names the folder of this machine's accounts, /account (or /local, by its local name) the
account where there are several, /sync fetches what is new first, /auto also does what was agreed to
beforehand.
"""

from __future__ import annotations

import asyncio
import functools
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from meshclient.context import utc_now
from meshclient.correspondence import process_automatic
from meshclient.directory import Directory
from meshclient.machine import Machine, default_home
from meshclient.meshman.frame import Answer
from meshclient.session import ServiceDirectory, Session, opened

ROLES = ("root", "admin", "message", "web", "device", "threshold", "null")
Command = TypeVar("Command", bound=Callable[..., Any])
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """The flags of an account command."""

    home: Path | None = None
    account: str | None = None
    sync: bool = False
    auto: bool = False

    @property
    def machine(self) -> Machine:
        """The machine whose accounts are meant."""
        return Machine(self.home or default_home())


def home_flag(function: Command) -> Command:
    """The flag /home, for commands that need no account yet; the callback gets `machine`."""

    @click.option(
        "--home",
        type=click.Path(file_okay=False, path_type=Path),
        help="Folder of this machine's accounts.  [default: MESHMAN_HOME or the user's data folder]",
    )
    @functools.wraps(function)
    def wrapper(home: Path | None, **given: Any) -> Any:
        return function(machine=Machine(home or default_home()), **given)

    return wrapper  # type: ignore[return-value]


def account_flags(function: Command) -> Command:
    """The flags /home, /account, /local, /sync and /auto; the callback gets `flags`."""

    @click.option(
        "--home",
        type=click.Path(file_okay=False, path_type=Path),
        help="Folder of this machine's accounts.  [default: MESHMAN_HOME or the user's data folder]",
    )
    @click.option("--account", metavar="ADDRESS", help="The account.  [default: the only or default one]")
    @click.option("--local", metavar="NAME", help="The account by its local name.")
    @click.option("--sync", is_flag=True, help="Fetch what is new first.")
    @click.option("--auto", is_flag=True, help="Also do what was agreed to beforehand.")
    @functools.wraps(function)
    def wrapper(
        home: Path | None, account: str | None, local: str | None, sync: bool, auto: bool, **given: Any
    ) -> Any:
        flags = Flags(home=home, account=account or local, sync=sync or auto, auto=auto)
        return function(flags=flags, **given)

    return wrapper  # type: ignore[return-value]


def role_flags(function: Command) -> Command:
    """One flag for each role, and /auth for roles by name; the callback gets `roles`."""

    @functools.wraps(function)
    def wrapper(auth: tuple[str, ...], **given: Any) -> Any:
        roles = tuple(role for role in ROLES if given.pop(f"role_{role}"))
        return function(roles=(*roles, *auth), **given)

    result: Any = wrapper
    for role in reversed(ROLES):
        help_text = f"Grant the role {role}."
        result = click.option(f"--{role}", f"role_{role}", is_flag=True, help=help_text)(result)
    result = click.option("--auth", multiple=True, metavar="ROLE", help="Grant a role by its name.")(result)
    return result  # type: ignore[no-any-return]


class Until(click.ParamType[datetime]):
    """A time to come: `12h`, `30d`, or as YYYY-MM-DD with or without a time."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The time that `value` means."""
        now = utc_now()
        text = str(value)
        try:
            if text[-1:].lower() in _UNITS and text[:-1].isdigit():
                found = now + int(text[:-1]) * _UNITS[text[-1:].lower()]
            else:
                found = datetime.fromisoformat(text)
        except (ValueError, OverflowError):
            self.fail(f"{text} is no time; write 12h, 30d or a date as 2031-05-31", param, ctx)
        found = found if found.tzinfo is not None else found.replace(tzinfo=UTC)
        if found <= now:
            self.fail(f"{text} is past", param, ctx)
        return found.astimezone(UTC).replace(microsecond=0)


_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1)}


def until_flag(function: Command) -> Command:
    """The flag /until for rights that end; the callback gets `expires`."""
    help_text = "When the rights end: 12h, 30d or a date.  [default: never]"
    return click.option("--until", "expires", type=Until(), metavar="TIME", help=help_text)(function)


def on_account(
    flags: Flags, step: Callable[[Session], Awaitable[Answer]], *, sync: bool | None = None
) -> Answer:
    """Run `step` with the account of `flags` open.

    `sync` says whether the service is asked first (None: only with /sync); without it, what only the
    service can help to read is read when it is needed.
    """

    async def run(directory: ServiceDirectory) -> Answer:
        machine = flags.machine
        with opened(
            machine, machine.select(flags.account), directory, entropy=os.urandom, clock=utc_now
        ) as session:
            if flags.sync or sync:
                await session.sync()
            else:
                await session.context.unlock()
            if flags.auto:
                await process_automatic(session)
            return await step(session)

    return with_directory(flags.machine, run)


def with_directory(machine: Machine, step: Callable[[ServiceDirectory], Awaitable[Result]]) -> Result:
    """Run `step` with a way to services."""

    async def run() -> Result:
        directory = Directory(machine.home)
        try:
            return await step(directory)
        finally:
            await directory.close()

    return asyncio.run(run())
