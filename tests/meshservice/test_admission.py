"""How accounts come to a service, are renewed, and leave it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mathmesh.schema.build import make_profile_user
from mathmesh.schema.cataloged import CatalogedNetwork
from mathmesh.service import messages as wire
from mathmesh.service.access import Caller
from mathmesh.service.admission import CLOSED, INVITED, OPEN, Admission
from mathmesh.stores import folder_name

from .conftest import DOMAIN, START, Account, Source, World

SECRET = bytes(range(32))


def remote(account: Account) -> Caller:
    return Caller(account=account.address, key_id=account.root.key_id, remote=True)


def bind(world: World, account: Account, invitation: str | None = None) -> tuple[int | None, str | None]:
    request = wire.BindRequest(
        account_address=account.address, enveloped_profile_account=account.envelope, invitation=invitation
    )
    answer = world.ask(request, wire.BindResponse, remote(account))
    return answer.status, answer.status_description


def person(world: World, name: str) -> Account:
    return Account(f"{name}@{DOMAIN}", world.identity.profile.udf)


def test_by_default_only_this_machine_makes_accounts(world: World) -> None:
    bob = person(world, "bob")
    assert bind(world, bob)[0] == 401
    assert world.ask(bob.bind_request(), wire.BindResponse, bob.root).status == 201
    assert bind(world, bob)[0] == 201


def test_an_open_service_takes_in_everybody(world: World) -> None:
    world.engine.state.admission = Admission(policy=OPEN)
    assert bind(world, person(world, "bob"))[0] == 201


def test_an_invitation_lets_one_account_in(world: World) -> None:
    world.engine.state.admission = admission = Admission(policy=INVITED, secret=SECRET)
    source = Source("invitations")
    bob, eve, joe = (person(world, name) for name in ("bob", "eve", "joe"))
    invitation = admission.invite(START + timedelta(days=1), entropy=source)
    assert bind(world, bob)[0] == 401
    assert bind(world, bob, invitation)[0] == 201
    assert bind(world, bob)[0] == 201
    assert bind(world, eve, invitation) == (401, "the invitation was used; ask for another one")
    world.reopen()
    world.engine.state.admission = admission
    assert bind(world, eve, invitation)[0] == 401
    personal = admission.invite(START + timedelta(days=1), entropy=source, address=f"Joe@{DOMAIN}")
    assert bind(world, eve, personal)[0] == 401
    assert bind(world, joe, personal.lower())[0] == 201


@pytest.mark.parametrize(
    "invitation", ["", "N", "NAAA-AAAA", "MAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA", "expired", "forged", "altered"]
)
def test_what_is_no_invitation_lets_nobody_in(world: World, invitation: str) -> None:
    world.engine.state.admission = admission = Admission(policy=INVITED, secret=SECRET)
    good = admission.invite(START + timedelta(days=1), entropy=Source("good"))
    text = {
        "expired": admission.invite(START, entropy=Source("expired")),
        "forged": Admission(policy=INVITED, secret=bytes(32)).invite(
            START + timedelta(days=1), entropy=Source("forged")
        ),
        "altered": good[:20] + ("A" if good[20] != "A" else "B") + good[21:],
    }.get(invitation, invitation)
    bob = person(world, "bob")
    assert bind(world, bob, text)[0] == 401
    assert world.engine.state.by_address(bob.address) is None
    assert bind(world, bob, good)[0] == 201


def test_a_closed_service_takes_no_invitation(world: World) -> None:
    world.engine.state.admission = admission = Admission(policy=CLOSED, secret=SECRET)
    invitation = admission.invite(START + timedelta(days=1), entropy=Source("x"))
    assert bind(world, person(world, "bob"), invitation)[0] == 401


def test_a_newer_profile_takes_the_place_of_the_one_before(world: World) -> None:
    alice = world.account("alice")
    device = world.connect(alice, "phone", ("web",))

    def renewed(days: int, caller: Caller) -> wire.BindResponse:
        made = make_profile_user(
            alice.seed, alice.address, world.identity.profile.udf, START + timedelta(days=days)
        )
        request = wire.BindRequest(account_address=alice.address, enveloped_profile_account=made)
        return world.ask(request, wire.BindResponse, caller)

    assert renewed(2, device).status == 401
    assert renewed(2, alice.root).status == 201
    assert renewed(1, alice.root).status == 409
    assert renewed(2, alice.root).status == 201
    for _ in range(2):
        account = world.engine.state.by_address(alice.address)
        assert account is not None
        assert account.profile.updated == START + timedelta(days=2)
        assert account.access(device.key_id) is not None
        world.reopen()


def test_an_account_that_leaves_leaves_nothing(world: World) -> None:
    alice, bob = (
        world.account("alice", begin=("MMM_Access", "MMM_Device", "MMM_Network")),
        world.account("bob"),
    )
    device = world.connect(alice, "phone", ("web",))
    assert world.transact(alice, MMM_Network=[CatalogedNetwork(protocol="wifi", service="x")]).status == 201
    folder = world.folder / folder_name(alice.profile.udf)
    assert folder.exists()
    assert world.ask(wire.UnbindRequest(), wire.UnbindResponse, device).status == 401
    stated = wire.UnbindRequest(account=bob.address)
    assert world.ask(stated, wire.UnbindResponse, alice.root).status == 401
    assert folder.exists()
    assert world.ask(wire.UnbindRequest(account=alice.address), wire.UnbindResponse, alice.root).status == 201
    for _ in range(2):
        assert not folder.exists()
        assert world.ask(wire.StatusRequest(), wire.StatusResponse, alice.root).status == 404
        assert world.ask(wire.StatusRequest(), wire.StatusResponse, bob.root).status == 201
        world.reopen()
    assert world.ask(alice.bind_request(), wire.BindResponse, alice.root).status == 201
    world.reopen()
    assert set(world.counts(alice)) == {"MMM_Inbound", "MMM_Outbound", "MMM_Local"}


def test_files_that_a_crash_left_of_an_account_are_removed(world: World) -> None:
    alice = world.account("alice")
    folder = world.folder / folder_name(alice.profile.udf)
    kept = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert world.ask(wire.UnbindRequest(), wire.UnbindResponse, alice.root).status == 201
    folder.mkdir()
    for name, content in kept.items():
        (folder / name).write_bytes(content)
    world.reopen()
    assert not folder.exists()
