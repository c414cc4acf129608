"""Enveloped requests: who is believed, what is refused, and what a caller believes in turn."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime, timedelta

import aiohttp
import pytest
from aiohttp import web

from mathmesh.dare.envelope import Envelope, seal
from mathmesh.errors import PolicyError, VerificationError
from mathmesh.keys import derive
from mathmesh.keys.pair import PrivateKey, generate
from mathmesh.schema.activated import activate
from mathmesh.schema.build import make_profile_device, make_profile_host
from mathmesh.schema.cataloged import CatalogedDevice, CatalogedNetwork
from mathmesh.service import messages as wire
from mathmesh.service.access import Caller
from mathmesh.service.admission import OPEN, Admission
from mathmesh.service.client import ServiceRefusal, transact
from mathmesh.service.credentials import Credentials
from mathmesh.service.enveloping import (
    MEDIA_TYPE,
    Sealed,
    ServiceKeys,
    open_response,
    seal_as_stranger,
    seal_request,
    seal_response,
    service_keys,
)
from mathmesh.service.host import HostIdentity, connect_host
from mathmesh.service.identity import ServiceIdentity
from meshclient.http_service import HttpService, checked_url
from meshservice.http import PATH, service_app

from .conftest import DOMAIN, START, Account, Source, World

SEALING = Source("sealing")


class Device:
    """A device of an account, with its keys."""

    def __init__(self, world: World, account: Account, label: str, roles: tuple[str, ...]) -> None:
        source = Source(label)
        seed = derive.new_seed(derive.PROFILE_DEVICE, source)
        activation = derive.new_seed(derive.ACTIVATION_ACCOUNT, source)
        self.keys = activate(seed, activation)
        self.entry: CatalogedDevice = account.cataloged(label, roles)
        self.access = account.access(self.entry, roles)
        assert make_profile_device(seed, START).body == (
            self.entry.enveloped_profile_device and self.entry.enveloped_profile_device.body
        )
        assert world.transact(account, MMM_Device=[self.entry], MMM_Access=[self.access]).status == 201
        self.credentials = Credentials(
            account=account.address,
            authentication=self.keys.authentication,
            signature=self.keys.signature,
            encryption=self.keys.encryption,
            connection=self.entry.enveloped_connection_device,
            service_udf=world.identity.profile.udf,
        )


def root(account: Account, *, signer: str = "AdminSign") -> Credentials:
    return Credentials(
        account=account.address,
        authentication=derive.derive_key(account.seed, "CompleteAccountAuthenticate"),
        signature=derive.derive_key(account.seed, "CompleteAccount" + signer),
        encryption=derive.derive_key(account.seed, "CompleteAccountEncrypt"),
    )


@pytest.fixture
def alice(world: World) -> Account:
    made = world.account("alice")
    world.clock.advance(1)
    return made


@pytest.fixture
def phone(world: World, alice: Account) -> Device:
    return Device(world, alice, "phone", ("web",))


def keys(world: World) -> ServiceKeys:
    hello = world.ask(wire.HelloRequest(), wire.MeshHelloResponse)
    return service_keys(hello, START, world.identity.profile.udf)


def sealed(
    world: World, credentials: Credentials, request: wire.Request, now: datetime | None = None
) -> Sealed:
    return seal_request(
        request.encode(), keys(world), credentials, entropy=SEALING, now=now or world.clock.now
    )


def ask(world: World, sent: Sealed) -> tuple[int, int | None]:
    """Status and extended status of the answer, in whatever form it comes."""
    answer = world.engine.dispatch_enveloped(sent.octets)
    octets = open_response(answer.octets, sent, keys(world)) if answer.enveloped else answer.octets
    tree = wire.jsonbcd.loads(octets)
    assert isinstance(tree, dict)
    ((_, members),) = tree.items()
    return members["Status"], members.get("StatusExtended")


def test_a_device_is_served(world: World, phone: Device) -> None:
    sent = sealed(world, phone.credentials, wire.StatusRequest())
    answer = world.engine.dispatch_enveloped(sent.octets)
    assert answer.enveloped
    status = wire.decode_response(open_response(answer.octets, sent, keys(world)), wire.StatusResponse)
    assert status.status == 201
    assert status.cataloged_device_digest is not None
    assert b"MMM_" not in sent.octets + answer.octets
    assert b"Status" not in sent.octets + answer.octets


def test_a_device_without_the_right_is_told_so_in_an_envelope(
    world: World, alice: Account, phone: Device
) -> None:
    update = world.update(alice, "MMM_Access", [])
    assert ask(world, sealed(world, phone.credentials, wire.TransactRequest(updates=(update,)))) == (
        401,
        wire.NOT_ADMINISTRATOR,
    )


def test_a_device_that_was_removed_is_refused(world: World, alice: Account, phone: Device) -> None:
    assert phone.access.capability is not None
    removed = replace(phone.access, capability=replace(phone.access.capability, active=False))
    assert world.transact(alice, MMM_Access=[removed]).status == 201
    assert ask(world, sealed(world, phone.credentials, wire.StatusRequest())) == (401, wire.DEVICE_REVOKED)


def test_an_account_is_bound_and_administered_by_its_own_keys(world: World) -> None:
    world.clock.advance(1)
    bob = Account(f"bob@{DOMAIN}", world.identity.profile.udf)
    assert ask(world, sealed(world, root(bob), bob.bind_request())) == (401, wire.REFUSED)
    world.engine.state.admission = Admission(policy=OPEN)
    assert ask(world, sealed(world, root(bob), wire.StatusRequest()))[0] == 404
    assert ask(world, sealed(world, root(bob), bob.bind_request()))[0] == 201
    assert ask(world, sealed(world, root(bob), wire.StatusRequest()))[0] == 201


def test_the_key_that_signs_messages_administers_nothing(world: World, alice: Account) -> None:
    assert ask(world, sealed(world, root(alice, signer="Sign"), wire.StatusRequest())) == (
        401,
        wire.NOT_AUTHORIZED,
    )


def test_nobody_is_bound_by_another(world: World, alice: Account) -> None:
    bob = Account(f"bob@{DOMAIN}", world.identity.profile.udf)
    mallory = replace(root(bob), signature=derive.derive_key(alice.seed, "CompleteAccountAdminSign"))
    assert ask(world, sealed(world, mallory, bob.bind_request())) == (401, wire.NOT_AUTHORIZED)
    assert world.engine.state.by_address(bob.address) is None


@pytest.mark.parametrize("seconds", [-301, 301])
def test_times_outside_the_window_are_refused(world: World, phone: Device, seconds: int) -> None:
    world.clock.advance(1000)
    now = world.clock.now + timedelta(seconds=seconds)
    assert ask(world, sealed(world, phone.credentials, wire.StatusRequest(), now)) == (401, wire.TIMEOUT)
    inside = world.clock.now + timedelta(seconds=seconds - (1 if seconds > 0 else -1))
    assert ask(world, sealed(world, phone.credentials, wire.StatusRequest(), inside))[0] == 201


def test_a_request_is_served_once(world: World, alice: Account, phone: Device) -> None:
    entry = CatalogedNetwork(protocol="wifi", service="home")
    assert world.transact(alice, MMM_Network=[], begins=True).status == 201
    sent = sealed(
        world, phone.credentials, wire.TransactRequest(updates=(world.update(alice, "MMM_Network", [entry]),))
    )
    assert ask(world, sent)[0] == 201
    before = world.counts(alice)
    assert ask(world, sent) == (401, wire.NOT_AUTHORIZED)
    world.clock.advance(299)
    assert ask(world, sent) == (401, wire.NOT_AUTHORIZED)
    world.clock.advance(2000)
    assert ask(world, sent) == (401, wire.TIMEOUT)
    assert world.counts(alice) == before


def test_what_was_sent_before_a_restart_is_not_served_after_it(world: World, phone: Device) -> None:
    sent = sealed(world, phone.credentials, wire.StatusRequest())
    world.reopen()
    assert ask(world, sent) == (401, wire.TIMEOUT)
    world.clock.advance(1)
    assert ask(world, sealed(world, phone.credentials, wire.StatusRequest()))[0] == 201


def _altered(sent: Sealed, change: Callable[[Envelope], Envelope]) -> Sealed:
    return replace(sent, octets=change(Envelope.from_bytes(sent.octets)).to_json_b())


def test_envelopes_that_do_not_hold_are_refused(world: World, alice: Account, phone: Device) -> None:
    sent = sealed(world, phone.credentials, wire.StatusRequest())
    other = Device(world, alice, "tablet", ("web",))
    resealed = sealed(world, replace(phone.credentials, signature=other.keys.signature), wire.StatusRequest())

    def unsigned(one: Envelope) -> Envelope:
        return Envelope(one.header, one.body, {**one.trailer, "signatures": []})

    def signed_by_another(one: Envelope) -> Envelope:
        own = Envelope.from_bytes(sealed(world, other.credentials, wire.StatusRequest()).octets)
        return Envelope(one.header, one.body, {**one.trailer, "signatures": own.trailer["signatures"]})

    def flipped(one: Envelope) -> Envelope:
        return Envelope(one.header, bytes([one.body[0] ^ 1]) + one.body[1:], one.trailer)

    for wrong in (resealed, *(_altered(sent, change) for change in (unsigned, signed_by_another, flipped))):
        status, extended = ask(world, wrong)
        assert (status, extended) == (401, wire.NOT_AUTHORIZED)
    assert ask(world, replace(sent, octets=b"[]"))[0] == 401
    assert ask(world, replace(sent, octets=sent.octets[:-1]))[0] == 401
    assert ask(world, sent)[0] == 201


def test_a_request_for_another_service_is_refused(world: World, phone: Device) -> None:
    other = ServiceIdentity.from_seed(
        derive.new_seed(derive.PROFILE_SERVICE, Source("other")), frozenset({DOMAIN}), START
    )
    there = replace(keys(world), profile=other.profile)
    sent = seal_request(
        wire.StatusRequest().encode(), there, phone.credentials, entropy=Source("x"), now=world.clock.now
    )
    assert ask(world, sent) == (401, wire.NOT_AUTHORIZED)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (wire.HelloRequest(), 201),
        (wire.CompleteRequest(account_address=f"alice@{DOMAIN}", response_id="MAAA-AAAA"), 400),
        (wire.StatusRequest(), 401),
        (wire.TransactRequest(), 401),
        (wire.OperateRequest(account_address=f"alice@{DOMAIN}"), 401),
    ],
)
def test_strangers_have_the_public_operations(
    world: World, alice: Account, request_: wire.Request, status: int
) -> None:
    source = Source("stranger")
    sent = seal_as_stranger(
        request_.encode(),
        keys(world),
        generate("Ed448", source),
        generate("X448", source),
        entropy=source,
        now=world.clock.now,
    )
    assert ask(world, sent)[0] == status


def test_the_account_of_another_service_has_no_store_here(world: World, alice: Account) -> None:
    """A caller from elsewhere proves its own account; an address alone would prove nothing."""
    stranger = Account("bob@example.net", "MAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA")
    source = Source("bob's phone")
    seed = derive.new_seed(derive.PROFILE_DEVICE, source)
    activation = derive.new_seed(derive.ACTIVATION_ACCOUNT, source)
    own = activate(seed, activation)
    entry = stranger.cataloged("bob's phone", ("web",))
    credentials = Credentials(
        account=stranger.address,
        authentication=own.authentication,
        signature=own.signature,
        encryption=own.encryption,
        profile=stranger.envelope,
        connection=entry.enveloped_connection_device,
    )
    operate = wire.OperateRequest(account_address=alice.address, operations=({},))
    assert ask(world, sealed(world, credentials, operate))[0] == 201
    assert ask(world, sealed(world, credentials, wire.StatusRequest()))[0] == 404
    assert ask(world, sealed(world, replace(credentials, profile=None), operate)) == (404, wire.MOVED)
    assert ask(world, sealed(world, replace(credentials, account="eve@example.net"), operate))[0] == 401
    assert ask(world, sealed(world, replace(credentials, account=alice.address), operate))[0] == 401


# -- what the caller checks ----------------------------------------------------------------------
def test_answers_are_believed_from_the_service_alone(world: World, phone: Device) -> None:
    sent = sealed(world, phone.credentials, wire.StatusRequest())
    source = Source("impostor")
    recipient = phone.keys.encryption.public

    def answer(request_id: str, signer: PrivateKey) -> bytes:
        return seal_response(b"{}", request_id, recipient, signer, entropy=source, now=START)

    assert open_response(answer(sent.request_id, world.identity.signature), sent, keys(world)) == b"{}"
    another = sealed(world, phone.credentials, wire.HelloRequest())
    with pytest.raises(VerificationError, match="another request"):
        open_response(answer(another.request_id, world.identity.signature), sent, keys(world))
    with pytest.raises(VerificationError):
        open_response(answer(sent.request_id, generate("Ed448", source)), sent, keys(world))
    unsigned = seal(b"{}", entropy=source, recipients=[recipient]).to_json_b()
    with pytest.raises(VerificationError):
        open_response(unsigned, sent, keys(world))


def test_a_host_signs_for_the_service_that_connected_it(world: World, phone: Device) -> None:
    source = Source("host")
    seed = derive.new_seed(derive.PROFILE_DEVICE, source)
    activation, connection = connect_host(
        world.identity.profile_envelope,
        make_profile_host(seed, START),
        signer=world.identity.signature,
        entropy=source,
        now=START,
    )
    host = HostIdentity.from_seed(
        seed, START, activation, connection, service=world.identity.profile, now=START
    )
    world.identity = replace(world.identity, host=host)
    world.reopen()
    world.clock.advance(1)
    hello = world.ask(wire.HelloRequest(), wire.MeshHelloResponse)
    known = service_keys(hello, START)
    assert [one.udf for one in known.signers] == [
        world.identity.signature.public.udf,
        host.signature.public.udf,
    ]
    sent = sealed(world, phone.credentials, wire.StatusRequest())
    answer = world.engine.dispatch_enveloped(sent.octets)
    assert open_response(answer.octets, sent, known)
    with pytest.raises(VerificationError):
        open_response(answer.octets, sent, replace(known, signers=known.signers[:1]))
    stranger = ServiceIdentity.from_seed(
        derive.new_seed(derive.PROFILE_SERVICE, source), frozenset({DOMAIN}), START
    )
    with pytest.raises(VerificationError):
        service_keys(replace(hello, enveloped_profile_service=stranger.profile_envelope), START)
    with pytest.raises(VerificationError):
        HostIdentity.from_seed(seed, START, activation, connection, service=stranger.profile, now=START)


# -- over sockets --------------------------------------------------------------------------------
@pytest.fixture
async def url(world: World) -> AsyncIterator[str]:
    runner = web.AppRunner(service_app(world.engine))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}{PATH}"
    await runner.cleanup()


async def test_callers_over_http(world: World, alice: Account, phone: Device, url: str) -> None:
    service = HttpService(url, entropy=Source("client"), clock=world.clock)
    service.add(phone.credentials)
    try:
        known = Caller(account=phone.credentials.account, key_id=phone.keys.authentication.public.udf)
        caller = service.as_caller(known)
        status = await transact(caller, wire.StatusRequest(), wire.StatusResponse)
        assert {one.container for one in status.container_status} == {
            "MMM_Inbound",
            "MMM_Outbound",
            "MMM_Publication",
        }
        hello = await transact(service.stranger(), wire.HelloRequest(), wire.MeshHelloResponse)
        assert hello.status == 201
        with pytest.raises(ServiceRefusal):
            await transact(service.stranger(), wire.StatusRequest(), wire.StatusResponse)
        elsewhere = replace(phone.credentials, service_udf=alice.profile.udf)
        with pytest.raises(VerificationError, match="belongs to"):
            await transact(service.caller(elsewhere), wire.StatusRequest(), wire.StatusResponse)
    finally:
        await service.close()


async def test_a_restarted_service_is_asked_anew(world: World, phone: Device, url: str) -> None:
    """The first request is of the second in which the service started, or before; the next one is not."""
    times = iter([START, START])  # the hello, and the first request

    def clock() -> datetime:
        return next(times, world.clock.now)

    service = HttpService(url, entropy=Source("client"), clock=clock)
    caller = service.caller(phone.credentials)
    try:
        assert (await transact(caller, wire.StatusRequest(), wire.StatusResponse)).status == 201
    finally:
        await service.close()


async def test_success_in_clear_is_not_believed(world: World, phone: Device) -> None:
    async def post(request: web.Request) -> web.Response:
        body = await request.read()
        if request.content_type == MEDIA_TYPE:
            return web.json_response({"StatusResponse": {"Status": 201}})
        return web.Response(body=world.engine.dispatch(body, None), content_type="application/json")

    application = web.Application()
    application.router.add_post(PATH, post)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    service = HttpService(f"http://{host}:{port}{PATH}", entropy=Source("client"), clock=world.clock)
    try:
        with pytest.raises(VerificationError, match="no envelope"):
            await transact(service.caller(phone.credentials), wire.StatusRequest(), wire.StatusResponse)
    finally:
        await service.close()
        await runner.cleanup()


async def test_an_envelope_that_is_too_large_is_not_read(url: str) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            url, data=io.BytesIO(bytes(17 * 1024 * 1024)), headers={"Content-Type": MEDIA_TYPE}
        ) as response,
    ):
        assert b'"StatusExtended":8' in await response.read()


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("https://mmm.example.com/.well-known/mmm/", True),
        ("http://127.0.0.1:15099/.well-known/mmm/", True),
        ("http://[::1]:15099/.well-known/mmm/", True),
        ("http://localhost:15099/", True),
        ("http://mmm.example.com/.well-known/mmm/", False),
        ("http://192.0.2.1/", False),
        ("http://127.0.0.1.example.com/", False),
        ("ftp://127.0.0.1/", False),
        ("https:///path", False),
    ],
)
def test_what_leaves_the_machine_goes_through_tls(text: str, good: bool) -> None:
    if good:
        assert checked_url(text) == text
        return
    with pytest.raises(PolicyError):
        checked_url(text)
