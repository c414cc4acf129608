import hmac

from hypothesis import given, settings
from hypothesis import strategies as st

from mathmesh.keys import hmac256


@given(st.binary(max_size=140), st.binary(max_size=200))
@settings(max_examples=60, deadline=None)
def test_as_the_standard_library(key: bytes, message: bytes) -> None:
    expected = hmac.digest(key, message, "sha256")
    assert hmac256.digest(key, message) == expected
    ready = hmac256.Key(key)
    assert [ready.digest(message), ready.digest(b""), ready.digest(message)] == [
        expected,
        hmac.digest(key, b"", "sha256"),
        expected,
    ]
