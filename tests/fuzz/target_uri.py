"""URIs and addresses that carry a UDF."""

from collections.abc import Iterable

from mathmesh.codec import udf, uri
from mathmesh.errors import EncodingError
from meshclient import earl, qr

KEY = "EDRL-4MZP-3OUD-OZBS-SPZN-7OSO-OM"
DIGEST = "MDDK-7N6A-727A-GDGR-7G5N-ISXQ-2QEU"


def seeds() -> Iterable[bytes]:
    """One of each form."""
    yield f"mcu://maker@example.com/{KEY}".encode()
    yield f"udf:{DIGEST}".encode()
    yield f"udf://example.com/{KEY}?query#fragment".encode()
    yield uri.sin_address("alice", "example.com", DIGEST, True).encode()
    yield uri.sin_address("alice", "example.com", DIGEST, False).encode()


def one(data: bytes) -> None:
    """Parses `data` as each form; what parses is written and parsed again alike."""
    text = data.decode("utf-8", "replace")
    try:
        parts = uri.parse_mcu(text)
        assert uri.parse_mcu(uri.mcu(*parts)) == parts
    except EncodingError:
        pass
    try:
        authority, name, _, _ = uri.parse_udf_uri(text)
        again = uri.udf_locator(authority, name) if authority else uri.udf_name(name)
        assert uri.parse_udf_uri(again) == (authority, name, "", "")
    except EncodingError:
        pass
    try:
        sin = uri.parse_sin_address(text)
        assert uri.parse_sin_address(uri.sin_address(*sin)) == sin
    except EncodingError:
        pass
    try:
        authority, name = earl.parse_locator(text)
        assert udf.canonical(name) == name
    except EncodingError:
        pass
    try:
        assert qr.canonical(qr.canonical(text)) == qr.canonical(text)
    except EncodingError:
        pass
