"""Files that mosquitto reads. All are made from what the hub knows; none holds a password or is needed back.

A file that is not what was written last is damaged (or someone's): it is moved aside, not read, not deleted.
"""

from __future__ import annotations

import os
import pwd
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from meshhub import logging
from meshhub.broker.accounts import BrokerAccount
from meshhub.mqtt import topics

CONFIGURATION = "mosquitto.conf"
PASSWORDS = "passwords"
RIGHTS = "acl"
DATABASE = "mosquitto.db"
ASIDE = "damaged"
ASIDE_KEPT = 8
MAX_PACKET = 8192  # a record has at most 4127 octets on the wire
MAX_QUEUED = 10_000

log = logging.get(__name__)


class BrokerFiles:
    """The folder of one mosquitto."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._written: dict[str, bytes] = {}

    @property
    def configuration(self) -> Path:
        """The configuration file, for the command line."""
        return self.folder / CONFIGURATION

    def write(self, *, addresses: Sequence[str], port: int, accounts: Iterable[BrokerAccount]) -> None:
        """Write everything anew, each file atomically; what lies there and is not ours goes aside first."""
        self._open_folder()
        accounts = list(accounts)
        self._set_aside_if(DATABASE, lambda _content: True)
        self._put(CONFIGURATION, _configuration(self.folder, addresses, port))
        self.write_accounts(accounts)

    def write_accounts(self, accounts: Iterable[BrokerAccount]) -> None:
        """Write password hashes and rights only."""
        accounts = list(accounts)
        self._put(PASSWORDS, "".join(f"{account.user}:{account.password_hash}\n" for account in accounts))
        self._put(RIGHTS, "\n".join(_rights(account) for account in accounts))

    def _open_folder(self) -> None:
        if self.folder.is_symlink() or (self.folder.exists() and not self.folder.is_dir()):
            self.folder.rename(self.folder.with_name(f"{self.folder.name}.{ASIDE}-{time.time_ns()}"))
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.chmod(0o700)

    def _put(self, name: str, text: str) -> None:
        content = text.encode()
        last = self._written.get(name)
        if last is not None:
            self._set_aside_if(name, lambda found: found != last)
        path, fresh = self.folder / name, self.folder / f".{name}.new"
        if path.is_dir():
            self._move_aside(path)
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        fresh.replace(path)
        self._written[name] = content

    def _set_aside_if(self, name: str, damaged: object) -> None:
        path = self.folder / name
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return
        except OSError:
            self._move_aside(path)
            return
        if callable(damaged) and damaged(content):
            self._move_aside(path)

    def _move_aside(self, path: Path) -> None:
        aside = self.folder / ASIDE
        aside.mkdir(mode=0o700, exist_ok=True)
        path.rename(aside / f"{path.name}.{time.time_ns()}")
        log.warning("broker file was damaged; moved aside", file=path.name)
        files = sorted(
            (item for item in aside.iterdir() if item.is_file()), key=lambda item: item.stat().st_mtime_ns
        )
        for old in files[:-ASIDE_KEPT]:
            old.unlink()


def _configuration(folder: Path, addresses: Sequence[str], port: int) -> str:
    lines = [
        "# Made by the hub at each start; changes are lost.",
        "per_listener_settings false",
        *(f"listener {port} {address}" for address in addresses),
        "allow_anonymous false",
        f"password_file {folder / PASSWORDS}",
        f"acl_file {folder / RIGHTS}",
        "use_username_as_clientid true",
        "persistence false",
        "set_tcp_nodelay true",
        f"max_packet_size {MAX_PACKET}",
        f"max_queued_messages {MAX_QUEUED}",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
        "connection_messages false",
    ]
    if os.geteuid() == 0:
        # Started by root, mosquitto would become a user that may not read this folder.
        lines.append(f"user {pwd.getpwuid(0).pw_name}")
    return "\n".join(lines) + "\n"


def _rights(account: BrokerAccount) -> str:
    if account.topic_id is None:
        return f"user {account.user}\ntopic readwrite {topics.ROOT}/#\n"
    return (
        f"user {account.user}\n"
        f"topic write {topics.up(account.topic_id)}\n"
        f"topic write {topics.presence(account.topic_id)}\n"
        f"topic read {topics.down(account.topic_id)}\n"
    )
