"""Names of 2021 become those of 2022, and only where they meant the same."""

from typing import Any

import pytest

from mathmesh.errors import EncodingError
from mathmesh.schema import editions, parse

ENVELOPE = [{}, "AA"]
KEY = {"Udf": "M"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            {"ProfileDevice": {"BaseEncryption": KEY, "BaseSignature": KEY, "BaseAuthentication": KEY}},
            {"ProfileDevice": {"Encryption": KEY, "Signature": KEY, "Authentication": KEY}},
        ),
        (
            {
                "ProfileUser": {
                    "AccountEncryption": KEY,
                    "AccountAuthentication": KEY,
                    "AccountSignature": KEY,
                }
            },
            {"ProfileUser": {"CommonEncryption": KEY, "CommonAuthentication": KEY, "CommonSignature": KEY}},
        ),
        (
            {"ActivationDevice": {"ActivationKey": "Z", "AccountUdf": "M"}},
            {"ActivationAccount": {"ActivationKey": "Z", "AccountUdf": "M"}},
        ),
        (
            {"ActivationAccount": {"AccountEncryption": KEY}},
            {"ActivationCommon": {"Encryption": KEY}},
        ),
        (
            {"ActivationAccount": {"ActivationKey": "Z", "Entries": []}},
            {"ActivationAccount": {"ActivationKey": "Z", "Entries": []}},
        ),
        (
            {"ConnectionDevice": {"SubjectUdf": "M", "DeviceSignature": KEY, "DeviceEncryption": KEY}},
            {"ConnectionDevice": {"Subject": "M", "Signature": KEY, "Encryption": KEY}},
        ),
        (
            {
                "CatalogedDevice": {
                    "EnvelopedConnectionUser": ENVELOPE,
                    "EnvelopedActivationDevice": [{"a": 1}, "AA"],
                    "EnvelopedActivationAccount": [{"b": 1}, "AA"],
                }
            },
            {
                "CatalogedDevice": {
                    "EnvelopedConnectionDevice": ENVELOPE,
                    "EnvelopedActivationAccount": [{"a": 1}, "AA"],
                    "EnvelopedActivationCommon": [{"b": 1}, "AA"],
                }
            },
        ),
        (
            {"CatalogedDevice": {"EnvelopedActivationAccount": ENVELOPE}},
            {"CatalogedDevice": {"EnvelopedActivationAccount": ENVELOPE}},
        ),
        (
            {"DevicePreconfiguration": {"ConnectUri": "u"}},
            {"DevicePreconfigurationPrivate": {"ConnectUri": "u"}},
        ),
        (
            {"ProfileHost": {"KeyEncryption": KEY, "KeyAuthentication": KEY}},
            {"ProfileHost": {"Encryption": KEY, "Authentication": KEY}},
        ),
        (
            {"ConnectionHost": {"SubjectUdf": "M", "AuthorityUdf": "MS"}},
            {"ConnectionHost": {"Subject": "M", "Authority": "MS"}},
        ),
        (
            {"CatalogedGroup": {"EnvelopedActivationAccount": ENVELOPE}},
            {"CatalogedGroup": {"EnvelopedActivationCommon": ENVELOPE}},
        ),
        ({"Task": {"Key": "N"}}, {"Engagement": {"Key": "N"}}),
        ({"CatalogedApplicationSSH": {"Key": "N"}}, {"CatalogedApplicationSsh": {"Key": "N"}}),
    ],
)
def test_old_names_are_read_and_new_ones_written(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert parse(old).to_json() == new
    assert parse(new).to_json() == new


def test_an_old_name_elsewhere_is_an_unknown_member() -> None:
    tree = {"CatalogedNetwork": {"BaseEncryption": KEY}}
    assert parse(tree).to_json() == tree


@pytest.mark.parametrize("order", [1, -1])
def test_both_names_at_once_are_refused(order: int) -> None:
    both = dict([("BaseEncryption", KEY), ("Encryption", {"Udf": "MX"})][::order])
    with pytest.raises(EncodingError, match="under two names"):
        parse({"ProfileDevice": both})


def test_no_alias_leads_to_another_alias() -> None:
    for table in (editions.TAGS, *editions.MEMBERS.values()):
        assert table.keys().isdisjoint(table.values())
