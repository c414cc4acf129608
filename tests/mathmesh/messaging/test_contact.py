"""Contacts: taken in once, answered under the PIN that was offered, never under another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from mathmesh.errors import MeshError, PolicyError
from mathmesh.messaging import contact as contacts
from mathmesh.schema.build.profile import make_profile_user
from mathmesh.schema.cataloged import CatalogedContact
from mathmesh.schema.message_connection import CONTACT
from mathmesh.schema.validation import verify_profile_user
from mathmesh.schema.verify import verify_message_contact, verify_message_pin

NOW_STATE = "Open"


def _entries(*made: Any) -> list[Any]:
    return [entry for changes in made for entry in changes.updates["MMM_Contact"]]


def test_an_exchange_by_message(party: Callable[[str], Any]) -> None:
    alice, bob = party("alice@example.com"), party("bob@example.net")
    own = contacts.own_contact(bob.sender)
    message, sent = contacts.request(bob.sender, own, "alice@example.com", None)
    [stored] = sent.local
    received = verify_message_contact(message, recipient="alice@example.com", now=alice.sender.now)
    assert not received.pin_proven
    taken = contacts.accept(alice.sender, contacts.own_contact(alice.sender), [], received)
    assert taken.accounts == ("bob@example.net",)
    [answer] = taken.outbound
    pin = verify_message_pin(
        stored,
        account=bob.sender.profile,
        action=CONTACT,
        state=NOW_STATE,
        now=bob.sender.now,
        keyring=bob.keyring,
    )
    returned = verify_message_contact(
        answer, recipient="bob@example.net", now=bob.sender.now, keyring=bob.keyring, pin=pin
    )
    assert returned.pin_proven
    done = contacts.accept(bob.sender, own, [], returned)
    assert not done.outbound
    found = contacts.account_at(_entries(done), "ALICE@example.com", bob.sender.now)
    assert found is not None
    assert found.udf == alice.sender.profile.udf


def test_another_pin_proves_nothing(party: Callable[[str], Any]) -> None:
    alice, bob = party("alice@example.com"), party("bob@example.net")
    own = contacts.own_contact(bob.sender)
    _, first = contacts.request(bob.sender, own, "alice@example.com", None)
    message, _ = contacts.request(bob.sender, own, "alice@example.com", None)
    received = verify_message_contact(message, recipient="alice@example.com", now=alice.sender.now)
    taken = contacts.accept(alice.sender, contacts.own_contact(alice.sender), [], received)
    other = verify_message_pin(
        first.local[0],
        account=bob.sender.profile,
        action=CONTACT,
        state=NOW_STATE,
        now=bob.sender.now,
        keyring=bob.keyring,
    )
    with pytest.raises(MeshError, match="another PIN"):
        verify_message_contact(
            taken.outbound[0],
            recipient="bob@example.net",
            now=bob.sender.now,
            keyring=bob.keyring,
            pin=other,
        )


def test_a_contact_is_taken_in_once(party: Callable[[str], Any]) -> None:
    alice, bob = party("alice@example.com"), party("bob@example.net")
    own = contacts.own_contact(bob.sender)
    first = contacts.entry_for([], own, alice.sender)
    again = contacts.entry_for([replace(first, local_name="Bobby")], own, alice.sender)
    assert (again.key, again.local_name) == (first.key, "Bobby")


def test_an_altered_entry_counts_for_nothing(party: Callable[[str], Any]) -> None:
    alice, bob, eve = (party(f"{name}@example.com") for name in ("alice", "bob", "eve"))
    entry = contacts.entry_for([], contacts.own_contact(bob.sender), alice.sender)
    theirs = contacts.entry_for([], contacts.own_contact(eve.sender), alice.sender)
    assert entry.contact is not None
    assert theirs.contact is not None
    forged = replace(
        entry,
        contact=replace(entry.contact, network_addresses=theirs.contact.network_addresses),  # type: ignore[call-arg]
    )
    assert contacts.account_at([forged], "eve@example.com", alice.sender.now) is None


def test_the_code_of_a_label_is_refused(party: Callable[[str], Any]) -> None:
    alice = party("alice@example.com")
    with pytest.raises(PolicyError, match="not the code of a contact"):
        next(contacts.fetch(alice.sender, "mcu://maker@example.com/EDRL-4MZP-3OUD-OZBS-SPZN-7OSO-OM"))


def test_a_published_contact_ends(party: Callable[[str], Any]) -> None:
    alice = party("alice@example.com")
    end = alice.sender.now + timedelta(hours=1)
    code, changes = contacts.publish(alice.sender, contacts.own_contact(alice.sender), expires=end)
    [publication] = changes.updates["MMM_Publication"]
    assert publication.not_on_or_after == end  # type: ignore[attr-defined]
    assert contacts.account_of_code(code) == "alice@example.com"
    assert isinstance(contacts.self_entry(alice.sender), CatalogedContact)


def test_another_account_under_a_known_address_is_refused(party: Callable[[str], Any]) -> None:
    alice, bob, thief = party("alice@example.com"), party("bob@example.net"), party("BOB@example.net")
    known = [contacts.entry_for([], contacts.own_contact(bob.sender), alice.sender)]
    with pytest.raises(PolicyError, match="is known as account"):
        contacts.entry_for(known, contacts.own_contact(thief.sender), alice.sender)


def test_an_older_profile_takes_no_place(party: Callable[[str], Any]) -> None:
    alice, bob = party("alice@example.com"), party("bob@example.net")
    later = bob.sender.now + timedelta(days=1)
    envelope = make_profile_user(bob.seed, "bob@example.org", bob.sender.profile.service_udf, later)
    moved = replace(bob.sender, profile=verify_profile_user(envelope), profile_envelope=envelope)
    first = contacts.entry_for([], contacts.own_contact(bob.sender), alice.sender)
    newer = contacts.entry_for([first], contacts.own_contact(moved), alice.sender)
    assert newer.key == first.key
    found = contacts.account_at([newer], "bob@example.org", later)
    assert found is not None
    with pytest.raises(PolicyError, match="older than the known one"):
        contacts.entry_for([newer], contacts.own_contact(bob.sender), alice.sender)
