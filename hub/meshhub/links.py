"""What the hub alone knows of each device's link, in a sealed sequence that is never sent anywhere.

Entries are keys of the link, the broker account (hash only), the highest confirmed (boot, try), and the
UDFs of forgotten devices. Each change is on disk before the call returns; one that raises has no effect.
Forgetting rewrites the file, so that the keys are gone from it; so does a file of many small entries, which
thus never grows long. Source: protocol
book, "Running", "Revocation".
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mathmesh.codec import b64, jsonbcd
from mathmesh.dare.content_meta import ContentMeta
from mathmesh.errors import EncodingError, StoreError
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.keys.pair import PrivateKey
from mathmesh.types import Entropy
from meshclient.store_files import SequenceFile
from meshhub import logging
from meshhub.broker.accounts import BrokerAccount, hash_password, new_password, new_user
from meshhub.mqtt import topics
from meshhub.tasks import unbroken

STORE = "MMM_HubLinks"
LINK, PAIR, FORGOTTEN = "HubLink", "HubLinkPair", "HubForgotten"
KEY_OCTETS = 32
UDF_OCTETS = 64
SPARE_ENTRIES = 256

log = logging.get(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Link of one device. `device` is the ProfileDevice's UDF; UDF octets are the full 64 of each."""

    device: str
    device_udf: bytes
    account_udf: bytes
    topic_octets: bytes
    psk_run: bytes = field(repr=False)
    psk_repair: bytes = field(repr=False)
    own: bytes = field(repr=False)
    user: str
    password_hash: str = field(repr=False)
    publication_id: str = ""
    pair: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        sizes = {"device_udf": UDF_OCTETS, "account_udf": UDF_OCTETS, "topic_octets": topics.ID_OCTETS}
        sizes |= dict.fromkeys(("psk_run", "psk_repair", "own"), KEY_OCTETS)
        for name, size in sizes.items():
            if len(getattr(self, name)) != size:
                raise EncodingError(f"link of {self.device}: {name} has not {size} octets")

    @property
    def topic_id(self) -> str:
        """Topic identifier as it stands in topics."""
        return topics.topic_id(self.topic_octets)

    @property
    def account(self) -> BrokerAccount:
        """The device's account at the broker."""
        return BrokerAccount(user=self.user, password_hash=self.password_hash, topic_id=self.topic_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerLogin:
    """A fresh broker account: what the device gets, and what the hub keeps of it."""

    user: str
    password: str = field(repr=False)
    password_hash: str = field(repr=False)

    @classmethod
    def make(cls, entropy: Entropy) -> BrokerLogin:
        """A random user and password."""
        password = new_password(entropy)
        return cls(user=new_user(entropy), password=password, password_hash=hash_password(password, entropy))


@dataclass(frozen=True, slots=True)
class _Change:
    """A frame that waits to be written, and who waits for that."""

    frame: bytes
    done: asyncio.Future[None]


class LinkStore:
    """All links. Use from one event loop; blocking work goes to a thread."""

    def __init__(self, path: Path, key: PrivateKey, entropy: Entropy):
        self._path = path
        self._key = key
        self._entropy = entropy
        self._links: dict[str, Link] = {}
        self._forgotten: dict[str, int] = {}
        self._waiting: list[_Change] = []
        self._writer = asyncio.Lock()
        self._file_lock = threading.Lock()
        self._file: SequenceFile | None = None

    @classmethod
    def open(cls, path: Path, key: PrivateKey, entropy: Entropy) -> LinkStore:
        """Read the store at `path`, made when it is not there. Blocking; StoreError when it cannot be
        read.
        """
        store = cls(path, key, entropy)
        store._load()
        return store

    def links(self) -> list[Link]:
        """All links, oldest first."""
        return list(self._links.values())

    def get(self, device: str) -> Link | None:
        """The link of a device by its UDF."""
        return self._links.get(device)

    def accounts(self) -> list[BrokerAccount]:
        """Broker accounts of all devices."""
        return [link.account for link in self._links.values()]

    def is_forgotten(self, device: str) -> bool:
        """True when this device was adopted once and then forgotten."""
        return device in self._forgotten

    async def put(self, link: Link) -> None:
        """Add or replace a link; on disk when this returns."""
        await self._append(_frame(LINK, _link_members(link)))

    async def confirm(self, device: str, pair: tuple[int, int]) -> None:
        """Keep the highest confirmed (boot, try) of a device; on disk when this returns."""
        if device in self._links:
            await self._append(_frame(PAIR, {"Device": device, "Boot": pair[0], "Try": pair[1]}))

    async def remove(self, device: str, *, remember: int | None) -> None:
        """Take a link out, leaving no copy of its keys in the file.

        `remember` is the time (ms) at which it was forgotten, None for one that never came to be.
        """
        async with self._writer:
            links = {udf: link for udf, link in self._links.items() if udf != device}
            forgotten = {udf: time for udf, time in self._forgotten.items() if udf != device}
            if remember is not None:
                forgotten[device] = remember
            await unbroken(asyncio.to_thread(self._rewrite, links, forgotten))

    def close(self) -> None:
        """Close the file; everything is on disk already."""
        with self._file_lock:
            if self._file:
                self._file.close()
                self._file = None

    async def _append(self, frame: bytes) -> None:
        """Append with all others that wait at this moment: one write and one sync for all of them."""
        change = _Change(frame, asyncio.get_running_loop().create_future())
        self._waiting.append(change)
        try:
            async with self._writer:
                if not change.done.done():
                    await unbroken(self._write_waiting())
            await change.done
        except asyncio.CancelledError:
            if not change.done.cancelled() and not change.done.cancel():
                change.done.exception()
            raise

    async def _write_waiting(self) -> None:
        changes, self._waiting = self._waiting, []
        error: Exception | None = None
        try:
            await asyncio.to_thread(self._write, [change.frame for change in changes])
        except (StoreError, OSError) as failed:
            error = failed
        for change in changes:
            if error is None:
                self._take(change.frame)
            if change.done.cancelled():
                continue
            if error is None:
                change.done.set_result(None)
            else:
                change.done.set_exception(error)
        if error is None and self._long:
            try:
                await asyncio.to_thread(self._rewrite, dict(self._links), dict(self._forgotten))
            except (StoreError, OSError) as failed:  # the long file is as good
                log.error("the link store cannot be made shorter", error=failed)

    @property
    def _long(self) -> bool:
        entries = self._file.count if self._file else 0
        return entries > len(self._links) + len(self._forgotten) + SPARE_ENTRIES

    def _write(self, frames: Iterable[bytes]) -> None:
        with self._file_lock:
            if self._file is None:
                raise StoreError("the link store is closed")
            self._file.append_many([(frame, _meta()) for frame in frames], sync=True)

    def _load(self) -> None:
        self._path.with_suffix(".new").unlink(missing_ok=True)
        if not self._path.exists():
            self._rewrite({}, {})
            return
        keyring = MemoryKeyring()
        keyring.add(self._key)
        self._file = SequenceFile.open(self._path, keyring=keyring, entropy=self._entropy)
        for index in range(1, self._file.count):
            self._take(self._file.plaintext(index))
        if self._long:
            self._rewrite(self._links, self._forgotten)

    def _take(self, plaintext: bytes) -> None:
        value = jsonbcd.loads(plaintext)
        if not isinstance(value, dict) or len(value) != 1:
            raise StoreError(f"{self._path.name} holds something that is no link")
        [(kind, members)] = value.items()
        device = members["Device"]
        if kind == LINK:
            self._links[device] = _read_link(members)
            self._forgotten.pop(device, None)
        elif kind == PAIR and device in self._links:
            self._links[device] = replace(self._links[device], pair=(members["Boot"], members["Try"]))
        elif kind == FORGOTTEN:
            self._links.pop(device, None)
            self._forgotten[device] = members["Time"]

    def _rewrite(self, links: dict[str, Link], forgotten: dict[str, int]) -> None:
        fresh = self._path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        frames = [_frame(LINK, _link_members(link)) for link in links.values()]
        frames += [_frame(FORGOTTEN, {"Device": udf, "Time": time}) for udf, time in forgotten.items()]
        with self._file_lock:
            file = SequenceFile.create(
                fresh,
                container_type="Merkle",
                policy_recipients=[self._key.public],
                encryption="Session",
                entropy=self._entropy,
            )
            if frames:
                file.append_many([(frame, _meta()) for frame in frames], sync=True)
            file.sync()
            file.close()
            fresh.replace(self._path)
            if self._file:
                self._file.close()
            _sync_folder(self._path.parent)
            keyring = MemoryKeyring()
            keyring.add(self._key)
            self._file = SequenceFile.open(self._path, keyring=keyring, entropy=self._entropy)
            self._links, self._forgotten = links, forgotten


def _meta() -> ContentMeta:
    return ContentMeta(message_type=LINK)


def _frame(kind: str, members: Mapping[str, Any]) -> bytes:
    return jsonbcd.dumps({kind: dict(members)})


def _link_members(link: Link) -> dict[str, Any]:
    return {
        "Device": link.device,
        "DeviceUdf": link.device_udf,
        "AccountUdf": link.account_udf,
        "TopicId": link.topic_octets,
        "PskRun": link.psk_run,
        "PskRepair": link.psk_repair,
        "Own": link.own,
        "User": link.user,
        "PasswordHash": link.password_hash,
        "PublicationId": link.publication_id,
        "Boot": link.pair[0],
        "Try": link.pair[1],
    }


def _read_link(members: Mapping[str, Any]) -> Link:
    return Link(
        device=members["Device"],
        device_udf=b64.decode(members["DeviceUdf"]),
        account_udf=b64.decode(members["AccountUdf"]),
        topic_octets=b64.decode(members["TopicId"]),
        psk_run=b64.decode(members["PskRun"]),
        psk_repair=b64.decode(members["PskRepair"]),
        own=b64.decode(members["Own"]),
        user=members["User"],
        password_hash=members["PasswordHash"],
        publication_id=members["PublicationId"],
        pair=(members["Boot"], members["Try"]),
    )


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
