"""The protocol book says what the code does: its examples, tables and lists are compared with it."""

import re
from pathlib import Path

import pytest

from meshlink import agreement, description, kinds, messages, record, session

CHECKOUT = Path(__file__).parents[2]
BOOK = (CHECKOUT / "docs" / "protocol-book.md").read_text(encoding="utf-8")
ORDER = str((1 << 446) - agreement.ORDER_448)
TRACE = (CHECKOUT / "tests" / "vectors" / "link" / "trace.json").read_text(encoding="utf-8")


def chapter(title: str) -> str:
    start = BOOK.index(f"\n## {title}")
    end = BOOK.find("\n## ", start + 1)
    return BOOK[start:] if end < 0 else BOOK[start:end]


def rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if not set("".join(row)) <= set("-")]


def test_every_octet_of_the_examples_is_in_the_vectors() -> None:
    found = re.findall(r"\b[0-9a-f]{16,}\b", BOOK)
    assert len(found) > 25
    missing = [text for text in found if text not in TRACE and text != ORDER and set(text) != {"0"}]
    assert not missing


def test_the_example_record_is_whole() -> None:
    example = chapter("4 ")[chapter("4 ").index("004d 1d") :]
    octets = "".join(re.findall(r"[0-9a-f]+", example[: example.index("opens")]))
    assert octets.startswith("004d")
    assert f'"{octets[4:]}"' in TRACE


def test_errors() -> None:
    listed = {}
    for row in rows(chapter("8 "))[1:]:
        listed |= {int(code): text for code, text in ((row[0], row[1]), (row[2], row[3])) if code}
    assert listed.keys() == messages.ERRORS.keys()


def test_messages() -> None:
    listed: dict[str, set[str]] = {}
    for row in rows(chapter("7 "))[1:]:
        names = re.sub(r"\(.*?\)|\*.*?\*", "", row[2])
        while "[" in names:
            names = re.sub(r"\[[^\[\]]*\]", "", names)
        members = {name.split()[0] for name in names.split(",") if name.strip()}
        listed.setdefault(row[0], set()).update(members)
    listed["time"] -= {"asks"}
    tables = {t: {name for name, _ in members} for t, members in messages._MEMBERS.items()}
    tables["time"] = {name for name, _ in messages._OPTIONAL["time"]}
    assert listed == tables


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_kinds(kind: str) -> None:
    row = next(row for row in rows(chapter("9 ")) if kind in row[0].split(", "))
    for name in kinds.KINDS[kind]:
        assert re.search(rf"\b{name}\b", row[1])


def test_constants() -> None:
    for number in (
        record.MAXIMUM_RECORD,
        record.MAXIMUM_PLAINTEXT,
        session.LAST_COUNTER,
        session.RENEW_COUNTER,
    ):
        assert str(number) in chapter("4 ")
    assert ORDER in BOOK
    for kind, name in ((0x11, "Init onboard"), (0x12, "Init run"), (0x13, "Init repair"), (0x1D, "Data")):
        assert f"| {kind:02X} | {name} |" in BOOK


def test_the_limits_that_the_book_names_are_those_of_the_code() -> None:
    assert "from 0 to 2^53 − 1" in chapter("7 ")
    assert messages.is_ring_entry([1, 1, (1 << 53) - 1, None])
    assert not messages.is_ring_entry([1, 1, 1 << 53, None])
    assert "two finite numbers of which the first is not the greater" in chapter("9 ")
    assert "U+0000 to U+001F, U+007F to U+009F" in chapter("9 ")
    for text, allowed in [("0:0", True), ("1:0", False), ("0:1e999", False), ("nan:1", False)]:
        assert _is_taken(["f", "r", text]) is allowed
    for number in range(0x180):
        control = number < 0x20 or 0x7F <= number < 0xA0
        assert _is_taken(["f", "r", "", chr(number)]) is not control


def _is_taken(prop: list[str]) -> bool:
    nodes = {"air": {"k": "sensor", "p": {"temperature": prop}}}
    try:
        description.check({"d": 1, "v": 1, "m": "maker/box", "n": nodes})
    except messages.LinkError:
        return False
    return True
