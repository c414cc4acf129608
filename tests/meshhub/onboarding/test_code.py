"""What people type or photograph becomes one canonical URI, or an error that says what is wrong."""

import pytest

from mathmesh.errors import EncodingError
from meshhub.onboarding.code import connect_uri

CODE = "EDRL-4MZP-3OUD-OZBS-SPZN-7OSO-OM"
HOME = "maker@hub.local"


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (CODE, f"mcu://{HOME}/{CODE}"),
        (CODE.lower().replace("-", ""), f"mcu://{HOME}/{CODE}"),
        (f"  {CODE.replace('-', ' ')}\n", f"mcu://{HOME}/{CODE}"),
        ("edrl 4mzp-3oud ozbs spzn 7oso om", f"mcu://{HOME}/{CODE}"),
        (f"mcu://maker@example.com/{CODE}", f"mcu://maker@example.com/{CODE}"),
        (f"MCU://Maker@Example.com/{CODE.lower()}", f"mcu://maker@example.com/{CODE}"),
    ],
)
def test_every_spelling_gives_one_uri(typed: str, expected: str) -> None:
    assert connect_uri(typed, HOME) == expected


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "empty"),
        ("EDRL-4MZP-3OUD-OZBS-SPZN-7OSO-0M", "0 is O"),
        (CODE[:-3], "characters"),
        ("MDRL-4MZP-3OUD-OZBS-SPZN-7OSO-OM", "begins with E"),
        ("https://example.com/", "mcu://"),
        ("mcu://maker@example.com/", "cannot be read"),
        ("mcu://maker@example.com:99/" + CODE, "cannot be read"),
    ],
)
def test_what_is_no_code_is_refused_with_the_reason(typed: str, said: str) -> None:
    with pytest.raises(EncodingError, match=said) as refused:
        connect_uri(typed, HOME)
    assert CODE[5:] not in str(refused.value)
