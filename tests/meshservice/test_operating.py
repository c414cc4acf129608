"""The service uses its shares for whom they were granted, and for nobody else."""

from dataclasses import replace

import pytest

from mathmesh.keys import derive
from mathmesh.keys.pair import generate
from mathmesh.schema.build.capability import Service, SplitKey, make_split_key
from mathmesh.service import messages as wire
from mathmesh.service.access import Caller
from mathmesh.service.operating import OPERATIONS_MOST, REFUSED
from mathmesh.service.state import OPERATIONS_A_MINUTE
from mathmesh.threshold.agreement import ShareAgreement
from mathmesh.threshold.operate import KeyAgreementOperation, KeyAgreementResult
from mathmesh.threshold.point import Point

from .conftest import START, Account, Source, World

EPHEMERAL = generate("X448", Source("ephemeral"))
POINT = Point.decode("X448", EPHEMERAL.public.octets)


@pytest.fixture
def alice(world: World) -> Account:
    return world.account("alice")


@pytest.fixture
def device(world: World, alice: Account) -> Caller:
    return world.connect(alice, "threshold device")


@pytest.fixture
def parts(world: World, alice: Account, device: Caller) -> SplitKey:
    whole = derive.derive_key(alice.seed, "CompleteAccountEncrypt")
    service = Service(
        address=alice.address,
        host_key=world.identity.access_encrypt.public,
        administrator=alice.administrator,
    )
    made = make_split_key(whole, service, entropy=alice.entropy, now=START, grantee_udf=device.key_id)
    assert world.transact(alice, MMM_Access=[made.access]).status == 201
    return made


def _ask(world: World, caller: Caller | None, address: str, *key_ids: str) -> wire.OperateResponse:
    operations = tuple(
        KeyAgreementOperation(key_id=key_id, public_key=EPHEMERAL.public).to_json() for key_id in key_ids
    )
    request = wire.OperateRequest(account_address=address, operations=operations)
    return world.ask(request, wire.OperateResponse, caller)


def test_both_shares_together_agree_as_the_whole_key(
    world: World, alice: Account, device: Caller, parts: SplitKey
) -> None:
    answer = _ask(world, device, alice.address, parts.share.key_id)
    assert answer.status == 201
    result = KeyAgreementResult.from_json(answer.results[0])
    whole = derive.derive_key(alice.seed, "CompleteAccountEncrypt")
    own = ShareAgreement(parts.share.share).partial(POINT)
    assert result.complete(own) == whole.agree(EPHEMERAL.public)
    assert result.point is not None
    assert result.point.agreement != whole.agree(EPHEMERAL.public)


def test_another_device_of_the_account_is_refused(world: World, alice: Account, parts: SplitKey) -> None:
    other = world.connect(alice, "another device")
    answer = _ask(world, other, alice.address, parts.share.key_id)
    assert KeyAgreementResult.from_json(answer.results[0]).error == REFUSED


def test_a_capability_that_was_taken_back_is_refused(
    world: World, alice: Account, device: Caller, parts: SplitKey
) -> None:
    capability = parts.access.capability
    assert capability is not None
    withdrawn = replace(parts.access, capability=replace(capability, active=False))
    assert world.transact(alice, MMM_Access=[withdrawn]).status == 201
    answer = _ask(world, device, alice.address, parts.share.key_id)
    assert KeyAgreementResult.from_json(answer.results[0]).error == REFUSED


def test_a_share_that_the_administrator_did_not_sign_is_refused(
    world: World, alice: Account, device: Caller
) -> None:
    mallory = world.account("mallory")
    whole = derive.derive_key(alice.seed, "CompleteAccountEncrypt")
    service = Service(
        address=alice.address,
        host_key=world.identity.access_encrypt.public,
        administrator=mallory.administrator,
    )
    made = make_split_key(whole, service, entropy=alice.entropy, now=START, grantee_udf=device.key_id)
    assert world.transact(alice, MMM_Access=[made.access]).status == 201
    answer = _ask(world, device, alice.address, made.share.key_id)
    assert KeyAgreementResult.from_json(answer.results[0]).error == REFUSED


def test_strangers_and_the_revoked_get_no_operation(
    world: World, alice: Account, device: Caller, parts: SplitKey
) -> None:
    assert _ask(world, None, alice.address, parts.share.key_id).status == 401
    unknown = Caller(account=alice.address, key_id="MAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA")
    assert _ask(world, unknown, alice.address, parts.share.key_id).status == 401


def test_requests_are_bounded(world: World, alice: Account, device: Caller, parts: SplitKey) -> None:
    assert _ask(world, device, alice.address).status == 400
    many = [parts.share.key_id] * (OPERATIONS_MOST + 1)
    assert _ask(world, device, alice.address, *many).status == 400
    wrong = ["MAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA"] * 60
    statuses = [
        _ask(world, device, alice.address, *wrong).status for _ in range(OPERATIONS_A_MINUTE // 60 + 1)
    ]
    assert statuses == [201] * (OPERATIONS_A_MINUTE // 60) + [400]
