"""Content lines: the form that vCard (RFC 6350) and iCalendar (RFC 5545) share, with what older files of
vCard 2.1 do differently: quoted-printable values and parameters without a name.
"""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from mathmesh.errors import EncodingError
from mathmesh.keys import digest

MAXIMUM_FILE = 16 * 1024 * 1024
MAXIMUM_DEPTH = 8

_NAME = re.compile(r"[A-Za-z0-9-]+")
_PARAMETER = re.compile(r';([A-Za-z0-9-]+)(?:=((?:"[^"]*"|[^";:,]*)(?:,(?:"[^"]*"|[^";:,]*))*))?')
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_QUOTED_PRINTABLE = "QUOTED-PRINTABLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One property: its name in capitals, its parameters, and its value as it stands in the file."""

    name: str
    parameters: Mapping[str, tuple[str, ...]]
    value: str

    @property
    def text(self) -> str:
        """The value as a text, its escapes resolved."""
        return _unescaped(self.value)

    def parts(self, separator: str = ";") -> list[str]:
        """The parts of a structured value."""
        found = re.split(rf"(?<!\\)((?:\\\\)*){separator}", self.value)
        joined = [found[n] + (found[n + 1] if n + 1 < len(found) else "") for n in range(0, len(found), 2)]
        return [_unescaped(part).strip() for part in joined]

    def parameter(self, name: str) -> str | None:
        """The first value of a parameter."""
        return next(iter(self.parameters.get(name, ())), None)


@dataclass(slots=True, kw_only=True)
class Component:
    """What stands between BEGIN and END."""

    name: str
    lines: list[Line] = field(default_factory=list)
    components: list[Component] = field(default_factory=list)

    def first(self, name: str) -> Line | None:
        """The first property of a name."""
        return next(self.all(name), None)

    def all(self, name: str) -> Iterator[Line]:
        """The properties of a name."""
        return (line for line in self.lines if line.name == name)

    def text(self, name: str) -> str | None:
        """The text of the first property of a name, None when there is none or it is empty."""
        line = self.first(name)
        return (line.text.strip() or None) if line is not None else None


def read_text(octets: bytes) -> str:
    """The text of a file; EncodingError when it is too large or no UTF-8."""
    if len(octets) > MAXIMUM_FILE:
        raise EncodingError("the file is larger than 16 MiB")
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise EncodingError("the file is no UTF-8 text; save it as UTF-8") from None


def read_components(octets: bytes) -> list[Component]:
    """The components of a file; EncodingError when any part of it is malformed."""
    root = Component(name="")
    open_ones = [root]
    for line in _lines(read_text(octets)):
        if line.name == "BEGIN":
            if len(open_ones) > MAXIMUM_DEPTH:
                raise EncodingError("components are nested too deeply")
            inner = Component(name=line.value.strip().upper())
            open_ones[-1].components.append(inner)
            open_ones.append(inner)
        elif line.name == "END":
            if len(open_ones) == 1 or open_ones.pop().name != line.value.strip().upper():
                raise EncodingError(f"END:{line.value.strip()[:40]} ends nothing that was begun")
        elif len(open_ones) == 1:
            raise EncodingError(f"{line.name[:40]} stands before BEGIN")
        else:
            open_ones[-1].lines.append(line)
    if len(open_ones) > 1:
        raise EncodingError(f"BEGIN:{open_ones[-1].name[:40]} is not ended: the file is cut off")
    return root.components


def stable_key(text: str, media_type: str) -> str:
    """The key of an entry by what the other program calls it: an import that is repeated makes no copies."""
    return digest.content_digest(text.encode(), media_type)


def _lines(text: str) -> Iterator[Line]:
    for number, logical in _unfolded(text):
        if logical.strip():
            yield _line(logical, number)


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """Logical lines with the number of their first line."""
    held: str | None = None
    begins = 0
    for number, line in enumerate(re.split(r"\r\n|\n|\r", text), 1):
        if held is not None and held.endswith("=") and _QUOTED_PRINTABLE in held.partition(":")[0].upper():
            held = held[:-1] + line
        elif held is not None and line[:1] in (" ", "\t"):
            held += line[1:]
        else:
            if held is not None:
                yield begins, held
            held, begins = line, number
    if held is not None:
        yield begins, held


def _line(logical: str, number: int) -> Line:
    name = _NAME.match(logical)
    if name is not None and logical[name.end() : name.end() + 1] == ".":
        name = _NAME.match(logical, name.end() + 1)  # a group, `item1.EMAIL`
    if name is None:
        raise EncodingError(f"line {number} is no property")
    parameters: dict[str, tuple[str, ...]] = {}
    position = name.end()
    while (match := _PARAMETER.match(logical, position)) is not None:
        key, value = match.group(1).upper(), match.group(2)
        if value is None:
            key, value = ("ENCODING" if key == _QUOTED_PRINTABLE else "TYPE"), key
        values = tuple(part.strip('"') for part in re.findall(r'"[^"]*"|[^,]+', value))
        parameters[key] = (*parameters.get(key, ()), *values)
        position = match.end()
    if logical[position : position + 1] != ":":
        raise EncodingError(f"line {number} is no property")
    value = logical[position + 1 :]
    if any(one.upper() == _QUOTED_PRINTABLE for one in parameters.get("ENCODING", ())):
        charset = next(iter(parameters.get("CHARSET", ())), "UTF-8")
        value = _decoded(quopri.decodestring(value.encode()), charset, number)
    return Line(name=name.group().upper(), parameters=parameters, value=value)


def _decoded(octets: bytes, charset: str, number: int) -> str:
    try:
        text = octets.decode(charset)
    except (LookupError, UnicodeDecodeError, ValueError):
        raise EncodingError(f"line {number} is no text of {charset[:40]}") from None
    return text.replace("\\", "\\\\").replace("\r\n", "\\n").replace("\n", "\\n")


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda found: "\n" if found.group(1) in "nN" else found.group(1), text)
