"""Work without the service: what was written meanwhile is kept on this machine, sealed, and merged later.

Each kept change says what the entry was when it was changed. If the entry is still that when the service is
there again, the change is made; if it became the same on its own, the change is dropped; otherwise there is
a conflict, which a person decides. Until then both versions are there: nothing is lost.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mathmesh.codec import b64, jsonbcd
from mathmesh.dare.envelope import Envelope, open_envelope, seal
from mathmesh.errors import EncodingError, PolicyError, StoreError
from mathmesh.messaging.effects import Changes
from mathmesh.schema.mesh_object import MeshObject, parse
from mathmesh.schema.primary_key import primary_key
from meshclient.private_file import read_private, write_private
from meshclient.session import Session
from meshclient.unreachable import ServiceUnreachable

FILE = "offline.dare"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of one entry: `entry` is what it became (None: deleted), `base` the digest of what it was."""

    store: str
    key: str
    base: bytes
    entry: MeshObject | None
    conflict: bool = False


async def write(
    session: Session, store: str, entries: Sequence[MeshObject], deletes: Sequence[str] = ()
) -> bool:
    """Write to a catalog at the service; while that cannot be reached keep it here, and return false."""
    try:
        await session.sync()
        await merge(session)
        await session.apply(Changes(updates={store: entries}, deletes={store: deletes}))
    except ServiceUnreachable:
        _keep(session, store, entries, deletes)
        return False
    return True


async def merge(session: Session) -> list[Change]:
    """Make the changes that were kept, after a sync; the conflicts that are left."""
    left = []
    for change in kept(session):
        if change.conflict:
            left.append(change)
            continue
        current = digest(session.context.catalog(change.store).get(change.key))
        if hmac.compare_digest(current, digest(change.entry)):
            continue
        if hmac.compare_digest(current, change.base):
            await _make(session, change)
            continue
        left.append(replace(change, conflict=True))
    _save(session, left)
    return left


async def resolve(session: Session, key: str, *, mine: bool) -> Change:
    """Decide a conflict: for what was written here (`mine`), or for what the service has.

    Raises PolicyError when there is no conflict about `key`.
    """
    changes = kept(session)
    found = next((one for one in changes if one.conflict and one.key.lower() == key.lower()), None)
    if found is None:
        raise PolicyError(f"there is no conflict about {key}; `meshman account resolve` lists them")
    if mine:
        await _make(session, found)
    _save(session, [one for one in changes if one is not found])
    return found


def entries(session: Session, store: str) -> Mapping[str, MeshObject]:
    """The entries of a catalog with what was written here and is not at the service yet."""
    found = dict(session.context.catalog(store).entries())
    for change in kept(session):
        if change.store != store or change.conflict:
            continue
        if change.entry is None:
            found.pop(change.key, None)
        else:
            found[change.key] = change.entry
    return found


def kept(session: Session) -> list[Change]:
    """The changes that are kept on this machine."""
    path = _path(session)
    if not path.exists():
        return []
    try:
        envelope = Envelope.from_bytes(read_private(path, "file of offline work"))
        opened = open_envelope(envelope, keyring=session.context.keyring)
        return [_from_json(value) for value in _list(jsonbcd.loads(opened.plaintext))]
    except (EncodingError, KeyError, TypeError):
        raise StoreError(f"{path} is damaged; what was written offline cannot be read") from None


def keep(session: Session, changes: Iterable[Change]) -> None:
    """Keep changes until the next `merge`, besides those that are kept already, which are newer."""
    present = {(one.store, one.key): one for one in kept(session)}
    for change in changes:
        newer = present.get((change.store, change.key))
        entry = change.entry if newer is None else newer.entry
        present[change.store, change.key] = replace(change, entry=entry)
    _save(session, list(present.values()))


def _keep(session: Session, store: str, written: Iterable[MeshObject], deletes: Iterable[str]) -> None:
    changes = {(one.store, one.key): one for one in kept(session)}
    wanted: list[tuple[str, MeshObject | None]] = [(primary_key(one) or "", one) for one in written]
    wanted += [(key, None) for key in deletes]
    for key, entry in wanted:
        before = changes.get((store, key))
        base = before.base if before else digest(session.context.catalog(store).get(key))
        changes[store, key] = Change(store=store, key=key, base=base, entry=entry)
    _save(session, list(changes.values()))


async def _make(session: Session, change: Change) -> None:
    written = [change.entry] if change.entry is not None else []
    deleted = [change.key] if change.entry is None else []
    await session.context.update(change.store, written, deleted)


def _save(session: Session, changes: Sequence[Change]) -> None:
    path = _path(session)
    if not changes:
        path.unlink(missing_ok=True)
        return
    sealed = seal(
        jsonbcd.dumps([_to_json(one) for one in changes]),
        entropy=session.context.entropy,
        recipients=[session.context.device.encryption.public],
    )
    write_private(path, sealed.to_json())


def _path(session: Session) -> Path:
    return session.file.folder / FILE


def digest(entry: MeshObject | None) -> bytes:
    """What is compared of two states of an entry; empty for none."""
    return b"" if entry is None else hashlib.sha512(entry.encode()).digest()


def _to_json(change: Change) -> dict[str, Any]:
    return {
        "Store": change.store,
        "Key": change.key,
        "Base": b64.encode(change.base),
        "Entry": change.entry.to_json() if change.entry is not None else None,
        "Conflict": change.conflict,
    }


def _from_json(value: Any) -> Change:
    return Change(
        store=value["Store"],
        key=value["Key"],
        base=b64.decode(value["Base"]),
        entry=parse(value["Entry"]) if value["Entry"] is not None else None,
        conflict=bool(value["Conflict"]),
    )


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise EncodingError("offline work is not a list")
    return value
