"""A machine: the accounts that it is in, and those it is about to join, in one folder.

    HOME/machine.json               settings: the default account
    HOME/contexts/<id8>/keys.json   one account (see `context_file`); <id8> begins the UDF of the account, or
                                    of the device while it is not connected
    HOME/contexts/<id8>/account/    this machine's copies of the account's stores

One process at a time works with an account; another one waits for a while.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from mathmesh.errors import PolicyError, StoreError
from mathmesh.schema.cataloged import CatalogedDevice
from mathmesh.stores import folder_name
from meshclient.account_keys import AccountKeys, GrantedKeys, SeedKeys
from meshclient.context_file import ContextFile, ContextKeys
from meshclient.private_file import write_private

HOME_VARIABLE = "MESHMAN_HOME"
CONTEXTS, KEY_FILE, ACCOUNT, SETTINGS, LOCK = "contexts", "keys.json", "account", "machine.json", "lock"
WAIT_SECONDS = 30.0
_STEP_SECONDS = 0.05


def default_home() -> Path:
    """Where a user's accounts are: `MESHMAN_HOME`, else `mesh` in the XDG data folder."""
    stated = os.environ.get(HOME_VARIABLE)
    if stated:
        return Path(stated)
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "mesh"


class Machine:
    """The folder HOME."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def contexts(self) -> list[ContextFile]:
        """Everything the machine is in, by address."""
        paths = sorted((self.home / CONTEXTS).glob(f"*/{KEY_FILE}"))
        return sorted((ContextFile.open(path) for path in paths), key=lambda one: one.keys.address)

    def select(self, account: str | None = None) -> ContextFile:
        """The account named by address, local name or UDF; without a name the default, or the only one.

        Raises PolicyError when there is none or when the name is needed.
        """
        connected = [one for one in self.contexts() if one.keys.connected and one.keys.complete]
        return _one(connected, account, self.default(), "account")

    def waiting(self, account: str | None = None) -> ContextFile:
        """The connection that is not complete yet, named by the account's address or the device's UDF."""
        waiting = [one for one in self.contexts() if not one.keys.connected]
        return _one(waiting, account, None, "connection that waits for an answer")

    def add(self, keys: ContextKeys) -> ContextFile:
        """A new account or connection."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        return ContextFile.create(self.home / CONTEXTS / folder_name(keys.id) / KEY_FILE, keys)

    def remove(self, context: ContextFile) -> None:
        """Forget an account or connection, with this machine's copies."""
        shutil.rmtree(context.folder)

    def default(self) -> str | None:
        """The account that is meant when none is named."""
        path = self.home / SETTINGS
        if not path.exists():
            return None
        try:
            return str(json.loads(path.read_bytes()).get("Default") or "") or None
        except (ValueError, AttributeError):
            raise StoreError(f"{path} is damaged; remove it") from None

    def set_default(self, account: str) -> None:
        """Let `account` be meant when none is named."""
        write_private(self.home / SETTINGS, json.dumps({"Default": account}).encode() + b"\n")

    @contextmanager
    def locked(self, context: ContextFile) -> Iterator[None]:
        """Work with an account alone; StoreError when another process does not end in half a minute."""
        descriptor = os.open(context.folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        end = time.monotonic() + WAIT_SECONDS
        try:
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > end:
                        raise StoreError(
                            f"another program works with {context.keys.address}; wait until it ends"
                        ) from None
                    time.sleep(_STEP_SECONDS)
            yield
        finally:
            os.close(descriptor)


def account_keys(context: ContextFile, now: datetime) -> AccountKeys:
    """The keys of an account that this machine is in."""
    keys = context.keys
    if keys.seeds is not None:
        return SeedKeys(keys.seeds)
    if not isinstance(keys.entry, CatalogedDevice):
        raise StoreError(f"the key file {context.path} is of a connection that is not complete")
    return GrantedKeys(keys.device_seed, keys.device_created, keys.entry, keys.id, now)


def _one(found: Iterable[ContextFile], name: str | None, default: str | None, what: str) -> ContextFile:
    candidates = list(found)
    wanted = name or (default if len(candidates) != 1 else None)
    if wanted is not None:
        candidates = [one for one in candidates if wanted.lower() in _names(one.keys)]
    if len(candidates) == 1:
        return candidates[0]
    if not candidates:
        named = f" {name}" if name else ""
        remedy = "ask for one with `device request`"
        if what == "account":
            remedy = (
                f"`account list` shows all, {remedy}" if name else f"`account create` makes one, or {remedy}"
            )
        raise PolicyError(f"there is no {what}{named} on this machine; {remedy}")
    listed = ", ".join(sorted({one.keys.address for one in candidates}))
    raise PolicyError(f"there are several: {listed}; name one with /account")


def _names(keys: ContextKeys) -> tuple[str, ...]:
    names = (keys.address, keys.local_name, keys.id, getattr(keys.entry, "device_udf", None))
    return tuple(name.lower() for name in names if name)
