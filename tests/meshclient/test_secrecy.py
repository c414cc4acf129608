"""What a stolen disk gives away: outside the key file no secret and no private word lies in clear."""

from __future__ import annotations

import base64
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mathmesh.codec import udf
from mathmesh.dare.envelope import seal
from mathmesh.keys import derive, earl
from mathmesh.schema.build import make_cataloged_device, make_profile_device, make_publication
from mathmesh.schema.cataloged import CatalogedNetwork

Machine = Any  # the fixture's class lives in conftest
CANARY = "canary-{}-Wuschelkopf"


def encodings(octets: bytes) -> Iterable[bytes]:
    """The ways in which octets could lie in a file: as they are, in hex, in any phase of base64."""
    yield octets
    yield octets.hex().encode()
    for phase in range(3):
        coded = base64.urlsafe_b64encode(bytes(phase) + octets)
        coded = coded.rstrip(b"=")[2 * phase : -2]
        yield coded
        yield coded.replace(b"-", b"+").replace(b"_", b"/")


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def found(folder: Path, secret: bytes, *, besides: str = "keys.json") -> list[Path]:
    present = files(folder)
    return [
        path
        for path, content in present.items()
        if path.name != besides and any(needle in content for needle in encodings(secret))
    ]


async def use(machine: Machine) -> tuple[bytes, str]:
    """Put private words everywhere: a network, a device, its publication, telemetry, a message."""
    owner, maker = machine.home.owner, machine.home.maker
    await owner.update(
        "MMM_Network",
        [CatalogedNetwork(protocol="wifi", service=CANARY.format("ssid"), password=CANARY.format("phrase"))],
    )
    await owner.update("MMM_Network", [], deletes=[f"wifi:{CANARY.format('ssid')}"])
    seed = derive.new_seed(derive.PROFILE_DEVICE, os.urandom)
    profile = make_profile_device(seed, machine.clock())
    secret = earl.connect_secret(seed, maker.address)
    hailing = [f"mmm-tcp://{CANARY.format('host')}:1"]
    await maker.update(
        "MMM_Publication", [make_publication(secret, None, profile, hailing, os.urandom, machine.clock())]
    )
    claimed = await owner.claim(earl.connect_uri(secret, maker.address))
    device = make_cataloged_device(
        owner.profile_envelope,
        claimed.profile_envelope,
        owner.administrator,
        ("device",),
        derive.new_seed(derive.ACTIVATION_ACCOUNT, os.urandom),
        os.urandom,
        machine.clock(),
        local_name=CANARY.format("name"),
        room=CANARY.format("room"),
    )
    await owner.update("MMM_Device", [device])
    note = seal(
        CANARY.format("message").encode(),
        entropy=os.urandom,
        recipients=[owner.profile_user.common_encryption.public_key()],
    )
    await owner.transact(local=[note])
    owner.local_sequence("MMM_Telemetry_MABC").append(CANARY.format("reading").encode())
    return secret, seed


async def test_nothing_private_lies_in_clear(machine: Machine) -> None:
    secret, seed = await use(machine)
    machine.stop()
    words = [CANARY.format(word) for word in ("ssid", "phrase", "name", "room", "host", "message", "reading")]
    for word in words:
        assert not found(machine.data, word.encode(), besides=""), word
    assert not found(machine.data, secret, besides="")
    assert not found(machine.data, udf.parse(earl.service_authenticator(secret))[1], besides="")
    assert not found(machine.data, udf.parse(seed)[1][2:], besides="")
    await machine.start()


async def test_seeds_lie_in_the_key_file_alone(machine: Machine) -> None:
    await use(machine)
    keys = machine.home.key_file.keys
    owner = machine.home.owner
    seeds = [keys.service_seed, keys.device_seed]
    for account in keys.accounts.values():
        seeds += [account.seed, account.activation]
    private = [
        owner.administrator,
        owner.device.signature,
        owner.device.authentication,
        owner.device.encryption,
        owner.store_key("MMM_Device"),
    ]
    machine.stop()
    text = (machine.data / "keys.json").read_text()
    for seed in seeds:
        assert seed in text
        assert not found(machine.data, seed.encode()), seed[:9]
        assert not found(machine.data, udf.parse(seed)[1][2:])
    for key in private:
        assert not found(machine.data, key.scalar.to_bytes(57, "little")[:56], besides="")
    await machine.start()


async def test_the_search_would_find_what_it_looks_for(machine: Machine) -> None:
    planted = machine.data / "planted"
    for content in encodings(b"some secret octets"):
        planted.write_bytes(b"xy" + content + b"z")
        assert found(machine.data, b"some secret octets") == [planted]
    planted.unlink()
    assert not found(machine.data, b"some secret octets")


async def test_files_and_folders_are_the_owners_alone(machine: Machine) -> None:
    await use(machine)
    for path in machine.data.rglob("*"):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path
