"""Objects of the schema, as received: what is read is written and read again alike."""

from collections.abc import Iterable
from decimal import Decimal
from math import isinf

from mathmesh.codec import jsonbcd
from mathmesh.dare.envelope import seal
from mathmesh.errors import EncodingError, MeshError
from mathmesh.keys.pair import generate
from mathmesh.schema import parse
from mathmesh.schema.application import CatalogedApplicationSsh
from mathmesh.schema.capability import AccessCapability
from mathmesh.schema.cataloged import CatalogedAccess, CatalogedCredential, CatalogedDevice, HubExtension
from mathmesh.schema.key_data import KeyData, keys_within
from mathmesh.schema.mesh_object import GenericObject, MeshObject
from mathmesh.schema.primary_key import primary_key
from mathmesh.threshold import split
from mathmesh.threshold.key_share import KeyShare


def _entropy(count: int) -> bytes:
    return (b"fuzz" * count)[:count]


def seeds() -> Iterable[bytes]:
    """Entries with keys, envelopes, tagged members, times and unknown members; names of the older edition."""
    key = generate("X448", _entropy)
    envelope = seal(b"{}", entropy=_entropy, recipients=[key.public])
    items = [
        CatalogedApplicationSsh(key=key.public.udf, grant=("web",), client_key=KeyData.of_public(key.public)),
        CatalogedDevice(
            device_udf=key.public.udf,
            enveloped_profile_user=envelope,
            application_entries=(CatalogedApplicationSsh(key="k"),),
            mesh_hub=HubExtension(room="kitchen", description={"d": 1}),
        ),
        CatalogedAccess(capability=AccessCapability(id="id", active=True)),
        CatalogedCredential(service="ftp.example.com", username="alice", unknown={"New": [1, {"a": None}]}),
        KeyData.of_private(key),
        KeyData.of_share(KeyShare(public_primary=key.public, share=split.direct(key, 2, _entropy)[0])),
        GenericObject(type_name="Unknown", unknown={"A": 1}),
    ]
    for item in items:
        yield item.encode()
        yield item.encode_json_b()
    yield b'{"ActivationAccount":{"AccountEncryption":{"Udf":"M"},"Created":"2021-01-01T00:00:00Z"}}'
    yield b'{"Task":{"Title":"line\nfeed"}}'


def one(data: bytes) -> None:
    """Reads `data` as an object, strictly and tolerantly."""
    for tolerant in (False, True):
        try:
            item = parse(data, tolerant=tolerant)
        except MeshError:
            continue
        _check_text(item)
        binary = parse(item.encode_json_b()).encode_json_b()
        assert parse(binary).encode_json_b() == binary
        try:
            key = primary_key(item)
            assert key is None or isinstance(key, str)
        except EncodingError:
            pass
        for found in keys_within(item):
            for read in (found.public_key, found.private_key, found.key_share):
                try:
                    read()
                except MeshError:
                    pass


def _check_text(item: MeshObject) -> None:
    tree = item.to_json()
    try:
        text = _as_text(tree)
    except OverflowError:
        return
    assert jsonbcd.loads(item.encode()) == text
    if text == tree:
        assert parse(item.encode()).encode() == item.encode()


def _as_text(value: object) -> object:
    """The value that is read from JSON text, which has other numbers in place of decimals.

    Raises OverflowError for a decimal that is too large for them.
    """
    if isinstance(value, dict):
        return {name: _as_text(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_as_text(one) for one in value]
    if not isinstance(value, Decimal):
        return value
    if value.as_tuple().exponent == 0:
        return int(value)
    if isinf(float(value)):
        raise OverflowError(value)
    return float(value)
