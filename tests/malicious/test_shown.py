"""Texts that strangers choose and people read: on a terminal, and in the words of the hub."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from mathmesh.messaging.static_qr import AlreadyClaimed
from meshhub.cli_client import Refused
from meshhub.cli_output import json_text, place, time_text, value_text
from meshhub.onboarding import adoption
from meshhub.onboarding.adoption import Adoption, OnboardingError

HOSTILE = ["\x1b]0;owned\x07", "\x1b[2J", "\x9b2J", "a\rb", "\u202eabc", "\x00"]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_control_character_reaches_the_terminal(text: str) -> None:
    refused = Refused({"error": text, "candidates": [text], "remedy": text})
    shown = [
        value_text(text, text),
        place({"name": text, "room": text}),
        *refused.format_message().splitlines(),
    ]
    assert len(shown) == 5
    assert all(line.isprintable() for line in shown)


@pytest.mark.parametrize("text", HOSTILE)
def test_json_for_scripts_holds_no_control_character(text: str) -> None:
    import json

    shown = json_text({"unit": text})
    assert not any(letter < " " or "\x7f" <= letter < "\xa0" for letter in shown)
    assert json.loads(shown) == {"unit": text}


@pytest.mark.parametrize("moment", [2**53 - 1, -(2**53), 10**17])
def test_a_time_that_no_calendar_has_is_told_as_such(moment: int) -> None:
    assert time_text(moment) == "no real time"


async def test_the_reason_that_a_device_gives_is_made_plain_and_short() -> None:
    async def said() -> tuple[str, Any]:
        return "failed", {"c": 53, "m": "\x1b[2J" + "x" * 4000}

    with pytest.raises(OnboardingError) as raised:
        await Adoption._expect(None, SimpleNamespace(next=said), "stored")  # type: ignore[arg-type]
    text = str(raised.value)
    assert text.isprintable()
    assert len(text) < 200


async def test_a_claim_lost_while_a_person_looks_ends_the_adoption(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait is longer than the provisional claim: nothing secret leaves once it is another's."""
    monkeypatch.setattr(adoption, "RENEW_SECONDS", 0.01)
    asked = 0

    async def claim(uri: str) -> None:
        nonlocal asked
        asked += 1
        if asked > 1:
            raise AlreadyClaimed("thief@example.net")

    attempt: Any = SimpleNamespace(
        _home=SimpleNamespace(account=SimpleNamespace(claim=claim)), _uri="mcu://x"
    )
    with pytest.raises(OnboardingError, match="thief@example"):
        async with Adoption._claim_kept(attempt):
            await asyncio.sleep(0.1)
    assert asked == 2
