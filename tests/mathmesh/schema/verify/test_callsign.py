"""Checks 84 to 87: names of accounts."""

from dataclasses import replace
from typing import Any

import pytest

from mathmesh.errors import VerificationError
from mathmesh.schema import (
    CallsignBinding,
    CatalogedCallsign,
    ConnectionService,
    canonical_callsign,
    primary_key,
    verify_profile_group,
)
from mathmesh.schema.build import make_cataloged_callsign
from mathmesh.schema.signed import object_in
from mathmesh.schema.verify import verify_callsign_binding, verify_cataloged_callsign


@pytest.fixture
def resign(world: Any, sign: Any, kinds: Any) -> Any:
    def spoil(signer: Any = None, **members: Any) -> Any:
        binding = object_in(kinds.callsign.enveloped_callsign_binding, CallsignBinding)
        return sign(replace(binding, **members), signer or world.key("AdminSign"))

    return spoil


def test_a_good_name_passes(world: Any, kinds: Any) -> None:
    binding = verify_cataloged_callsign(kinds.callsign, binder=world.account, now=world.now)
    assert (binding.canonical, binding.display) == ("alice", "Alice")
    assert [service.prefix for service in binding.services or ()] == ["mmm"]
    assert primary_key(kinds.callsign) == "alice"
    connection = ConnectionService(profile_udf=world.account.udf, callsign=kinds.callsign)
    assert ConnectionService.decode(connection.encode()).callsign == kinds.callsign


def test_the_user_binds_the_name_of_a_group(world: Any, kinds: Any) -> None:
    group = verify_profile_group(kinds.profile_group)
    entry = make_cataloged_callsign(
        "family@hub.local", group.udf, administrator=world.key("AdminSign"), now=world.now
    )
    found = verify_cataloged_callsign(entry, binder=world.account, named=group, now=world.now)
    assert found.profile_udf == group.udf
    with pytest.raises(VerificationError, match="is bound to account"):
        verify_cataloged_callsign(entry, binder=world.account, now=world.now)


def test_84_the_administrator_binds(world: Any, kinds: Any, resign: Any, sign: Any) -> None:
    for envelope in (
        resign(world.key("Sign")),
        resign(world.key("AdminSign", world.other_seed)),
        sign(object_in(kinds.callsign.enveloped_callsign_binding, CallsignBinding), None),
    ):
        with pytest.raises(VerificationError, match="is not signed by"):
            verify_callsign_binding(envelope, binder=world.account, now=world.now)


def test_85_the_name_is_for_this_account(world: Any, resign: Any) -> None:
    for named in (world.other.udf, None):
        with pytest.raises(VerificationError, match="is bound to account"):
            verify_callsign_binding(resign(profile_udf=named), binder=world.account, now=world.now)


@pytest.mark.parametrize(("canonical", "display"), [("Alice", "Alice"), ("bob", "Alice"), (None, "Alice")])
def test_86_the_name_is_canonical(world: Any, resign: Any, canonical: str | None, display: str) -> None:
    with pytest.raises(VerificationError, match="is not the canonical form of"):
        verify_callsign_binding(
            resign(canonical=canonical, display=display), binder=world.account, now=world.now
        )


def test_87_the_entry_is_that_of_the_binding(world: Any, kinds: Any) -> None:
    for spoiled in (
        replace(kinds.callsign, canonical="bob"),
        replace(kinds.callsign, profile_udf=world.other.udf),
        replace(kinds.callsign, enveloped_callsign_binding=None),
        CatalogedCallsign(canonical="alice"),
    ):
        with pytest.raises(VerificationError):
            verify_cataloged_callsign(spoiled, binder=world.account, now=world.now)


def test_canonical_form() -> None:
    assert canonical_callsign(" Alice@Example.com ") == "alice@example.com"
