"""Address books as phones and mail programs write them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mathmesh.errors import EncodingError
from mathmesh.schema.contact import ContactOrganization, ContactPerson, Role
from mathmesh.schema.mesh_object import parse
from meshclient.imports.content_lines import read_components
from meshclient.imports.vcard import is_vcard, read_vcards

VERSION_3 = b"""BEGIN:VCARD\r
VERSION:3.0\r
UID:urn:uuid:4fbe8971-0bc3-424c-9c26-36c3e1eff6b1\r
N:Example;Carol;Ann;Dr.;\r
FN:Dr. Carol Ann Example\r
item1.EMAIL;TYPE=INTERNET,HOME:carol@example.org\r
EMAIL:carol@example.org\r
TEL;TYPE="cell,voice":+49 170 1234567\r
ADR;TYPE=HOME:;Flat 3;1 Long\\, Winding Road;Townsville;Shire;12345;Utopia\r
ORG:Example & Sons;Accounts\r
TITLE:Accountant\r
URL:https://carol.example.org/\r
CATEGORIES:Friends,Choir\r
NOTE:A text that is long enough to be folded over a second line, which begins \r
 with a blank.\r
PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQ\r
END:VCARD\r
"""
VERSION_21 = (
    b"BEGIN:VCARD\nVERSION:2.1\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=B6rg;;;\n"
    b"FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:J=C3=B6rg=20=\nM=C3=BCller\nTEL;CELL;PREF:0170\nEND:VCARD\n"
)
VERSION_4 = b"BEGIN:VCARD\nVERSION:4.0\nKIND:org\nFN:Plumber Ltd\nTEL;VALUE=uri:tel:+1-555\nEND:VCARD\n"


def test_a_person() -> None:
    [entry] = read_vcards(VERSION_3)
    contact = entry.contact
    assert isinstance(contact, ContactPerson)
    assert (entry.local_name, entry.labels, entry.is_self) == (
        "Dr. Carol Ann Example",
        ("Friends", "Choir"),
        None,
    )
    [name] = contact.common_names or ()
    assert (name.prefix, name.first, name.middle, name.last) == ("Dr.", "Carol", ("Ann",), "Example")
    addresses = [one.address for one in contact.network_addresses or ()]
    assert addresses == ["carol@example.org", "tel:+491701234567"]
    [place] = contact.locations or ()
    assert (place.street, place.appartment, place.county) == ("1 Long, Winding Road", "Flat 3", "Shire")
    assert contact.roles == (Role(organization_name="Example & Sons", titles=("Accountant",)),)
    assert [one.uri for one in contact.bookmark or ()] == ["https://carol.example.org/"]
    assert contact.id == entry.key
    assert contact.sources is contact.anchors is None
    assert parse(entry.encode()) == entry


def test_quoted_printable_of_phones() -> None:
    [entry] = read_vcards(VERSION_21)
    assert entry.local_name == "Jörg Müller"
    assert isinstance(entry.contact, ContactPerson)
    assert [one.address for one in entry.contact.network_addresses or ()] == ["tel:0170"]


def test_an_organisation() -> None:
    [entry] = read_vcards(VERSION_4)
    assert isinstance(entry.contact, ContactOrganization)
    assert [one.registered_name for one in entry.contact.common_names or ()] == ["Plumber Ltd"]
    assert [one.address for one in entry.contact.network_addresses or ()] == ["tel:+1-555"]


def test_an_import_that_is_repeated_makes_no_copies() -> None:
    found = read_vcards(VERSION_3 + VERSION_21 + VERSION_3)
    assert len(found) == 2
    changed = VERSION_3.replace(b"Townsville", b"Elsewhere")
    assert [one.key for one in read_vcards(changed)] == [one.key for one in read_vcards(VERSION_3)]


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"", "holds no vCard"),
        (b"BEGIN:VCARD\nEND:VCARD\n", "holds no vCard"),
        (VERSION_3[:-12], "is cut off"),
        (b"BEGIN:VCARD\nFN:x\nEND:VEVENT\n", "ends nothing"),
        (b"FN:x\n", "before BEGIN"),
        (b"BEGIN:VCARD\nno property\n", "is no property"),
        (b"BEGIN:VCARD\n\xff\nEND:VCARD\n", "UTF-8"),
        (b"BEGIN:A\n" * 20, "nested too deeply"),
        (b"BEGIN:VCARD\nFN;ENCODING=QUOTED-PRINTABLE;CHARSET=none:=41\nEND:VCARD\n", "no text of none"),
    ],
)
def test_what_is_malformed_is_refused(octets: bytes, reason: str) -> None:
    with pytest.raises(EncodingError, match=reason):
        read_vcards(octets)


def test_a_character_set_without_a_name_is_utf_8() -> None:
    octets = b"BEGIN:VCARD\nFN;CHARSET=;ENCODING=QUOTED-PRINTABLE:J=C3=B6rg\nEND:VCARD\n"
    assert read_components(octets)[0].lines[0].value == "Jörg"


def test_how_a_file_is_told() -> None:
    assert is_vcard(b"\xef\xbb\xbfbegin:vcard\n")
    assert not is_vcard(b"[{}]")


@settings(max_examples=60)
@given(st.text(max_size=40), st.text(alphabet=';,:\\="\r\n \tA1b', max_size=40))
def test_any_text_is_read_or_refused(value: str, parameters: str) -> None:
    octets = f"BEGIN:VCARD\nFN:Name\nORG;X={parameters}:{value}\nADR:{value}\nEND:VCARD\n".encode()
    try:
        read_components(octets)
        read_vcards(octets)
    except EncodingError:
        pass
