"""UDF text, and what is read from it: keys, identifiers, public keys, shares."""

from collections.abc import Iterable

from mathmesh.codec import udf
from mathmesh.errors import EncodingError, MeshError, PolicyError
from mathmesh.keys import fingerprint, symmetric
from mathmesh.threshold import recovery


def seeds() -> Iterable[bytes]:
    """Texts of every type."""
    for code in udf.TYPES:
        yield udf.text(code, bytes(range(16))).encode()
    yield fingerprint.oid_udf(fingerprint.key_info("X448", bytes(57))).encode()
    yield symmetric.key_id(b"secret").encode()
    yield b"SAQM-JPZ2-TI3G-ZC4N-HNMZ-HREO-EVNC-A SARG-DHZN-QNJQ-MD47-B7YC-ZZKF-3UMI-S"


def one(data: bytes) -> None:
    """Parses `data`; what parses is canonical after one round and keeps its octets."""
    text = data.decode("utf-8", "replace")
    try:
        code, octets = udf.parse(text)
    except EncodingError:
        _shares(text)
        return
    canonical = udf.canonical(text)
    assert udf.canonical(canonical) == canonical
    assert udf.parse(canonical) == (code, octets)
    assert udf.parse(udf.text(code, octets)) == (code, octets)
    try:
        curve, public = fingerprint.parse_oid_udf(text)
        assert fingerprint.oid_udf(fingerprint.key_info(curve, public)) == udf.text(code, octets)
    except EncodingError:
        pass
    try:
        symmetric.secret(text)
    except (EncodingError, PolicyError):
        pass


def _shares(text: str) -> None:
    try:
        found = recovery.recover(text.split()[:8])
    except MeshError:
        return
    assert found.identifier == recovery.identifier(found.udf)
    assert not found.verified
