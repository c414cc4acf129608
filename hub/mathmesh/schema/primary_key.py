"""The primary key of an object: ``UniqueId`` of its frame and the key of its entry in a catalog
(mesh-schema §9).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mathmesh.errors import EncodingError
from mathmesh.schema.mesh_object import JsonObject, MeshObject


def _member(name: str) -> Callable[[JsonObject], object]:
    return lambda members: members.get(name)


def _service(members: JsonObject) -> object:
    return f"{members.get('Protocol', '')}:{members.get('Service', '')}"


def _capability(members: JsonObject) -> object:
    [capability] = members.get("Capability", {"": {}}).values()
    return capability.get("Id")


_RULES: Mapping[str, Callable[[JsonObject], object]] = {
    "CatalogedDevice": _member("DeviceUdf"),
    "CatalogedPublication": _member("Id"),
    "CatalogedAccess": _capability,
    "CatalogedCredential": _service,
    "CatalogedNetwork": _service,
    "CatalogedBookmark": _member("Uid"),
    "CatalogedTask": _member("Key"),
    "CatalogedContact": _member("Key"),
    "CatalogedMember": _member("ContactAddress"),
    "CatalogedCallsign": _member("Canonical"),
    "CatalogedGroup": _member("Key"),
    "CatalogedApplicationSsh": _member("Key"),
    "CatalogedApplicationMail": _member("Key"),
    "CatalogedApplicationVpn": _member("Key"),
    "CatalogedApplicationNetwork": _member("Key"),
    "CatalogedReceipt": _member("Uid"),
    "CatalogedTicket": _member("Uid"),
    "CatalogedStandard": _member("Id"),
    "CatalogedPending": _member("Id"),
    "CatalogedPreconfigured": _member("Id"),
    "CatalogedService": _member("Id"),
}


def primary_key(item: MeshObject) -> str | None:
    """The primary key of `item`; None for an object that has none.

    A profile has its UDF, a message its MessageId, an entry what its catalog names. An entry whose key
    member is missing raises EncodingError.
    """
    members = item.write()
    if item.tag in _RULES:
        key = _RULES[item.tag](members)
        if not isinstance(key, str) or not key:
            raise EncodingError(f"{item.tag} lacks the member that is its key in the catalog")
        return key
    if item.tag.startswith("Profile"):
        signature = members.get("ProfileSignature")
        key = signature.get("Udf") if isinstance(signature, dict) else None
    else:
        key = members.get("MessageId")
    return key if isinstance(key, str) else None
