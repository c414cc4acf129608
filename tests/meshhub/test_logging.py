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
