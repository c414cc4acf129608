"""The key of an entry in its catalog."""

from typing import Any

import pytest

from mathmesh.errors import EncodingError
from mathmesh.schema import parse, primary_key


@pytest.mark.parametrize(
    ("tree", "key"),
    [
        ({"CatalogedDevice": {"DeviceUdf": "MD", "Udf": "MX"}}, "MD"),
        ({"CatalogedPublication": {"Id": "EB"}}, "EB"),
        ({"CatalogedAccess": {"Capability": {"AccessCapability": {"Id": "MA"}}}}, "MA"),
        ({"CatalogedAccess": {"Capability": {"CapabilityDecryptServiced": {"Id": "MS"}}}}, "MS"),
        ({"CatalogedNetwork": {"Service": "home"}}, ":home"),
        ({"CatalogedCredential": {"Protocol": "ftp", "Service": "example.com"}}, "ftp:example.com"),
        ({"CatalogedBookmark": {"Uid": "B"}}, "B"),
        ({"CatalogedTask": {"Key": "N"}}, "N"),
        ({"CatalogedContact": {"Key": "MC"}}, "MC"),
        ({"MessageClaim": {"MessageId": "NM"}}, "NM"),
        ({"MessagePin": {"MessageId": "AP"}}, "AP"),
        ({"ProfileUser": {"ProfileSignature": {"Udf": "MP"}}}, "MP"),
        ({"ConnectionService": {"ProfileUdf": "MP"}}, None),
        ({"ActivationAccount": {"ActivationKey": "Z"}}, None),
        ({"ActivationCommon": {"ProfileSignature": {"Udf": "MP"}}}, None),
        ({"ProfileNovel": {"ProfileSignature": "MP"}}, None),
        ({"CatalogedApplicationSsh": {"Key": "MK", "ClientKey": {"Udf": "MK"}}}, "MK"),
        ({"CatalogedGroup": {"Key": "mmm/CatalogedGroup/g@h"}}, "mmm/CatalogedGroup/g@h"),
        ({"CatalogedCallsign": {"Key": "K", "Canonical": "alice"}}, "alice"),
        ({"CatalogedMember": {"ContactAddress": "a@b"}}, "a@b"),
        ({"CatalogedPending": {"Id": "MI"}}, "MI"),
        ({"ContactPerson": {"Id": "MC"}}, None),
    ],
)
def test_primary_key(tree: dict[str, Any], key: str | None) -> None:
    assert primary_key(parse(tree)) == key


@pytest.mark.parametrize(
    "tree", [{"CatalogedDevice": {}}, {"CatalogedAccess": {}}, {"CatalogedTask": {"Key": ""}}]
)
def test_an_entry_without_its_key_is_refused(tree: dict[str, Any]) -> None:
    with pytest.raises(EncodingError):
        primary_key(parse(tree))
