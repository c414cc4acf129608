"""Claiming by the code on a label, through an account's context."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

import pytest

from mathmesh.codec import udf, uri
from mathmesh.errors import EncodingError, PolicyError
from mathmesh.keys import derive, earl
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.schema.build import (
    make_access_capability,
    make_cataloged_device,
    make_profile_device,
    make_publication,
)
from mathmesh.schema.message import RespondConnection
from mathmesh.schema.signed import object_in
from mathmesh.stores import ACCESS, DEVICE, LOCAL, PUBLICATION
from meshclient.context import AlreadyClaimed, ClaimResult, OtherMaker, UnknownPublication

Machine = Any  # the fixture's class lives in conftest
NOW = datetime(2031, 5, 1, 12, 0, 0, tzinfo=UTC)
HAILING = ("mmm-tcp://192.0.2.1:7001",)


async def mint(machine: Machine) -> tuple[str, str]:
    """Publish a device; its seed and the code on its label."""
    maker = machine.home.maker
    seed = derive.new_seed(derive.PROFILE_DEVICE, os.urandom)
    secret = earl.connect_secret(seed, maker.address)
    profile = make_profile_device(seed, NOW)
    entry = make_publication(secret, None, profile, HAILING, os.urandom, NOW)
    await maker.update(PUBLICATION, [entry])
    return seed, earl.connect_uri(secret, maker.address)


async def adopt(machine: Machine, claimed: ClaimResult, *, by: str = "owner") -> None:
    """What the hub writes when a device is adopted."""
    context = getattr(machine.home, by)
    activation = derive.new_seed(derive.ACTIVATION_ACCOUNT, os.urandom)
    device = make_cataloged_device(
        context.profile_envelope,
        claimed.profile_envelope,
        context.administrator,
        ("device",),
        activation,
        os.urandom,
        NOW,
        local_name="kitchen lamp",
    )
    access = make_access_capability(device, os.urandom, NOW, rights=("device",))
    await context.transact(updates={DEVICE: [device], ACCESS: [access]})


async def test_a_label_gives_its_device(machine: Machine) -> None:
    seed, code = await mint(machine)
    claimed = await machine.home.owner.claim(code.lower().replace("mcu", "MCU"))
    profile = make_profile_device(seed, NOW)
    assert claimed.profile_envelope == profile
    assert claimed.profile_device.udf == derive.derive_key(seed, "BaseDeviceProfile").public.udf
    assert claimed.hailing == HAILING
    assert claimed.k == earl.connect_secret(seed, machine.home.maker.address)
    assert claimed.publication_id == earl.publication_id(claimed.k)
    assert claimed.maker == machine.home.maker.address
    assert udf.text(udf.ENCRYPTION, claimed.k) not in repr(claimed)


async def test_the_second_claimant_learns_who_was_first(machine: Machine) -> None:
    _, code = await mint(machine)
    await machine.home.owner.claim(code)
    with pytest.raises(AlreadyClaimed, match=r"already claimed by home@hub\.local") as caught:
        await machine.home.maker.claim(code)
    assert caught.value.by == "home@hub.local"


async def test_adoption_makes_it_permanent_and_answers_the_device(machine: Machine) -> None:
    seed, code = await mint(machine)
    claimed = await machine.home.owner.claim(code)
    await adopt(machine, claimed)
    machine.clock.advance(86400)
    with pytest.raises(AlreadyClaimed):
        await machine.home.maker.claim(code)
    await machine.restart()
    with pytest.raises(AlreadyClaimed):
        await machine.home.maker.claim(code)
    owner = machine.home.owner
    answer = owner._stores.envelope(LOCAL, 1)
    base = MemoryKeyring([derive.derive_key(seed, "BaseDeviceEncrypt")])
    response = object_in(answer, RespondConnection, keyring=base)
    assert response.result == "Accept"
    assert response.cataloged_device is not None
    assert response.cataloged_device.local_name == "kitchen lamp"
    assert owner.catalog(DEVICE).get(claimed.profile_device.udf) == response.cataloged_device


async def test_an_adoption_that_took_too_long_is_refused_when_another_was_quicker(machine: Machine) -> None:
    _, code = await mint(machine)
    claimed = await machine.home.owner.claim(code)
    machine.clock.advance(121)
    await machine.home.maker.claim(code)
    before = machine.home.owner.catalog(DEVICE).entries()
    with pytest.raises(PolicyError, match=r"claimed by maker@hub\.local in the meantime"):
        await adopt(machine, claimed)
    assert machine.home.owner.catalog(DEVICE).entries() == before


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("adopted", [False, True])
async def test_a_release_lets_another_claim(machine: Machine, adopted: bool, restart: bool) -> None:
    _, code = await mint(machine)
    claimed = await machine.home.owner.claim(code)
    if adopted:
        await adopt(machine, claimed)
    if restart:
        await machine.restart()
    await machine.home.maker.release_claim(claimed.publication_id)
    with pytest.raises(AlreadyClaimed):
        await machine.home.maker.claim(code)
    await machine.home.owner.release_claim(claimed.publication_id)
    await machine.home.owner.release_claim(claimed.publication_id)
    assert (await machine.home.maker.claim(code)).profile_device == claimed.profile_device


async def test_the_owner_may_claim_again(machine: Machine) -> None:
    _, code = await mint(machine)
    first = await machine.home.owner.claim(code)
    await adopt(machine, first)
    again = await machine.home.owner.claim(code)
    assert again.claim_message_id != first.claim_message_id
    await adopt(machine, again)
    await machine.home.owner.release_claim(again.publication_id)
    await machine.home.maker.claim(code)


async def test_codes_that_lead_nowhere(machine: Machine) -> None:
    owner = machine.home.owner
    _, code = await mint(machine)
    secret = udf.text(udf.ENCRYPTION, bytes(range(15)))
    before = machine.engine.status(machine.home.maker.udf, LOCAL)
    with pytest.raises(UnknownPublication, match="letter by letter"):
        await owner.claim(uri.mcu(machine.home.maker.address, secret))
    with pytest.raises(UnknownPublication):
        await owner.claim(code.replace("maker@", "nobody@"))
    with pytest.raises(OtherMaker, match=r"another maker, example\.com") as caught:
        await owner.claim(uri.mcu("maker@example.com", secret))
    assert caught.value.domain == "example.com"
    with pytest.raises(PolicyError, match="invitation"):
        await owner.claim(uri.mcu("home@hub.local", udf.text(udf.MAC, bytes(range(15)))))
    for text in ("", "kitchen lamp", "https://example.com/x", code[:-1] + "!", code[: code.rindex("/")]):
        with pytest.raises(EncodingError):
            await owner.claim(text)
    assert machine.engine.status(machine.home.maker.udf, LOCAL) == before
