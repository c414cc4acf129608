import pytest

from mathmesh.codec import udf, uri
from mathmesh.errors import EncodingError

KEY = "EDRL-4MZP-3OUD-OZBS-SPZN-7OSO-OM"
DIGEST = "MB5S-R4AJ-3FBT-7NHO-T26Z-2E6Y-WFH4"
CONNECT = f"mcu://maker@example.com/{KEY}"


@pytest.mark.parametrize(
    "text",
    [CONNECT, f"MCU://Maker@Example.COM/{KEY.lower()}", f" {CONNECT}\n", CONNECT.replace("-", "")],
)
def test_connect_uri_in_any_spelling(text: str) -> None:
    assert uri.parse_mcu(text) == ("maker@example.com", KEY)
    assert uri.mcu(*uri.parse_mcu(text)) == CONNECT


@pytest.mark.parametrize(
    "text",
    [
        f"http://maker@example.com/{KEY}",
        f"mcu:maker@example.com/{KEY}",
        "mcu://maker@example.com",
        "mcu://maker@example.com/",
        f"mcu://example.com/{KEY}",
        f"mcu://@example.com/{KEY}",
        f"mcu://maker@/{KEY}",
        f"mcu://maker@example.com:8080/{KEY}",
        f"mcu://maker:word@example.com/{KEY}",
        f"mcu://maker@a@b.com/{KEY}",
        f"mcu://maker@exa mple.com/{KEY}",
        f"mcu://maker@example..com/{KEY}",
        f"mcu://maker@-example.com/{KEY}",
        f"mcu://maker@exämple.com/{KEY}",
        f"mcu://ma\x00ker@example.com/{KEY}",
        f"{CONNECT}/more",
        f"{CONNECT}?query",
        f"{CONNECT}#fragment",
        f"mcu://maker@example.com/{DIGEST}",
        "mcu://maker@example.com/EBQB-KJVT-BYND-4GE2-U65R-FZFH-4C7O",
        f"mcu://{'a' * 250}@example.com/{KEY}",
    ],
)
def test_malformed_connect_uri_is_refused(text: str) -> None:
    with pytest.raises(EncodingError):
        uri.parse_mcu(text)


@pytest.mark.parametrize("code", [udf.MAC, udf.MAC_SHA3, udf.ENCRYPTION, udf.ENCRYPTION_SIGNATURE])
def test_connect_uri_takes_keys_and_pins(code: int) -> None:
    key = udf.text(code, bytes(15))
    assert uri.parse_mcu(uri.mcu("alice@example.com", key)) == ("alice@example.com", key)


def test_names_and_locators() -> None:
    assert uri.udf_name(DIGEST) == f"udf:{DIGEST}"
    assert uri.udf_locator("Example.com", DIGEST) == f"udf://example.com/{DIGEST}"
    located = uri.parse_udf_uri(f"UDF://Example.com/{DIGEST.lower()}?a=1#part")
    assert located == ("example.com", DIGEST, "a=1", "part")


@pytest.mark.parametrize("text", [f"udg:{DIGEST}", f"udf://ex ample/{DIGEST}", f"udf://u@h/{DIGEST}", "udf:"])
def test_malformed_udf_uri_is_refused(text: str) -> None:
    with pytest.raises(EncodingError):
        uri.parse_udf_uri(text)


@pytest.mark.parametrize("compatible", [True, False])
def test_strong_internet_names(compatible: bool) -> None:
    address = uri.sin_address("alice", "example.com", DIGEST, compatible)
    assert uri.parse_sin_address(address) == ("alice", "example.com", DIGEST, compatible)


def test_strong_internet_names_need_a_digest_that_fits() -> None:
    long = udf.present(bytes([udf.DIGEST]) + bytes(64), 300)
    for name in (KEY, long):
        with pytest.raises(EncodingError):
            uri.sin_address("alice", "example.com", name, True)
    with pytest.raises(EncodingError):
        uri.parse_sin_address("alice@example.com")
