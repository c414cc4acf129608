"""Whatever arrives, the service answers, stores nothing by accident, and goes on."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mathmesh.codec import jsonbcd
from mathmesh.schema.cataloged import CatalogedNetwork
from mathmesh.service import messages as wire
from mathmesh.service.access import Caller

World = Any  # the fixture's class lives in conftest

SCALARS = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=12) | st.just("AAAA")
NAMES = (
    "Container Index Digest Envelopes EnvelopeId enc recipients SequenceInfo PayloadDigest signatures kid "
    "ContentMetaData MessageClaim x"
).split()
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)
MEMBERS = st.sampled_from(
    (
        "Updates Local Inbound Outbound Accounts Select Catalogs Account EnvelopedMessageClaim "
        "EnvelopedProfileAccount PublicationId TargetAccountAddress"
    ).split()
)
SETTINGS = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@SETTINGS
@given(
    operation=st.sampled_from(sorted(set(wire.OPERATIONS) - {"UnbindAccount"})),
    members=st.dictionaries(MEMBERS, VALUES, max_size=3),
)
def test_any_members_are_answered(world: World, operation: str, members: dict[str, Any]) -> None:
    account = world.engine.state.by_address("alice@example.com") or world.account("alice").profile
    caller = Caller(account="alice@example.com")
    answer: Any = jsonbcd.loads(world.engine.dispatch(jsonbcd.dumps({operation: members}), caller))
    ((tag, content),) = answer.items()
    assert tag in (wire.response_type(operation).TAG, "MeshResponse")
    assert content["Status"] in (201, 400, 401, 404, 409)
    assert world.engine.status(account.udf, "MMM_Access").count == 1


@SETTINGS
@given(position=st.integers(0, 10**6), octet=st.integers(0, 255))
def test_a_changed_octet_is_answered(world: World, position: int, octet: int) -> None:
    if world.engine.state.by_address("alice@example.com") is None:
        world.alice = world.account("alice", begin=("MMM_Network",))
    update = world.update(world.alice, "MMM_Network", [CatalogedNetwork(protocol="wifi", service="x")])
    data = bytearray(wire.TransactRequest(updates=(update,)).encode())
    data[position % len(data)] = octet
    answer: Any = jsonbcd.loads(world.engine.dispatch(bytes(data), world.alice.root))
    ((_, content),) = answer.items()
    assert content["Status"] in (201, 400, 401, 404, 409)
    status = world.engine.status(world.alice.profile.udf, "MMM_Network")
    assert status.count - update.index in ((0, 1) if content["Status"] == 201 else (0,))
