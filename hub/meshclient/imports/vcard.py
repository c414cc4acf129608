"""Address books: vCards of versions 2.1, 3.0 and 4.0 as contacts (RFC 6350).

Such a contact is what somebody wrote down. It has no keys: nothing is verified by it, nothing can be
encrypted to it. Pictures, sounds and keys are left out.
"""

from __future__ import annotations

from mathmesh.errors import EncodingError
from mathmesh.schema.cataloged import CatalogedContact
from mathmesh.schema.contact import (
    Bookmark,
    Contact,
    ContactOrganization,
    ContactPerson,
    Location,
    NetworkAddress,
    OrganizationName,
    PersonName,
    Role,
)
from meshclient.imports.content_lines import Component, Line, read_components, stable_key

MEDIA_TYPE = "text/vcard"
MARK = b"BEGIN:VCARD"

_ADDRESSES = {"EMAIL": "", "TEL": "tel:", "IMPP": ""}


def is_vcard(octets: bytes) -> bool:
    """Whether a file begins as vCards do."""
    return octets.lstrip(b"\xef\xbb\xbf \t\r\n")[: len(MARK)].upper() == MARK


def read_vcards(octets: bytes) -> list[CatalogedContact]:
    """The contacts in a file, one for each card with a name or an address.

    Raises EncodingError for a malformed file and one without contacts.
    """
    made = [_entry(card) for card in read_components(octets) if card.name == "VCARD"]
    found = {entry.key: entry for entry in made if entry is not None}
    if not found:
        raise EncodingError("the file holds no vCard with a name or an address")
    return list(found.values())


def _entry(card: Component) -> CatalogedContact | None:
    name, addresses = _full_name(card), _addresses(card)
    if not name and not addresses:
        return None
    identity = card.text("UID") or "\n".join([name, *(one.address or "" for one in addresses)])
    key = stable_key(identity, MEDIA_TYPE)
    labels = tuple(part for line in card.all("CATEGORIES") for part in line.parts(",") if part)
    return CatalogedContact(
        key=key, labels=labels or None, local_name=name or None, contact=_contact(card, key, name, addresses)
    )


def _contact(card: Component, key: str, name: str, addresses: tuple[NetworkAddress, ...]) -> Contact:
    locations = tuple(location for line in card.all("ADR") if (location := _location(line)) is not None)
    pages = tuple(Bookmark(uri=line.text.strip()) for line in card.all("URL") if line.text.strip())
    company = card.first("ORG")
    organization = company.parts()[0] if company is not None else ""
    if (card.text("KIND") or "").lower() == "org" or (organization and organization == name):
        return ContactOrganization(
            id=key,
            common_names=(OrganizationName(registered_name=name or organization),),
            network_addresses=addresses or None,
            locations=locations or None,
            bookmark=pages or None,
        )
    title = card.text("TITLE")
    roles = (Role(organization_name=organization or None, titles=(title,) if title else None),)
    return ContactPerson(
        id=key,
        common_names=(_person_name(card, name),),
        network_addresses=addresses or None,
        locations=locations or None,
        roles=roles if organization or title else None,
        bookmark=pages or None,
    )


def _full_name(card: Component) -> str:
    full = card.text("FN")
    if full:
        return " ".join(full.split())
    structured = card.first("N")
    parts = structured.parts() if structured is not None else []
    last, first, middle, prefix, suffix = (*parts, "", "", "", "", "")[:5]
    name = " ".join(part for part in (prefix, first, middle, last, suffix) if part)
    company = card.first("ORG")
    return name or (company.parts()[0] if company is not None else "")


def _person_name(card: Component, name: str) -> PersonName:
    structured = card.first("N")
    parts = structured.parts() if structured is not None else []
    last, first, middle, prefix, suffix = (*parts, "", "", "", "", "")[:5]
    return PersonName(
        full_name=name or None,
        prefix=prefix or None,
        first=first or None,
        middle=(middle,) if middle else None,
        last=last or None,
        suffix=suffix or None,
    )


def _addresses(card: Component) -> tuple[NetworkAddress, ...]:
    found: dict[str, None] = {}
    for line in card.lines:
        text = "".join(line.text.split())
        if line.name in _ADDRESSES and text:
            prefix = _ADDRESSES[line.name]
            found[text if text.lower().startswith(prefix) else prefix + text] = None
    return tuple(NetworkAddress(address=address) for address in found)


def _location(line: Line) -> Location | None:
    parts = (*line.parts(), "", "", "", "", "", "", "")[:7]
    box, extended, street, locality, region, postcode, country = parts
    if not any(parts):
        return None
    return Location(
        appartment=extended or None,
        street=", ".join(part for part in (box, street) if part) or None,
        locality=locality or None,
        county=region or None,
        postcode=postcode or None,
        country=country or None,
    )
