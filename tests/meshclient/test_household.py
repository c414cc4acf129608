"""The first start, the second, and a first start that was interrupted anywhere."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from mathmesh.errors import MeshError, PolicyError, StoreError
from mathmesh.keys import derive
from mathmesh.schema.capability import AccessCapability
from mathmesh.schema.cataloged import CatalogedAccess, CatalogedDevice
from mathmesh.schema.validation import verify_cataloged_device
from mathmesh.stores import ACCESS, CATALOGS, DEVICE, SPOOLS
from meshclient import household, open_file
from meshclient.context import AccountContext
from meshclient.household import Household
from meshservice.local import LocalTransport

Machine = Any  # the fixture's class lives in conftest


def check(context: AccountContext, machine: Machine) -> None:
    """An account is complete: bound, all stores on both sides equal, this device in it with its keys."""
    assert set(context._stores.status()) == {*CATALOGS, *SPOOLS}
    for name, status in context._stores.status().items():
        assert machine.engine.status(context.udf, name) == status
    [entry] = context.catalog(DEVICE).entries().values()
    assert isinstance(entry, CatalogedDevice)
    verified = verify_cataloged_device(
        entry, context.profile_user, base_keyring=context.keyring, activated_keyring=context.keyring
    )
    device = context.device
    assert verified.profile_device == device.profile
    assert verified.keys.signature.udf == device.signature.public.udf
    assert verified.keys.encryption.udf == device.encryption.public.udf
    assert verified.keys.authentication.udf == device.authentication.public.udf
    assert verified.activation_common is not None
    granted = verified.activation_common.administrator_signature
    assert granted is not None
    assert granted.private_key().public.udf == context.administrator.public.udf
    [access] = context.catalog(ACCESS).entries().values()
    assert isinstance(access, CatalogedAccess)
    assert isinstance(access.capability, AccessCapability)
    assert access.capability.id == device.authentication.public.udf


async def test_the_first_start_makes_everything(fresh: Machine) -> None:
    await fresh.start()
    home: Household = fresh.home
    assert (home.owner.address, home.maker.address) == ("home@hub.local", "maker@hub.local")
    check(home.owner, fresh)
    check(home.maker, fresh)
    assert home.owner.udf != home.maker.udf
    assert home.key_file.keys.complete
    assert (fresh.data / "account" / home.owner.udf.replace("-", "")[:8]) == home.owner.data
    assert home.owner.store_key("MMM_Network").public.udf == (
        derive.derive_key(
            home.key_file.keys.accounts["owner"].seed, "CompleteAccountEncryptMMM_Network"
        ).public.udf
    )
    fresh.stop()


async def test_the_second_start_finds_it_all_again(machine: Machine, first_start: Path) -> None:
    owner, maker = machine.home.owner, machine.home.maker
    before = {name: status.count for name, status in owner._stores.status().items()}
    profile, device = owner.profile_envelope, owner.device.profile_envelope
    await machine.restart()
    again = machine.home.owner
    assert (again.udf, machine.home.maker.udf) == (owner.udf, maker.udf)
    assert (again.profile_envelope, again.device.profile_envelope) == (profile, device)
    assert {name: status.count for name, status in again._stores.status().items()} == before
    check(again, machine)
    assert not again.recovered
    assert not machine.engine.recovered


async def test_an_address_may_be_chosen_once(fresh: Machine) -> None:
    await fresh.start("Alice@Example.com")
    assert fresh.home.owner.address == "alice@example.com"
    assert fresh.home.maker.address == "maker@hub.local"
    fresh.stop()
    await fresh.start("alice@example.com")
    fresh.stop()
    with pytest.raises(PolicyError, match=r"belongs to alice@example\.com"):
        await fresh.start("bob@example.com")


@pytest.mark.parametrize(
    "arguments", [{"hub_name": "a b"}, {"hub_name": ""}, {"hub_name": "-x"}, {"address": "home"}]
)
def test_names_that_are_none_leave_no_key_file(fresh: Machine, arguments: dict[str, str]) -> None:
    with pytest.raises(PolicyError):
        household.open_keys(fresh.data, entropy=os.urandom, now=fresh.clock(), **arguments)
    assert not (fresh.data / "keys.json").exists()


class Killed(BaseException):
    """The process was killed."""


class Killer:
    """Kills the process at the n-th call that changes the disk; after it none works any more."""

    NAMES = (
        "open",
        "pwrite",
        "ftruncate",
        "fsync",
        "fdatasync",
        "rename",
        "replace",
        "link",
        "unlink",
        "mkdir",
    )

    def __init__(self, patch: pytest.MonkeyPatch, at: int) -> None:
        self.calls = 0
        self.at = at
        for name in self.NAMES:
            patch.setattr(os, name, self._wrapped(name, getattr(os, name)))
        patch.setattr(open_file, "_datasync", os.fdatasync)

    def _wrapped(self, name: str, real: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            if name == "open" and not args[1] & os.O_CREAT:
                return real(*args, **kwargs)
            self.calls += 1
            if self.calls >= self.at:
                if name == "pwrite" and self.calls == self.at:
                    real(args[0], bytes(args[1])[: len(args[1]) // 2], args[2])
                raise Killed
            return real(*args, **kwargs)

        return call


async def start_until(machine: Machine, monkeypatch: pytest.MonkeyPatch, at: int) -> int:
    """Start and be killed at call `at`; the number of calls that were made."""
    machine.engine = None
    with monkeypatch.context() as patch:
        killer = Killer(patch, at)
        try:
            machine.start_service()
            home = await machine.open_home()
            home.close()
        except Killed:
            pass
        calls = killer.calls
    if machine.engine is not None:
        machine.engine.close()
    close_files_under(machine.data)
    return calls


def close_files_under(folder: Path) -> None:
    """What the end of a process does to the files that it had open."""
    for descriptor in os.listdir("/proc/self/fd"):
        try:
            name = os.readlink(f"/proc/self/fd/{descriptor}")
        except FileNotFoundError:
            continue
        if name.startswith(f"{folder}/"):
            os.close(int(descriptor))


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.long)])
async def test_a_first_start_killed_anywhere_is_finished_by_the_next(
    tmp_path: Path, fresh: Machine, monkeypatch: pytest.MonkeyPatch, every: bool
) -> None:
    total = await start_until(fresh, monkeypatch, 1_000_000)
    assert total > 300
    for at in range(1, total + 1) if every else (*range(1, 8), *range(8, total, total // 12)):
        machine = type(fresh)(tmp_path / f"killed-{at}")
        await start_until(machine, monkeypatch, at)
        held = (machine.data / "keys.json").read_bytes() if (machine.data / "keys.json").exists() else b""
        await machine.start()
        check(machine.home.owner, machine)
        check(machine.home.maker, machine)
        assert machine.home.key_file.keys.complete
        seeds = re.findall(rb'"Z[A-Z2-7-]+"', held)
        assert all(seed in (machine.data / "keys.json").read_bytes() for seed in seeds), at
        folders = {one.name for one in (machine.data / "account").iterdir()}
        assert folders == {one.name for one in (machine.data / "service").iterdir() if one.is_dir()}
        assert len(folders) == 2
        machine.stop()
        shutil.rmtree(machine.data)


async def test_a_data_folder_is_used_once_at_a_time(machine: Machine) -> None:
    other = type(machine)(machine.data)
    with pytest.raises(StoreError, match="in use"):
        await other.start()


async def test_another_process_opens_an_account_with_copies_of_its_own(
    machine: Machine, tmp_path: Path
) -> None:
    context = await household.open_account(
        machine.data,
        "maker",
        service=LocalTransport(machine.engine),
        copies=tmp_path / "copies",
        entropy=os.urandom,
    )
    assert context.udf == machine.home.maker.udf
    assert context._stores.status() == machine.home.maker._stores.status()
    context.close()


async def test_a_service_that_is_not_the_accounts_own_is_refused(machine: Machine, fresh: Machine) -> None:
    """An account that was bound elsewhere does not fall for another service that answers in its place."""
    machine.home.close()
    keys = machine.home.key_file
    stolen = keys.path.read_text().replace(
        keys.keys.service_seed, derive.new_seed(derive.PROFILE_SERVICE, os.urandom)
    )
    keys.path.write_text(stolen)
    with pytest.raises(MeshError):
        await machine.open_home()
    keys.save(keys.keys)
    machine.home = await machine.open_home()
