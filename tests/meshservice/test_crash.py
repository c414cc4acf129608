"""Power cuts at every step of a transaction: afterwards all of it is there, or nothing.

The cut is made in the system calls: the n-th call that changes the disk is torn (a write) or not made,
and every later one fails too, as nothing more reaches a disk without power. In the second kind of run
the writes that were not yet synced are taken back as well, as a drive's cache loses them.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mathmesh.errors import StoreError
from mathmesh.schema.cataloged import CatalogedNetwork
from mathmesh.service import messages as wire
from meshclient import open_file
from meshservice.engines.files import JOURNAL

World = Any  # the fixture's class lives in conftest
CHANGING = (
    "pwrite",
    "ftruncate",
    "truncate",
    "fsync",
    "fdatasync",
    "rename",
    "replace",
    "link",
    "unlink",
    "mkdir",
)


class PowerCut(BaseException):
    """The machine stopped."""


class Disk:
    """Counts the calls that change the disk, and cuts the power at one of them."""

    def __init__(self, cut_at: int | None, *, lose_unsynced: bool) -> None:
        self.calls = 0
        self._cut_at = cut_at
        self._lose = lose_unsynced
        self._unsynced: dict[str, bytes] = {}
        self._real = {name: getattr(os, name) for name in CHANGING}
        self._dead = False

    def before(self, name: str, *args: Any) -> None:
        if self._dead:
            raise PowerCut
        self.calls += 1
        if self.calls != self._cut_at:
            return
        self._dead = True
        if name == "pwrite":
            descriptor, data, offset = args
            self._real["pwrite"](descriptor, bytes(data)[: len(data) // 2], offset)
        if self._lose:
            for path, content in self._unsynced.items():
                Path(path).write_bytes(content)
        raise PowerCut

    def remember(self, descriptor: int) -> None:
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        if path not in self._unsynced and Path(path).is_file():
            self._unsynced[path] = Path(path).read_bytes()

    def synced(self, descriptor: int) -> None:
        self._unsynced.pop(os.readlink(f"/proc/self/fd/{descriptor}"), None)

    def wrapped(self, name: str) -> Callable[..., Any]:
        real = self._real[name]

        def call(*args: Any, **kwargs: Any) -> Any:
            if name in ("pwrite", "ftruncate") and not self._dead:
                self.remember(args[0])
            self.before(name, *args)
            if name in ("fsync", "fdatasync"):
                self.synced(args[0])
            return real(*args, **kwargs)

        return call


@contextmanager
def disk(cut_at: int | None = None, *, lose_unsynced: bool = False) -> Iterator[Disk]:
    """The system calls under a `Disk`."""
    made = Disk(cut_at, lose_unsynced=lose_unsynced)
    patch = pytest.MonkeyPatch()
    for name in CHANGING:
        patch.setattr(os, name, made.wrapped(name))
    patch.setattr(open_file, "_datasync", made.wrapped("fdatasync"))
    try:
        yield made
    finally:
        patch.undo()


def network(name: str) -> CatalogedNetwork:
    return CatalogedNetwork(protocol="wifi", service=name, password="secret")


STORES = ("MMM_Network", "MMM_Contact", "MMM_Task")


def prepare(world: World) -> tuple[Any, bytes]:
    """An account with two stores, and a transaction that appends to both, begins a third and posts a
    message.
    """
    account = world.account("alice", begin=STORES[:2])
    assert world.transact(account, MMM_Network=[network("before")]).status == 201
    updates = (
        world.update(account, "MMM_Network", [network("a"), network("b")]),
        world.update(account, "MMM_Contact", [network("c")]),
        world.update(account, "MMM_Task", [network("d")], begins=True),
    )
    request = wire.TransactRequest(updates=updates, local=(updates[0].envelopes[0],))
    return account, request.encode()


def visible(world: World, account: Any) -> dict[str, list[bytes]]:
    """What every store holds, after verifying each whole file."""
    udf = account.profile.udf
    found = {}
    for store in world.engine.stores(udf):
        status = world.engine.status(udf, store)
        found[store] = [one.body for one in world.engine.envelopes(udf, store, 0, status.count)]
        world.engine._stores.sequence(udf, store).verify()
    return found


@pytest.mark.parametrize("lose_unsynced", [False, True], ids=["torn", "cache lost"])
def test_a_transaction_is_whole_or_absent_wherever_the_power_is_cut(
    world: World, tmp_path: Path, lose_unsynced: bool
) -> None:
    account, request = prepare(world)
    before = visible(world, account)
    world.engine.close()
    origin = tmp_path / "origin"
    shutil.copytree(world.folder, origin)
    seen = set()
    for cut_at in range(1, 100):
        shutil.rmtree(world.folder)
        shutil.copytree(origin, world.folder)
        world.engine = world.open()
        answer, finished = b"", False
        with disk(cut_at, lose_unsynced=lose_unsynced):
            try:
                answer = world.engine.dispatch(request, account.root)
                finished = True
            except PowerCut:
                pass
        world.reopen()
        after = visible(world, account)
        counts = tuple(len(after.get(store, ())) for store in (*STORES, "MMM_Local"))
        assert counts in {(2, 1, 0, 1), (4, 2, 2, 2)}, cut_at
        seen.add(counts)
        assert all(after[store][: len(bodies)] == bodies for store, bodies in before.items())
        if finished:
            assert b'"Status":201' in answer
            assert counts == (4, 2, 2, 2)
            break
    else:
        pytest.fail("the transaction never finished")
    assert cut_at > 8
    assert len(seen) == 2


def test_recovery_itself_may_be_interrupted(world: World, tmp_path: Path) -> None:
    account, request = prepare(world)
    with disk() as counted:
        world.engine.dispatch(request, account.root)
    world.engine.close()
    shutil.rmtree(world.folder)
    world.engine = world.open()
    account, request = prepare(world)
    with disk(counted.calls), pytest.raises(PowerCut):
        world.engine.dispatch(request, account.root)
    world.engine.close()
    assert (world.folder / JOURNAL).stat().st_size > 0
    for cut_at in range(1, 200):
        with disk(cut_at, lose_unsynced=bool(cut_at % 2)):
            try:
                world.engine = world.open()
                break
            except PowerCut:
                continue
    assert cut_at > 8
    world.reopen()
    assert {name: len(frames) for name, frames in visible(world, account).items()} == {
        "MMM_Network": 4,
        "MMM_Contact": 2,
        "MMM_Task": 2,
        "MMM_Local": 2,
        "MMM_Inbound": 1,
        "MMM_Outbound": 1,
    }


def test_a_new_account_is_whole_or_absent(world: World, tmp_path: Path) -> None:
    account = world.account("alice", begin=())
    bob = type(account)("bob@example.com", world.identity.profile.udf)
    world.engine.close()
    origin = tmp_path / "origin"
    shutil.copytree(world.folder, origin)
    for cut_at in range(1, 100):
        shutil.rmtree(world.folder)
        shutil.copytree(origin, world.folder)
        world.engine = world.open()
        finished = False
        with disk(cut_at):
            try:
                world.engine.dispatch(bob.bind_request().encode(), bob.root)
                finished = True
            except PowerCut:
                pass
        world.reopen()
        assert set(world.counts(bob)) in (set(), {"MMM_Inbound", "MMM_Outbound", "MMM_Local"})
        assert (world.engine.state.by_address(bob.address) is not None) == bool(world.counts(bob))
        assert world.ask(bob.bind_request(), wire.BindResponse, bob.root).status == 201
        if finished:
            break
    assert cut_at > 20


def test_a_full_disk_refuses_and_recovers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    account, request = prepare(world)
    before = visible(world, account)
    real, room = os.pwrite, [0]

    def full(descriptor: int, data: Any, offset: int) -> int:
        if room[0] <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        room[0] -= 1
        return real(descriptor, data, offset)

    for writes in range(20):
        room[0] = writes
        with monkeypatch.context() as patch:
            patch.setattr(os, "pwrite", full)
            answer = world.engine.dispatch(request, account.root)
        if b'"Status":500' not in answer:
            break
        assert b"could not store" in answer
        assert visible(world, account) == before
        world.reopen()
        assert visible(world, account) == before
    assert writes > 3
    assert b'"Status":201' in answer


def test_two_engines_cannot_share_a_folder(world: World) -> None:
    world.account("alice")
    with pytest.raises(StoreError, match="in use"):
        world.open()
