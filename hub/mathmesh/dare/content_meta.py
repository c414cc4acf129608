"""ContentMeta, the description of a payload (draft-hallambaker-mesh-dare §4.2.6).

It lies in clear beside the payload and no payload digest covers it: names and keys taken from it must be
compared with the authenticated body before they are trusted.
"""

from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, Self

from mathmesh.codec import jsonbcd
from mathmesh.errors import EncodingError

NEW, UPDATE, DELETE = "New", "Update", "Delete"


def format_time(moment: datetime) -> str:
    """RFC 3339 text in UTC to the second, the form of every date on the wire."""
    if moment.tzinfo is None:
        raise EncodingError("date has no time zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: str) -> datetime:
    """UTC time of RFC 3339 `text`; fractions and offsets are accepted. Raises EncodingError otherwise."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise EncodingError("date is not in RFC 3339 form") from error
    if moment.tzinfo is None:
        raise EncodingError("date has no time zone")
    return moment.astimezone(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentMeta:
    """Description of a payload; `unknown` keeps the members that have no attribute here."""

    unique_id: str | None = None
    labels: tuple[str, ...] = ()
    key_values: tuple[tuple[str, str], ...] = ()
    message_type: str | None = None
    cty: str | None = None
    paths: tuple[str, ...] = ()
    filename: str | None = None
    event: str | None = None
    created: datetime | None = None
    modified: datetime | None = None
    expire: datetime | None = None
    first: int | None = None
    previous: int | None = None
    unknown: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The untagged JSON object, members in the draft's order, empty ones left out."""
        result: dict[str, Any] = {}
        for attribute, member in _MEMBERS.items():
            value = getattr(self, attribute)
            if value is None or value == ():
                continue
            if attribute == "key_values":
                value = [{"Key": key, "Value": text} for key, text in value]
            elif isinstance(value, tuple):
                value = list(value)
            elif isinstance(value, datetime):
                value = format_time(value)
            result[member] = value
        return result | self.unknown

    def encode(self) -> bytes:
        """The octets that ContentMetaData carries."""
        return jsonbcd.dumps(self.to_json())

    @classmethod
    def from_json(cls, value: object) -> Self:
        """The description in a JSON object; raises EncodingError where a member has a foreign type."""
        if not isinstance(value, dict):
            raise EncodingError("ContentMeta is not an object")
        known: dict[str, Any] = {}
        unknown: dict[str, Any] = {}
        for member, item in value.items():
            attribute = _ATTRIBUTES.get(member)
            if attribute is None:
                unknown[member] = item
            elif item is not None:
                known[attribute] = _parse(attribute, member, item)
        return cls(**known, unknown=unknown)

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        """The description in the octets of ContentMetaData."""
        return cls.from_json(jsonbcd.loads(octets, tolerant=True))


_MEMBERS = {
    "unique_id": "UniqueId",
    "labels": "Labels",
    "key_values": "KeyValues",
    "message_type": "MessageType",
    "cty": "cty",
    "paths": "Paths",
    "filename": "Filename",
    "event": "Event",
    "created": "Created",
    "modified": "Modified",
    "expire": "Expire",
    "first": "First",
    "previous": "Previous",
}
_ATTRIBUTES = {member: attribute for attribute, member in _MEMBERS.items()}
_TYPES = {entry.name: str(entry.type) for entry in fields(ContentMeta)}


def _parse(attribute: str, member: str, item: object) -> object:
    if attribute == "key_values":
        if not isinstance(item, list) or not all(isinstance(pair, dict) for pair in item):
            raise EncodingError("KeyValues of ContentMeta is not a list of objects")
        return tuple((str(pair.get("Key", "")), str(pair.get("Value", ""))) for pair in item)
    kind = _TYPES[attribute]
    if kind.startswith("datetime") and isinstance(item, str):
        return parse_time(item)
    if kind.startswith("tuple") and isinstance(item, list) and all(isinstance(text, str) for text in item):
        return tuple(item)
    if kind.startswith("int") and isinstance(item, int) and not isinstance(item, bool):
        return item
    if kind.startswith("str") and isinstance(item, str):
        return item
    raise EncodingError(f"member {member} of ContentMeta has a foreign type")
