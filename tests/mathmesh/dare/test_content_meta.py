"""ContentMeta reads and writes all its members and keeps those it does not know."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from mathmesh.dare.content_meta import DELETE, ContentMeta, format_time, parse_time
from mathmesh.errors import EncodingError

MOMENT = datetime(2022, 5, 3, 16, 47, 9, tzinfo=UTC)
FULL = {
    "UniqueId": "MC3S",
    "Labels": ["a", "b"],
    "KeyValues": [{"Key": "k", "Value": "v"}],
    "MessageType": "ProfileUser",
    "cty": "application/mmm/object",
    "Paths": ["x/y"],
    "Filename": "z",
    "Event": "Delete",
    "Created": "2022-05-03T16:47:09Z",
    "Modified": "2022-05-03T16:47:09Z",
    "Expire": "2022-05-03T16:47:09Z",
    "First": 1,
    "Previous": 2,
    "FileEntry": {"Path": "p"},
}


def test_every_member_survives() -> None:
    meta = ContentMeta.from_json(FULL)
    assert meta.event == DELETE
    assert meta.created == MOMENT
    assert meta.unknown == {"FileEntry": {"Path": "p"}}
    assert meta.to_json() == FULL
    assert ContentMeta.decode(meta.encode()) == meta


def test_empty() -> None:
    assert ContentMeta().encode() == b"{}"
    assert ContentMeta.from_json({"UniqueId": None}) == ContentMeta()


@pytest.mark.parametrize(
    "text", ["2022-05-03T16:47:09Z", "2022-05-03T16:47:09.000Z", "2022-05-03T18:47:09+02:00"]
)
def test_dates_are_read_in_any_form(text: str) -> None:
    assert parse_time(text) == MOMENT


def test_dates_are_written_in_utc_to_the_second() -> None:
    east = MOMENT.replace(microsecond=5).astimezone(timezone(timedelta(hours=5)))
    assert format_time(east) == "2022-05-03T16:47:09Z"


@pytest.mark.parametrize(
    "value",
    [
        [],
        {"UniqueId": 1},
        {"First": "1"},
        {"First": True},
        {"Labels": "a"},
        {"Labels": [1]},
        {"KeyValues": [1]},
        {"Created": "yesterday"},
        {"Created": "2022-05-03T16:47:09"},
    ],
)
def test_foreign_types_are_refused(value: object) -> None:
    with pytest.raises(EncodingError):
        ContentMeta.from_json(value)


def test_dates_without_zone_are_refused() -> None:
    with pytest.raises(EncodingError):
        format_time(datetime(2022, 5, 3))
