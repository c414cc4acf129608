import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest

from mathmesh.errors import EncodingError, StoreError
from meshclient.store_files import SequenceFile
from meshhub.broker.accounts import verify_password
from meshhub.links import SPARE_ENTRIES, BrokerLogin, Link, LinkStore

from .stores import SequenceFolder


def link(number: int) -> Link:
    login = BrokerLogin.make(os.urandom)
    return Link(
        device=f"MAKA-{number:04}",
        device_udf=bytes([number]) * 64,
        account_udf=bytes(64),
        topic_octets=bytes([number]) * 10,
        psk_run=os.urandom(32),
        psk_repair=os.urandom(32),
        own=os.urandom(32),
        user=login.user,
        password_hash=login.password_hash,
        publication_id=f"EBQB-{number}",
    )


@pytest.fixture
def folder(tmp_path: Path) -> SequenceFolder:
    return SequenceFolder(tmp_path)


def opened(folder: SequenceFolder) -> LinkStore:
    return LinkStore.open(folder.path("links"), folder.key, os.urandom)


async def test_links_and_pairs_are_there_after_a_restart(folder: SequenceFolder) -> None:
    store = opened(folder)
    one, two = link(1), link(2)
    await store.put(one)
    await store.put(two)
    await store.confirm(one.device, (7, 3))
    await store.confirm("nobody", (1, 1))
    store.close()
    again = opened(folder)
    assert again.links() == [replace(one, pair=(7, 3)), two]
    assert [account.topic_id for account in again.accounts()] == [one.topic_id, two.topic_id]
    again.close()


async def test_a_change_is_on_disk_when_the_call_returns(folder: SequenceFolder) -> None:
    store = opened(folder)
    await store.put(link(1))
    await store.confirm(link(1).device, (2, 2))
    copy = folder.path("copy")
    copy.write_bytes(folder.path("links").read_bytes())
    again = LinkStore.open(copy, folder.key, os.urandom)
    assert [item.pair for item in again.links()] == [(2, 2)]
    again.close()
    store.close()


async def test_a_removed_link_leaves_no_key_and_is_remembered(folder: SequenceFolder) -> None:
    store = opened(folder)
    one, two = link(1), link(2)
    await store.put(one)
    await store.put(two)
    await store.remove(one.device, remember=1234)
    assert store.get(one.device) is None
    assert store.is_forgotten(one.device)
    store.close()
    with SequenceFile.open(folder.path("links"), keyring=folder.keyring, entropy=os.urandom) as sequence:
        plain = b"".join(sequence.plaintext(index) for index in range(1, sequence.count))
        assert one.user.encode() not in plain
        assert two.user.encode() in plain
    again = opened(folder)
    assert again.is_forgotten(one.device)
    assert [item.device for item in again.links()] == [two.device]
    await again.put(one)
    assert not again.is_forgotten(one.device)
    await again.remove(one.device, remember=None)
    assert not again.is_forgotten(one.device)
    again.close()


async def test_many_confirmations_at_once_are_all_kept(folder: SequenceFolder) -> None:
    store = opened(folder)
    for number in range(8):
        await store.put(link(number))
    await asyncio.gather(
        *(store.confirm(f"MAKA-{number:04}", (n, number)) for n in range(5) for number in range(8))
    )
    store.close()
    again = opened(folder)
    assert [item.pair for item in again.links()] == [(4, number) for number in range(8)]
    again.close()


async def test_a_long_file_is_made_short(folder: SequenceFolder) -> None:
    store = opened(folder)
    await store.put(link(1))
    size = folder.path("links").stat().st_size
    for number in range(2 * SPARE_ENTRIES):
        await store.confirm(link(1).device, (1, number))
    longest = folder.path("links").stat().st_size
    assert longest < 2 * size + 600 * SPARE_ENTRIES
    store.close()
    again = opened(folder)
    assert [item.pair for item in again.links()] == [(1, 2 * SPARE_ENTRIES - 1)]
    again.close()


async def test_a_long_file_is_made_short_at_start(
    folder: SequenceFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened(folder)
    await store.put(link(1))
    with monkeypatch.context() as patch:
        patch.setattr(LinkStore, "_long", False)
        for batch in range(3):
            await asyncio.gather(
                *(store.confirm(link(1).device, (batch, n)) for n in range(SPARE_ENTRIES // 2))
            )
    store.close()
    size = folder.path("links").stat().st_size
    again = opened(folder)
    assert [item.pair for item in again.links()] == [(2, SPARE_ENTRIES // 2 - 1)]
    again.close()
    assert folder.path("links").stat().st_size < size / 50


async def test_whoever_waits_with_a_write_that_fails_is_told_too(
    folder: SequenceFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened(folder)
    await store.put(link(1))

    def full(*_args: object, **_kwargs: object) -> range:
        raise StoreError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(SequenceFile, "append_many", full)
        told = await asyncio.gather(
            *(store.confirm(link(1).device, (9, n)) for n in range(4)),
            store.put(link(2)),
            return_exceptions=True,
        )
    assert [type(error) for error in told] == [StoreError] * 5
    assert [item.pair for item in store.links()] == [(0, 0)]
    store.close()
    again = opened(folder)
    assert [item.pair for item in again.links()] == [(0, 0)]
    again.close()


async def test_a_link_that_comes_while_another_goes_is_kept(folder: SequenceFolder) -> None:
    store = opened(folder)
    await store.put(link(1))
    await asyncio.gather(
        store.put(link(2)), store.put(link(3)), store.remove(link(1).device, remember=1), store.put(link(4))
    )
    here = [item.device for item in store.links()]
    store.close()
    again = opened(folder)
    assert [item.device for item in again.links()] == here
    assert sorted(here) == [link(number).device for number in (2, 3, 4)]
    again.close()


async def test_nothing_is_written_after_close(folder: SequenceFolder) -> None:
    store = opened(folder)
    store.close()
    with pytest.raises(StoreError):
        await store.put(link(1))


async def test_no_secret_lies_in_clear_or_is_shown(folder: SequenceFolder) -> None:
    store = opened(folder)
    one = link(1)
    await store.put(one)
    store.close()
    content = folder.path("links").read_bytes()
    for secret in (one.psk_run, one.psk_repair, one.own, one.user.encode(), one.device.encode()):
        assert secret not in content
        assert repr(secret) not in repr(one) or secret in (one.user.encode(), one.device.encode())


@pytest.mark.parametrize(
    "name", ["psk_run", "psk_repair", "own", "device_udf", "account_udf", "topic_octets"]
)
def test_sizes_are_checked(name: str) -> None:
    with pytest.raises(EncodingError, match=name):
        replace(link(1), **{name: b"short"})


def test_a_login_is_random_and_hashed() -> None:
    one, two = BrokerLogin.make(os.urandom), BrokerLogin.make(os.urandom)
    assert one.user != two.user
    assert verify_password(one.password, one.password_hash)
    assert one.password not in repr(one)
