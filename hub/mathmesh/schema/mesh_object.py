"""The typed object model: how a Mesh object is read from and written to JSON or JSON-B.

A class declares its members as annotated attributes in snake case; names and encodings follow from the
declaration, in this module only:

* ``profile_signature`` is ``ProfileSignature`` on the wire (exceptions in `WIRE_NAMES`);
* ``str``, ``bool``, ``int``, ``float`` are themselves, ``bytes`` is base64url (JSON) or a binary item
  (JSON-B), ``datetime`` is ``YYYY-MM-DDTHH:MM:SSZ``;
* `Envelope` is an ``Enveloped`` member: it is kept as it came and never re-serialised from its content;
* `MeshObject` (exactly) is a tagged member ``{"TypeName": {...}}``, any other `MeshStruct` an untagged one;
* ``dict`` is kept as it is; ``tuple[X, ...]`` is a list of any of these.

A member that is absent or null is None. Members a class does not know are kept in ``unknown`` and written
again. Source: draft-hallambaker-mesh-schema §3; names of the 2021 edition are translated by
`mathmesh.schema.editions`.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, TypeVar, Union, dataclass_transform, get_args, get_origin, get_type_hints

from mathmesh.codec import b64, jsonbcd
from mathmesh.dare.content_meta import format_time
from mathmesh.dare.envelope import Envelope
from mathmesh.errors import EncodingError
from mathmesh.schema import editions, member_values

JsonObject = dict[str, Any]
T = TypeVar("T")
S = TypeVar("S", bound="MeshStruct")

WIRE_NAMES = {
    "dba": "DBA",
    "is_self": "Self",
    "pin": "PIN",
    "CatalogedPending.device_udf": "DeviceUDF",
    "x509_certificate": "X509Certificate",
    "x509_chain": "X509Chain",
    "x509_csr": "X509CSR",
}
"""Attribute, or type and attribute → its name on the wire where the rule does not give it."""

REGISTRY: dict[str, type[MeshObject]] = {}


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(field,))
def mesh_type(cls: type[T]) -> type[T]:
    """Class decorator: a frozen, slotted, keyword-only dataclass; a tagged type becomes known to `parse`."""
    made = dataclass(frozen=True, slots=True, kw_only=True)(cls)
    if issubclass(made, MeshObject):
        REGISTRY[made.__name__] = made
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshStruct:
    """A structure whose type is known from its place: written without a tag."""

    unknown: JsonObject = field(default_factory=dict)

    @classmethod
    def read(cls: type[S], value: object) -> S:
        """The structure held by the JSON object `value`; EncodingError when a member has a wrong type."""
        return _read(cls, value)

    def write(self, *, binary: bool = False) -> JsonObject:
        """The JSON object of this structure; with `binary`, octets stay octets, as JSON-B wants them."""
        return _write(self, binary)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshObject(MeshStruct):
    """An object that is written with its type as tag."""

    @property
    def tag(self) -> str:
        """The type name on the wire."""
        return type(self).__name__

    @classmethod
    def decode(cls: type[S], value: bytes | Mapping[str, Any], *, tolerant: bool = False) -> S:
        """The tagged object in `value` (JSON or JSON-B octets, or a parsed object), which must be of this
        class.

        `tolerant` admits raw line feeds inside strings, as published by the reference. Raises EncodingError.
        """
        found = parse(value, tolerant=tolerant)
        if not isinstance(found, cls):
            raise EncodingError(f"expected {cls.__name__}, found {found.tag}")
        return found

    def to_json(self) -> JsonObject:
        """The tagged object as a JSON value: octets are base64url text."""
        return {self.tag: self.write()}

    def encode(self) -> bytes:
        """Compact JSON."""
        return jsonbcd.dumps(self.to_json())

    def encode_json_b(self) -> bytes:
        """JSON-B, as the connections of a device are written."""
        return jsonbcd.dumps_b({self.tag: self.write(binary=True)})


@dataclass(frozen=True, slots=True, kw_only=True)
class GenericObject(MeshObject):
    """An object of a type without a class of its own: the tag, and all members as JSON values in
    ``unknown``.
    """

    type_name: str

    @property
    def tag(self) -> str:
        return self.type_name

    def write(self, *, binary: bool = False) -> JsonObject:
        return dict(self.unknown)


def parse(value: bytes | Mapping[str, Any], *, tolerant: bool = False) -> MeshObject:
    """The tagged object in `value` (JSON or JSON-B octets, or a parsed object) of whatever type it says.

    `tolerant` admits raw line feeds inside strings, as published by the reference. Raises EncodingError.
    """
    tree: object = jsonbcd.loads(bytes(value), tolerant=tolerant) if isinstance(value, bytes) else value
    if not isinstance(tree, Mapping) or len(tree) != 1:
        raise EncodingError("a Mesh object is a JSON object with its type as the only member")
    [(tag, members)] = tree.items()
    if not isinstance(members, Mapping):
        raise EncodingError(f"the content of {tag} is not a JSON object")
    tag = editions.modern_tag(tag, members)
    cls = REGISTRY.get(tag)
    if cls is None:
        return GenericObject(
            type_name=tag, unknown=member_values.plain(editions.modern_members(tag, members))
        )
    return cls.read(members)


@dataclass(frozen=True, slots=True)
class _Member:
    attribute: str
    wire: str
    kind: Any
    multiple: bool


_KNOWN: dict[type[MeshStruct], Mapping[str, _Member]] = {}


def members(cls: type[MeshStruct]) -> Mapping[str, _Member]:
    """Wire name → member of the class `cls`, in the order of declaration."""
    if cls not in _KNOWN:
        _KNOWN[cls] = _declared(cls)
    return _KNOWN[cls]


def _declared(cls: type[MeshStruct]) -> Mapping[str, _Member]:
    hints = get_type_hints(cls)
    found = {}
    for item in fields(cls):
        if item.name == "unknown":
            continue
        kind = _without_none(hints[item.name])
        multiple = get_origin(kind) is tuple
        kind = get_args(kind)[0] if multiple else kind
        wire = _wire_name(cls.__name__, item.name)
        found[wire] = _Member(item.name, wire, get_origin(kind) or kind, multiple)
    return found


def _wire_name(type_name: str, attribute: str) -> str:
    for name in (f"{type_name}.{attribute}", attribute):
        if name in WIRE_NAMES:
            return WIRE_NAMES[name]
    return "".join(part.capitalize() for part in attribute.split("_"))


def _without_none(hint: Any) -> Any:
    if get_origin(hint) in (Union, types.UnionType):
        [hint] = [arm for arm in get_args(hint) if arm is not type(None)]
    return hint


def _read(cls: type[S], value: object) -> S:
    if not isinstance(value, Mapping):
        raise EncodingError(f"{cls.__name__} is not a JSON object")
    known = members(cls)
    values: dict[str, Any] = {}
    unknown: JsonObject = {}
    for name, content in editions.modern_members(cls.__name__, value).items():
        member = known.get(name)
        if content is None:
            continue
        if member is None:
            unknown[name] = member_values.plain(content)
            continue
        try:
            values[member.attribute] = _read_member(member, content)
        except EncodingError as error:
            raise EncodingError(f"{cls.__name__}.{name}: {error}") from error
    return cls(unknown=unknown, **values)


def _read_member(member: _Member, value: object) -> object:
    if not member.multiple:
        return _read_value(member.kind, value)
    if not isinstance(value, list):
        raise EncodingError("a list is expected")
    return tuple(_read_value(member.kind, item) for item in value)


def _read_value(kind: Any, value: object) -> object:
    reader = _READERS.get(kind)
    if reader is not None:
        return reader(value)
    return kind.read(value)


def _write(struct: MeshStruct, binary: bool) -> JsonObject:
    written: JsonObject = {}
    for member in members(type(struct)).values():
        value = getattr(struct, member.attribute)
        if isinstance(value, tuple):
            written[member.wire] = [_write_value(member.kind, item, binary) for item in value]
        elif value is not None:
            written[member.wire] = _write_value(member.kind, value, binary)
    return {**written, **struct.unknown}


def _write_value(kind: Any, value: Any, binary: bool) -> Any:
    if isinstance(value, bytes):
        return value if binary else b64.encode(value)
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, Envelope):
        return value.to_value()
    if kind is MeshObject:
        return {value.tag: value.write(binary=binary)}
    if isinstance(value, MeshStruct):
        return value.write(binary=binary)
    return value


def _tagged(value: object) -> MeshObject:
    return parse(member_values.dictionary(value))


_READERS: dict[Any, Callable[[object], object]] = {**member_values.READERS, MeshObject: _tagged}
