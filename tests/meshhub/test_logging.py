import io
import json
import logging as standard_logging
from collections.abc import Iterator

import pytest
import structlog

from meshhub import logging

LABEL = "mcu://maker@example.com/EBAN-MGPQ-IPXP-7BQW-VVDZ-M6MS-AU"


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    root = standard_logging.getLogger()
    handlers, level = root.handlers, root.level
    stream, before = io.StringIO(), structlog.get_config()
    logging.configure("debug", stream=stream, json=True)
    yield stream
    root.handlers, root.level = handlers, level
    structlog.configure(**before)


@pytest.mark.parametrize(
    "name",
    ["psk", "psk_run", "password", "wifi_password", "secret", "pin", "code", "seed", "k", "own", "mq", "v"],
)
def test_secret_members_are_taken_out(out: io.StringIO, name: str) -> None:
    logging.get("test").info("something", **{name: "canary-7731", "nested": {name: ["canary-7731"]}})
    assert "canary-7731" not in out.getvalue()
    assert logging.REDACTED in out.getvalue()


@pytest.mark.parametrize("text", [LABEL, LABEL.split("/")[-1], "seed ZAAQ-CAKA-ECAI-CBAA-AEAQ-CAIB"])
def test_secret_texts_are_taken_out_wherever_they_are(out: io.StringIO, text: str) -> None:
    log = logging.get("test")
    log.info(text, note=f"see {text}")
    log.error("failed", error=ValueError(text))
    try:
        raise ValueError(text)
    except ValueError:
        log.exception("traceback")
    standard_logging.getLogger("some.library").warning("library says %s", text)
    assert text.split()[-1] not in out.getvalue()
    assert out.getvalue().count("\n") == 4


def test_a_public_identifier_stays(out: io.StringIO) -> None:
    logging.get("test").info("device online", device="MAKA-ZJVW-RQHG-L36U-JVQX-JVCB-IEZY", frames=b"12345")
    line = json.loads(out.getvalue())
    assert line["device"] == "MAKA-ZJVW-RQHG-L36U-JVQX-JVCB-IEZY"
    assert line["frames"] == "[5 octets]"


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_people_read_warnings_only_one_short_line_each(out: io.StringIO) -> None:
    screen = _Terminal()
    logging.configure(stream=screen)
    log = logging.get("meshhub.some.module")
    log.info("hub runs", devices=3)
    log.warning("no connection", error=ExceptionGroup("group", [OSError("refused"), ValueError(LABEL)]))
    standard_logging.getLogger("some.library").error("library fails")
    first, second = screen.getvalue().splitlines()
    assert first[8:] == f" Warning: no connection (error OSError: refused; ValueError: {logging.REDACTED})"
    assert second[8:] == " Error: library fails"


def test_elsewhere_the_log_is_json_with_what_happens_too(out: io.StringIO) -> None:
    stream = io.StringIO()
    logging.configure(stream=stream)
    logging.get("test").info("hub runs", devices=3)
    line = json.loads(stream.getvalue())
    assert (line["event"], line["level"], line["devices"]) == ("hub runs", "info", 3)


def test_a_traceback_follows_its_line_on_a_terminal(out: io.StringIO) -> None:
    screen = _Terminal()
    logging.configure(stream=screen)
    try:
        raise ValueError(LABEL)
    except ValueError:
        logging.get("test").exception("failed")
    first, *rest = screen.getvalue().splitlines()
    assert first.endswith(" Error: failed")
    assert rest[0].startswith("Traceback")
    assert LABEL not in screen.getvalue()


def test_one_device_cannot_fill_the_log(out: io.StringIO) -> None:
    log = logging.get("test")
    for number in range(500):
        log.warning("device reports an error", device="MAAA", number=number)
        standard_logging.getLogger("some.library").warning("packet %d", number)
    log.warning("device reports an error", device="MBBB")
    lines = out.getvalue().splitlines()
    assert len(lines) == 2 * logging.Limiter.BURST + 1
    assert json.loads(lines[-1])["device"] == "MBBB"


def test_what_was_left_out_of_the_log_is_counted() -> None:
    now = 0.0
    limiter = logging.Limiter(lambda: now)
    passed = [limiter.passes("MAAA") for _ in range(100)]
    assert passed == [0] * logging.Limiter.BURST + [None] * (100 - logging.Limiter.BURST)
    now += logging.Limiter.SECONDS
    event = {"event": "text", "device": "MAAA"}
    assert limiter(None, "warning", event)["left_out"] == 100 - logging.Limiter.BURST
    for number in range(5000):
        limiter.passes(f"text {number}")
    assert len(limiter._buckets) <= logging.Limiter.KEPT
