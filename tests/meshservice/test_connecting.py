"""A stranger's device asks to join, and fetches what the administrator left for it."""

from datetime import timedelta

import pytest

from mathmesh.dare.envelope import Envelope
from mathmesh.keys import derive, ids
from mathmesh.schema.build import make_profile_device, make_request_connection, make_respond_connection
from mathmesh.schema.validation import verify_profile_device
from mathmesh.schema.verify.connection_request import verify_acknowledge_connection
from mathmesh.service import messages as wire
from mathmesh.service.connecting import NOT_THERE_YET
from mathmesh.service.state import CONNECTIONS_A_MINUTE

from .conftest import START, Account, Source, World


class Stranger:
    """A device of nobody."""

    def __init__(self, label: str) -> None:
        self.entropy = Source(label)
        self.seed = derive.new_seed(derive.PROFILE_DEVICE, self.entropy)
        self.profile = make_profile_device(self.seed, START)

    def request(self, address: str, *, signed: bool = True) -> wire.ConnectRequest:
        made = make_request_connection(
            self.profile,
            account_address=address,
            signer=derive.derive_key(self.seed, "BaseDeviceSign"),
            entropy=self.entropy,
            now=START,
        )
        if not signed:
            made = Envelope(
                header=made.header, body=made.body, trailer={"PayloadDigest": made.merged()["PayloadDigest"]}
            )
        return wire.ConnectRequest(enveloped_request_connection=made)


@pytest.fixture
def alice(world: World) -> Account:
    return world.account("alice")


def test_a_request_is_acknowledged_and_filed(world: World, alice: Account) -> None:
    before = world.counts(alice)["MMM_Inbound"]
    request = Stranger("one").request(alice.address)
    answer = world.ask(request, wire.ConnectResponse)
    assert answer.status == 201, answer
    assert answer.enveloped_acknowledge_connection is not None
    verified = verify_acknowledge_connection(
        answer.enveloped_acknowledge_connection,
        account=alice.profile,
        service=world.identity.profile,
        now=START,
        own_request=request.enveloped_request_connection,
    )
    assert verified.witness
    assert world.counts(alice)["MMM_Inbound"] == before + 1


@pytest.mark.parametrize("what", ["unsigned", "unknown account", "nothing"])
def test_what_is_no_request_is_refused_and_not_filed(world: World, alice: Account, what: str) -> None:
    before = world.counts(alice)
    request = {
        "unsigned": Stranger("one").request(alice.address, signed=False),
        "unknown account": Stranger("one").request(f"nobody@{alice.address.partition('@')[2]}"),
        "nothing": wire.ConnectRequest(),
    }[what]
    assert world.ask(request, wire.ConnectResponse).status in (400, 401, 404)
    assert world.counts(alice) == before


def test_strangers_cannot_fill_the_spool(world: World, alice: Account) -> None:
    statuses = [
        world.ask(Stranger(f"device {number}").request(alice.address), wire.ConnectResponse).status
        for number in range(CONNECTIONS_A_MINUTE + 2)
    ]
    assert statuses == [201] * CONNECTIONS_A_MINUTE + [400, 400]
    world.clock.now += timedelta(minutes=1)
    assert world.ask(Stranger("later").request(alice.address), wire.ConnectResponse).status == 201


def test_the_answer_is_there_when_it_was_left(world: World, alice: Account) -> None:
    stranger = Stranger("one")
    request_id = ids.nonce_id(stranger.entropy)
    question = wire.CompleteRequest(account_address=alice.address, response_id=ids.response_id(request_id))
    early = world.ask(question, wire.CompleteResponse)
    assert (early.status, early.status_description) == (400, NOT_THERE_YET)
    left = make_respond_connection(
        request_id,
        "Reject",
        None,
        verify_profile_device(stranger.profile),
        sender=alice.address,
        signer=alice.signature,
        entropy=alice.entropy,
        now=START,
    )
    assert world.transact(alice, local=[left]).status == 201
    answer = world.ask(question, wire.CompleteResponse)
    assert answer.status == 201
    assert answer.enveloped_respond_connection is not None
    assert answer.enveloped_respond_connection.body == left.body
    world.reopen()
    assert world.ask(question, wire.CompleteResponse).status == 201
