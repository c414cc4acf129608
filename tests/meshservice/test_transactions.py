"""BindAccount, Status, Download and Transact on a real engine: what is served, and all that is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mathmesh.codec import jsonbcd
from mathmesh.dare.content_meta import ContentMeta
from mathmesh.dare.envelope import Envelope, seal
from mathmesh.keys import derive
from mathmesh.schema.build import make_null_capability, make_profile_user
from mathmesh.schema.cataloged import CatalogedNetwork
from mathmesh.schema.connection import AccountHostAssignment
from mathmesh.schema.signed import check_signed_by, object_in
from mathmesh.schema.validation import verify_profile_service
from mathmesh.service import messages as wire
from mathmesh.service.access import Caller
from mathmesh.stores.first_frame import first_frame

World = Any  # the fixture's class lives in conftest


def network(name: str) -> CatalogedNetwork:
    return CatalogedNetwork(protocol="wifi", service=name, password="secret")


# -- Hello and BindAccount -----------------------------------------------------------------------
def test_hello_tells_a_stranger_what_the_service_is(world: World) -> None:
    answer = world.ask(wire.HelloRequest(), wire.MeshHelloResponse)
    assert answer.status == 201
    assert answer.version == {
        "Major": 3,
        "Minor": 0,
        "Encodings": [{"ID": ["application/json", "application/dare"]}],
    }
    assert verify_profile_service(answer.enveloped_profile_service).udf == world.identity.profile.udf
    assert answer.constraints_post.bytes_max == 32768


def test_bind_takes_an_account_and_assigns_the_host(world: World) -> None:
    account = world.account("alice", begin=())
    answer = world.ask(account.bind_request(), wire.BindResponse, account.root)
    statement = answer.enveloped_account_host_assignment
    check_signed_by(statement, world.identity.signature.public, "AccountHostAssignment")
    assignment = object_in(statement, AccountHostAssignment)
    assert assignment.account_addess == "alice@example.com"
    assert assignment.access_encrypt.public_key().udf == world.identity.access_encrypt.public.udf
    assert world.counts(account) == {"MMM_Inbound": 1, "MMM_Outbound": 1, "MMM_Local": 1}


def test_binding_again_changes_nothing(world: World) -> None:
    account = world.account("alice")
    before = world.counts(account), world.engine.status("", "Master")
    assert world.ask(account.bind_request(), wire.BindResponse, account.root).status == 201
    assert (world.counts(account), world.engine.status("", "Master")) == before


def test_an_account_survives_a_restart(world: World) -> None:
    account = world.account("alice")
    caller = world.connect(account, "laptop")
    before = world.counts(account)
    world.reopen()
    assert world.counts(account) == before
    assert world.ask(wire.StatusRequest(), wire.StatusResponse, caller).status == 201


def test_what_bind_refuses(world: World) -> None:
    alice = world.account("alice")
    usurper = make_profile_user(
        derive.new_seed(derive.PROFILE_ACCOUNT, world.entropy), alice.address, "", world.clock()
    )
    elsewhere = type(alice)("alice@example.net", world.identity.profile.udf)
    other_service = type(alice)("carol@example.com", alice.profile.udf)
    dave = type(alice)("dave@example.com", world.identity.profile.udf)
    body = bytearray(dave.envelope.body)
    body[-20] ^= 1
    forged = Envelope(dave.envelope.header, bytes(body), dave.envelope.trailer)
    cases = [
        (wire.BindRequest(enveloped_profile_account=usurper), Caller(account=alice.address), 409),
        (alice.bind_request(), Caller(account="bob@example.com", key_id=alice.root.key_id), 400),
        (dave.bind_request(), Caller(account=dave.address, key_id=alice.root.key_id), 401),
        (dave.bind_request(), None, 401),
        (wire.BindRequest(account_address=dave.address), dave.root, 400),
        (replace(dave.bind_request(), enveloped_profile_account=forged), dave.root, 401),
        (elsewhere.bind_request(), elsewhere.root, 404),
        (other_service.bind_request(), other_service.root, 409),
    ]
    for request, caller, status in cases:
        answer = world.ask(request, wire.BindResponse, caller)
        assert answer.status == status, answer.status_description
    assert [account.address for account in world.engine.state.accounts()] == [alice.address]


# -- Status and Download -------------------------------------------------------------------------
def test_status_lists_what_exists_with_its_digests(world: World) -> None:
    account = world.account("alice", begin=("MMM_Access", "MMM_Device", "MMM_Network"))
    caller = world.connect(account, "laptop", ("admin",))
    answer = world.ask(wire.StatusRequest(), wire.StatusResponse, caller)
    listed = {one.container: (one.index, one.digest) for one in answer.container_status}
    assert {name: count for name, (count, _) in listed.items()} == world.counts(account)
    for name, (_, digest) in listed.items():
        assert digest == world.engine.status(account.profile.udf, name).apex
        assert len(digest) == 64
    capability = world.engine.state.by_address(account.address).access(caller.key_id)
    assert answer.enveloped_cataloged_device == capability.enveloped_cataloged_device
    known = wire.StatusRequest(cataloged_device_digest=answer.cataloged_device_digest)
    assert world.ask(known, wire.StatusResponse, caller).enveloped_cataloged_device is None
    only = wire.StatusRequest(catalogs=("MMM_Network",), spools=("MMM_Local",))
    names = {one.container for one in world.ask(only, wire.StatusResponse, caller).container_status}
    assert names == {"MMM_Network", "MMM_Local"}


def test_download_gives_the_frames_asked_for(world: World) -> None:
    account = world.account("alice", begin=("MMM_Network",))
    made = [network(f"net{number}") for number in range(4)]
    assert world.transact(account, MMM_Network=made).status == 201

    def frames(**limits: int) -> list[int]:
        select = wire.ConstraintsSelect(container="MMM_Network", **limits)
        answer = world.ask(wire.DownloadRequest(select=(select,)), wire.DownloadResponse, account.root)
        [update] = answer.updates
        return [one.header["SequenceInfo"]["Index"] for one in update.envelopes]

    assert frames() == [0, 1, 2, 3, 4]
    assert frames(index_min=3) == [3, 4]
    assert frames(index_min=1, index_max=3) == [1, 2]
    assert frames(index_min=9) == []
    absent = wire.DownloadRequest(select=(wire.ConstraintsSelect(container="MMM_Task"),))
    assert world.ask(absent, wire.DownloadResponse, account.root).status == 404


# -- Transact ------------------------------------------------------------------------------------
def test_transact_appends_to_several_stores(world: World) -> None:
    account = world.account("alice", begin=("MMM_Network", "MMM_Contact"))
    note = seal(b"{}", entropy=account.entropy, envelope_id="note")
    answer = world.transact(
        account, MMM_Network=[network("a"), network("b")], MMM_Contact=[network("c")], local=[note]
    )
    assert [(one.index_container, one.result) for one in answer.entries] == [(3, "Accept"), (2, "Accept")]
    counts = world.counts(account)
    assert (counts["MMM_Network"], counts["MMM_Contact"], counts["MMM_Local"]) == (3, 2, 2)


@pytest.mark.parametrize(
    "change",
    [{"index": 1}, {"index": 3}, {"digest": b"x" * 64}, {"index": 0, "envelopes": "first"}],
    ids=["behind", "ahead", "other history", "exists already"],
)
def test_a_conflict_refuses_the_whole_transaction(world: World, change: dict[str, Any]) -> None:
    account = world.account("alice", begin=("MMM_Network", "MMM_Contact"))
    assert world.transact(account, MMM_Network=[network("a")]).status == 201
    before = world.counts(account)
    good = world.update(account, "MMM_Contact", [network("b")])
    bad = world.update(account, "MMM_Network", [network("c")])
    if change.get("envelopes") == "first":
        change = {**change, "envelopes": (first_frame(), *bad.envelopes)}
    request = wire.TransactRequest(updates=(good, replace(bad, **change)))
    answer = world.ask(request, wire.TransactResponse, account.root)
    assert answer.status == 409
    assert [one.result for one in answer.entries] == ["Accept", "Conflict"]
    assert answer.entries[1].index_container == 2
    assert world.counts(account) == before


def test_a_store_that_does_not_exist_is_a_conflict(world: World) -> None:
    account = world.account("alice", begin=())
    update = wire.ContainerUpdate(
        container="MMM_Task", index=0, envelopes=(world.envelope(account, "MMM_Task", network("a")),)
    )
    answer = world.ask(wire.TransactRequest(updates=(update,)), wire.TransactResponse, account.root)
    assert answer.status == 409


def test_delivery_to_another_account_here(world: World) -> None:
    alice, bob = world.account("alice"), world.account("bob")
    note = alice.message(bob.address)
    request = wire.TransactRequest(outbound=(note,), accounts=("Bob@Example.com",))
    assert world.ask(request, wire.TransactResponse, alice.root).status == 201
    assert world.counts(alice)["MMM_Outbound"] == 2
    assert world.counts(bob)["MMM_Inbound"] == 2
    lost = wire.TransactRequest(outbound=(note,), accounts=(bob.address, "nobody@example.com"))
    assert world.ask(lost, wire.TransactResponse, alice.root).status == 404
    assert world.counts(bob)["MMM_Inbound"] == 2


def test_malformed_updates_are_refused_whole(world: World) -> None:
    account = world.account("alice", begin=("MMM_Network", "MMM_Access", "MMM_Publication"))
    before = world.counts(account)
    good = world.update(account, "MMM_Network", [network("a")])
    [envelope] = good.envelopes
    changed = Envelope(envelope.header, envelope.body[:-1] + b"\0", envelope.trailer)
    listed = first_frame()
    foreign = Envelope(
        {**listed.header, "SequenceInfo": {"Index": 0, "ContainerType": "List"}}, b"", listed.trailer
    )
    bodied = Envelope(listed.header, b"body", {})

    def begin(first: Envelope) -> wire.ContainerUpdate:
        return wire.ContainerUpdate(container="MMM_Task", index=0, envelopes=(first,))

    def in_access(made: Envelope) -> wire.ContainerUpdate:
        return replace(world.update(account, "MMM_Access", []), envelopes=(made,))

    hidden = seal(network("a").encode(), entropy=account.entropy, recipients=[account_key(account)])
    misnamed = seal(
        account.access(account.cataloged("x")).encode(),
        entropy=account.entropy,
        recipients=[world.identity.access_encrypt.public],
        content_meta=ContentMeta(unique_id="MAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA", event="New"),
    )
    cases = [
        (replace(good, container="MMM_Local"), 400),
        (replace(good, container="../escape"), 400),
        (replace(good, container="MMM_../escape"), 400),
        (replace(good, container=None), 400),
        (replace(good, envelopes=(changed,)), 400),
        (begin(foreign), 400),
        (begin(bodied), 400),
        (in_access(hidden), 400),
        (in_access(world.envelope(account, "MMM_Access", network("a"))), 400),
        (in_access(misnamed), 400),
    ]
    for update, status in cases:
        sound = world.update(account, "MMM_Publication", [])
        request = wire.TransactRequest(updates=(sound, update))
        answer = world.ask(request, wire.TransactResponse, account.root)
        assert answer.status == status, (update.container, answer.status_description)
    twice = wire.TransactRequest(updates=(good, good))
    assert world.ask(twice, wire.TransactResponse, account.root).status == 400
    assert world.counts(account) == before


def account_key(account: Any) -> Any:
    return derive.derive_key(account.seed, "CompleteAccountEncryptMMM_Access").public


# -- who may do what -----------------------------------------------------------------------------
@pytest.mark.parametrize("store", ["MMM_Access", "MMM_Device", "MMM_Publication"])
def test_only_an_administrator_writes_what_rules_the_account(world: World, store: str) -> None:
    account = world.account("alice")
    plain = world.connect(account, "lamp", roles=("web", "message"))
    admin = world.connect(account, "laptop", roles=("admin",))
    entries = {
        "MMM_Access": account.access(account.cataloged("intruder"), roles=("admin",)),
        "MMM_Device": account.cataloged("intruder"),
        "MMM_Publication": None,
    }
    made = [entries[store]] if entries[store] is not None else []
    refused = world.transact(account, plain, **{store: made})
    assert (refused.status, refused.status_extended) == (401, wire.NOT_ADMINISTRATOR)
    assert world.transact(account, admin, **{store: made}).status == 201


def test_any_device_writes_the_other_stores(world: World) -> None:
    account = world.account("alice", begin=("MMM_Access", "MMM_Device", "MMM_Network"))
    plain = world.connect(account, "lamp")
    assert world.transact(account, plain, MMM_Network=[network("a")]).status == 201


def test_a_revoked_device_is_shut_out_at_once(world: World) -> None:
    account = world.account("alice", begin=("MMM_Access", "MMM_Device", "MMM_Network"))
    caller = world.connect(account, "lamp", roles=("admin",))
    assert world.ask(wire.StatusRequest(), wire.StatusResponse, caller).status == 201
    assert world.transact(account, MMM_Access=[make_null_capability(caller.key_id)]).status == 201
    for _ in range(2):
        answer = world.ask(wire.StatusRequest(), wire.StatusResponse, caller)
        assert (answer.status, answer.status_extended) == (401, wire.DEVICE_REVOKED)
        assert world.transact(account, caller, MMM_Network=[network("a")]).status == 401
        world.reopen()


def test_strangers_and_wrong_keys_get_nothing(world: World) -> None:
    alice, bob = world.account("alice"), world.account("bob")
    lamp = world.connect(bob, "lamp", roles=("admin",))
    cases = [
        (None, 401),
        (Caller(account=alice.address, key_id=lamp.key_id), 401),
        (Caller(account=alice.address, key_id=bob.root.key_id), 401),
        (Caller(account=alice.address, key_id=""), 401),
        (Caller(account="nobody@example.com"), 404),
    ]
    for caller, status in cases:
        assert world.ask(wire.StatusRequest(), wire.StatusResponse, caller).status == status
    named = wire.StatusRequest(account=alice.address)
    assert world.ask(named, wire.StatusResponse, bob.root).status == 401
    assert world.ask(named, wire.StatusResponse, alice.root).status == 201


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"null", 400),
        (b"[]", 400),
        (b"{}", 400),
        (b'{"Status":null}', 400),
        (b'{"Status":[]}', 400),
        (b'{"Status":{},"Hello":{}}', 400),
        (b'{"Status":{"Catalogs":"x"}}', 400),
        (b'{"Status":{"Catalogs":[1]}}', 400),
        (b'{"Transact":{"Updates":[{"Container":"MMM_Network","Index":"1"}]}}', 400),
        (b'{"Transact":{"Updates":[{"Container":"MMM_Network","Envelopes":[[]]}]}}', 400),
        (b'{"Transact":{"Updates":[{"Container":"MMM_Network","Envelopes":[{}]}]}}', 400),
        (b'{"Transact":{"Local":[[{"ContentMetaData":7},"AA"]]}}', 400),
        (b'{"Transact":{"Local":[[{"enc":"A256CBC"},"AA"]]}}', 400),
        (b'{"Transact":{"Local":[[{"PayloadDigest":"AA"},"AA"]]}}', 400),
        (b'{"Transact":{"Local":[[{"x":"' + b"y" * 62_000 + b'"},"AA"]]}}', 400),
        (b'{"Transact":{"Local":[[{},"' + b"A" * 1_500_000 + b'"]]}}', 400),
        (b'{"Claim":{"EnvelopedMessageClaim":[{},""]}}', 401),
        (b'{"Claim":{}}', 400),
        (b'{"PollClaim":{"PublicationId":"x"}}', 404),
        (b'{"PollClaim":{"PublicationId":"x","PublicationId":"y"}}', 400),
        (b'{"Destroy":{}}', 400),
        (b'{"Hello":' + b'{"a":' * 100 + b"1" + b"}" * 101, 400),
        (b"\xff\xfe\x00", 400),
    ],
)
def test_what_is_no_request_is_answered_not_raised(world: World, data: bytes, status: int) -> None:
    account = world.account("alice", begin=("MMM_Network",))
    before = world.counts(account)
    answer = world.engine.dispatch(data, account.root)
    assert b"Traceback" not in answer
    tree: Any = jsonbcd.loads(answer)
    ((tag, members),) = tree.items()
    assert tag.endswith("Response")
    assert members["Status"] == status, members
    assert world.counts(account) == before


def test_an_account_is_found_by_the_udf_of_its_profile(world: World) -> None:
    alice = world.account("alice")
    domain = alice.address.partition("@")[2]
    by_udf = Caller(account=f"{alice.profile.udf.lower()}@{domain}", key_id=alice.root.key_id)
    assert world.ask(wire.StatusRequest(), wire.StatusResponse, by_udf).status == 201
    elsewhere = Caller(account=f"{alice.profile.udf.lower()}@elsewhere.example", key_id=alice.root.key_id)
    assert world.ask(wire.StatusRequest(), wire.StatusResponse, elsewhere).status == 404
