"""A key is believed only under its own UDF."""

import pytest

from mathmesh.errors import EncodingError, VerificationError
from mathmesh.keys.pair import PrivateKey
from mathmesh.schema import KeyData, same_udf

SIGNER = PrivateKey.from_seed("Ed448", bytes(range(56)))
AGREER = PrivateKey.from_seed("X448", bytes(range(56)))


@pytest.mark.parametrize("key", [SIGNER, AGREER])
def test_keys_are_found_again(key: PrivateKey) -> None:
    public, private = KeyData.of_public(key.public), KeyData.of_private(key)
    assert public.public_key(key.crv) == key.public
    assert private.private_key(key.crv) == key
    assert public.private_parameters is None
    assert KeyData.read(private.write()) == private


def test_a_key_under_another_udf_is_refused() -> None:
    data = KeyData(udf=AGREER.public.udf, public_parameters=SIGNER.public.to_json())
    with pytest.raises(VerificationError):
        data.public_key()
    data = KeyData(udf=AGREER.public.udf, private_parameters=SIGNER.to_json())
    with pytest.raises(VerificationError):
        data.private_key()


def test_a_key_without_udf_or_of_another_curve_is_refused() -> None:
    with pytest.raises(VerificationError):
        KeyData(public_parameters=SIGNER.public.to_json()).public_key()
    with pytest.raises(VerificationError, match="X448 is expected"):
        KeyData.of_public(SIGNER.public).public_key("X448")


def test_a_missing_key_is_an_error_of_encoding() -> None:
    data = KeyData(udf=SIGNER.public.udf)
    for wanted in (data.public_key, data.private_key):
        with pytest.raises(EncodingError):
            wanted()


def test_spelling_of_a_udf_does_not_matter() -> None:
    udf = SIGNER.public.udf
    assert same_udf(udf, udf.lower().replace("-", ""))
    assert not same_udf(udf, AGREER.public.udf)
    assert not same_udf(None, None)
    assert not same_udf("", "")
