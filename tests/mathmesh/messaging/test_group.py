"""Groups: keys for the founder, shares for members, nothing for one who left."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from mathmesh.errors import PolicyError
from mathmesh.keys import derive
from mathmesh.keys.pair import generate
from mathmesh.messaging import group as groups
from mathmesh.schema.build.profile import ACCOUNT
from mathmesh.schema.capability import NullCapability
from mathmesh.schema.verify import verify_group_invitation

SERVICE = "MAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA"


def _founded(alice: Any) -> tuple[str, Any, Any]:
    seed = derive.new_seed(derive.PROFILE_ACCOUNT, os.urandom)
    _, changes = groups.create(alice.sender, seed, "groupw@example.com", SERVICE)
    [entry] = changes.updates["MMM_Application"]
    return seed, entry, changes


def test_the_founder_has_the_keys(party: Callable[[str], Any]) -> None:
    alice = party("alice@example.com")
    seed, entry, changes = _founded(alice)
    keys = groups.keys_of(entry, alice.keyring, alice.sender.now)
    assert keys.address == "groupw@example.com"
    assert keys.encryption == derive.derive_key(seed, ACCOUNT + "Encrypt")
    assert groups.entry_of([entry], "GROUPW@example.com") is entry
    with pytest.raises(PolicyError, match="administers no group"):
        groups.entry_of([entry], "other@example.com")
    [profile] = groups.profiles_in(changes.updates["MMM_Contact"], alice.sender.now)
    assert profile.udf == keys.profile.udf


def test_a_member_gets_a_share_and_loses_the_service(party: Callable[[str], Any]) -> None:
    alice, bob = party("alice@example.com"), party("bob@example.net")
    _, entry, _ = _founded(alice)
    keys = groups.keys_of(entry, alice.keyring, alice.sender.now)
    host = generate("X448", os.urandom).public
    made, inside, invitation = groups.invite(alice.sender, keys, host, bob.sender.profile)
    assert invitation.accounts == ("bob@example.net",)
    verified = verify_group_invitation(
        invitation.outbound[0],
        sender=alice.sender.profile,
        recipient="bob@example.net",
        now=bob.sender.now,
        keyring=bob.keyring,
    )
    joined = groups.join(bob.sender, [], verified)
    [(profile, share)] = groups.shares_in(joined.updates["MMM_Contact"], bob.sender.now)
    assert profile.udf == keys.profile.udf
    assert share.key_id == made.member.service_capability_id
    assert share.share.scalar != keys.encryption.scalar
    [member] = inside.updates["MMM_Member"]
    left = groups.remove(member)  # type: ignore[arg-type]
    [ended] = left.updates["MMM_Access"]
    assert isinstance(ended.capability, NullCapability)  # type: ignore[attr-defined]
    assert ended.capability.id == share.key_id  # type: ignore[attr-defined]
    assert left.deletes == {"MMM_Member": ["bob@example.net"]}


def test_another_group_under_a_known_address_is_refused(party: Callable[[str], Any]) -> None:
    alice, bob, eve = (party(f"{name}@example.com") for name in ("alice", "bob", "eve"))
    host = generate("X448", os.urandom).public
    entries: list[Any] = []
    for founder in (alice, eve):
        _, entry, _ = _founded(founder)
        keys = groups.keys_of(entry, founder.keyring, founder.sender.now)
        _, _, invitation = groups.invite(founder.sender, keys, host, bob.sender.profile)
        verified = verify_group_invitation(
            invitation.outbound[0],
            sender=founder.sender.profile,
            recipient="bob@example.com",
            now=bob.sender.now,
            keyring=bob.keyring,
        )
        if founder is eve:
            with pytest.raises(PolicyError, match="is known as group"):
                groups.join(bob.sender, entries, verified)
        else:
            entries += groups.join(bob.sender, entries, verified).updates["MMM_Contact"]
