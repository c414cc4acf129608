"""The fold of a catalog: what adds up, what is hidden in clear headers, and what is passed over."""

from __future__ import annotations

import pytest

from mathmesh.codec import udf
from mathmesh.dare.content_meta import ContentMeta
from mathmesh.errors import EncodingError, VerificationError
from mathmesh.keys import derive
from mathmesh.schema.cataloged import CatalogedNetwork, CatalogedPublication
from mathmesh.schema.message import MessageComplete
from mathmesh.stores import folder_name, is_store_name
from mathmesh.stores.catalog import Catalog, name_secret, read_entry, unique_id

SEED = udf.text(udf.SEED, b"\x01\x02" + bytes(range(32)))
SECRET = name_secret(derive.derive_key(SEED, "CompleteAccountEncryptMMM_Network"))
PUBLICATION = "EBQB-KJVT-BYND-4GE2-U65R-FZFH-4C7O"


def network(name: str, phrase: str = "x") -> CatalogedNetwork:
    return CatalogedNetwork(protocol="wifi", service=name, password=phrase)


def write(catalog: Catalog, index: int, entry: CatalogedNetwork) -> ContentMeta:
    meta = catalog.meta_of_write(f"wifi:{entry.service}")
    catalog.apply(index, meta, entry.encode())
    return meta


def test_new_update_delete_add_up() -> None:
    catalog = Catalog(SECRET)
    first = write(catalog, 1, network("home"))
    write(catalog, 2, network("guest"))
    second = write(catalog, 3, network("home", "y"))
    assert (first.event, first.first, first.previous) == ("New", None, None)
    assert (second.event, second.first, second.previous) == ("Update", 1, 1)
    assert list(catalog.entries()) == ["wifi:home", "wifi:guest"]
    assert catalog.get("wifi:home") == network("home", "y")
    third = catalog.meta_of_delete("wifi:home")
    assert third is not None
    assert (third.event, third.first, third.previous) == ("Delete", 1, 3)
    catalog.apply(4, third, b"")
    assert list(catalog.entries()) == ["wifi:guest"]
    assert catalog.get("wifi:home") is None
    assert catalog.meta_of_delete("wifi:home") is None
    assert write(catalog, 5, network("home")).event == "New"
    assert list(catalog.entries()) == ["wifi:guest", "wifi:home"]
    assert not catalog.refused


def test_private_keys_do_not_show_in_the_header() -> None:
    meta = Catalog(SECRET).meta_of_write("wifi:canary")
    assert "canary" not in str(meta.to_json())
    assert meta.unique_id == unique_id("wifi:canary", SECRET)
    assert meta.unique_id != unique_id("wifi:canarz", SECRET)
    other = name_secret(derive.derive_key(SEED, "CompleteAccountEncryptMMM_Contact"))
    assert meta.unique_id != unique_id("wifi:canary", other)
    assert udf.canonical(meta.unique_id or "") == meta.unique_id


def test_keys_that_are_udfs_are_written_as_they_are() -> None:
    assert Catalog(SECRET).meta_of_write(PUBLICATION).unique_id == PUBLICATION
    entry = CatalogedPublication(id=PUBLICATION)
    catalog = Catalog()
    catalog.apply(1, ContentMeta(unique_id=PUBLICATION, event="New"), entry.encode())
    assert catalog.get(PUBLICATION) == entry


@pytest.mark.parametrize("stated", ["wifi:home", None])
def test_other_writers_may_name_the_key_in_clear_or_not_at_all(stated: str | None) -> None:
    catalog = Catalog(SECRET)
    catalog.apply(1, ContentMeta(unique_id=stated, event="New"), network("home").encode())
    assert catalog.get("wifi:home") == network("home")
    assert catalog.meta_of_write("wifi:home").event == "Update"


@pytest.mark.parametrize(
    ("meta", "body", "error"),
    [
        (ContentMeta(unique_id="wifi:other", event="New"), network("home").encode(), VerificationError),
        (ContentMeta(unique_id=PUBLICATION, event="Update"), network("home").encode(), VerificationError),
        (ContentMeta(event="New"), b"{", EncodingError),
        (ContentMeta(event="New"), b"{}", EncodingError),
        (ContentMeta(event="New"), MessageComplete().encode(), EncodingError),
        (ContentMeta(event="New"), CatalogedPublication().encode(), EncodingError),
    ],
)
def test_a_bad_frame_is_noted_and_changes_nothing(
    meta: ContentMeta, body: bytes, error: type[Exception]
) -> None:
    with pytest.raises(error):
        read_entry(meta, body, SECRET)
    catalog = Catalog(SECRET)
    write(catalog, 1, network("home"))
    catalog.apply(2, meta, body)
    catalog.apply(3, ContentMeta(event="Delete"), b"")
    assert [index for index, _ in catalog.refused] == [2, 3]
    assert dict(catalog.entries()) == {"wifi:home": network("home")}


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("MMM_Device", True),
        ("MMM_Telemetry_MBUCNPU3", True),
        ("MMM_", False),
        ("Master", False),
        ("MMM_../x", False),
        ("MMM_a b", False),
        ("MMM_" + "x" * 61, False),
        ("", False),
    ],
)
def test_names_of_stores_are_safe_names_of_files(name: str, good: bool) -> None:
    assert is_store_name(name) is good


def test_the_folder_of_an_account() -> None:
    assert folder_name("MBUC-NPU3-JK3Z-2KGA") == "MBUCNPU3"
