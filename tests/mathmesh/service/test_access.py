"""Rights of callers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mathmesh.schema.capability import AccessCapability
from mathmesh.schema.key_data import KeyData
from mathmesh.schema.profile import ProfileUser
from mathmesh.service.access import Caller, rights_of
from mathmesh.stores import CATALOGS, SPOOLS

ALL = [name.removeprefix("MMM_") for name in (*CATALOGS, *SPOOLS)]
NOW = datetime(2031, 5, 1, 12, 0, 0, tzinfo=UTC)
PROFILE = ProfileUser(common_authentication=KeyData(udf="MROOT"))


def rights(key_id: str | None, capability: AccessCapability | None = None) -> tuple[bool, bool] | None:
    found = rights_of(Caller(account="a@b.c", key_id=key_id), PROFILE, capability, NOW)
    return (found.may_write("MMM_Access"), found.may_write("MMM_Network")) if found else None


def capability(*granted: str, active: bool | None = True, key_id: str = "MKEY") -> AccessCapability:
    return AccessCapability(id=key_id, active=active, rights=granted)


@pytest.mark.parametrize(
    ("key_id", "entry", "expected"),
    [
        (None, None, (True, True)),
        ("MROOT", None, (True, True)),
        ("MKEY", None, None),
        ("", None, None),
        ("MKEY", capability("web", "message"), (False, True)),
        ("MKEY", capability(), (False, False)),
        ("MKEY", capability("threshold"), (False, True)),
        ("MKEY", AccessCapability(id="MKEY", active=True), (False, False)),
        ("MKEY", capability("web", "admin"), (True, True)),
        ("MKEY", capability("Super"), (True, True)),
        ("MKEY", capability("administrator"), (False, False)),
        ("MKEY", capability("admin", active=False), None),
        ("MKEY", capability("admin", active=None), None),
        ("MKEY", capability("admin", key_id="MOTHER"), None),
    ],
)
def test_rights(
    key_id: str | None, entry: AccessCapability | None, expected: tuple[bool, bool] | None
) -> None:
    assert rights(key_id, entry) == expected


@pytest.mark.parametrize("store", ["MMM_Access", "MMM_Device", "MMM_Publication"])
def test_what_only_an_administrator_writes(store: str) -> None:
    found = rights_of(Caller(account="a@b.c", key_id="MKEY"), PROFILE, capability("web"), NOW)
    assert found is not None
    assert not found.may_write(store)


def test_a_profile_without_an_authentication_key_has_no_root_key() -> None:
    assert rights_of(Caller(account="a@b.c", key_id="M"), ProfileUser(), None, NOW) is None


@pytest.mark.parametrize(
    ("right", "reads", "writes"),
    [
        ("null", "", ""),
        ("device", "Network Application", "Network Application"),
        (
            "message",
            "Network Application Contact Publication Inbound Outbound",
            "Network Application Contact Inbound Outbound Local",
        ),
        (
            "web",
            "Network Application Contact Publication Inbound Outbound Credential Task Bookmark",
            "Network Application Contact Inbound Outbound Local Credential Task Bookmark",
        ),
        ("admin", " ".join(ALL), " ".join(ALL)),
    ],
)
def test_roles_reach_their_stores(right: str, reads: str, writes: str) -> None:
    found = rights_of(Caller(account="a@b.c", key_id="MKEY"), PROFILE, capability(right), NOW)
    assert found is not None
    assert {name for name in ALL if found.may_read("MMM_" + name)} == set(reads.split())
    assert {name for name in ALL if found.may_write("MMM_" + name)} == set(writes.split())


def test_rights_end() -> None:
    for seconds, expected in ((1, (False, True)), (0, None), (-1, None)):
        ending = replace(capability("web"), expires=NOW + timedelta(seconds=seconds))
        assert rights("MKEY", ending) == expected
