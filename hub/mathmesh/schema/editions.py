"""Names of the edition of January 2021 (schema-06, protocol-07) translated to those of May 2022, which we
write.

A name is translated only inside the type that had it. Two names of 2021 mean something else in 2022 and are
told apart by what the object holds: ``ActivationAccount`` without an activation key is
``ActivationCommon``, and ``EnvelopedActivationAccount`` beside other names of 2021 is
``EnvelopedActivationCommon``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mathmesh.errors import EncodingError

TAGS = {
    "ActivationDevice": "ActivationAccount",
    "DevicePreconfiguration": "DevicePreconfigurationPrivate",
    "Task": "Engagement",
    "CatalogedApplicationSSH": "CatalogedApplicationSsh",
}

_ACCOUNT_KEYS = {
    "AccountEncryption": "CommonEncryption",
    "AccountAuthentication": "CommonAuthentication",
    "AccountSignature": "CommonSignature",
}
_CONNECTION = {"SubjectUdf": "Subject", "AuthorityUdf": "Authority"}

MEMBERS: dict[str, dict[str, str]] = {
    "ProfileDevice": {
        "BaseEncryption": "Encryption",
        "BaseSignature": "Signature",
        "BaseAuthentication": "Authentication",
    },
    "ProfileUser": _ACCOUNT_KEYS,
    "ProfileGroup": _ACCOUNT_KEYS,
    "ConnectionService": _CONNECTION,
    "ConnectionDevice": {
        **_CONNECTION,
        "DeviceSignature": "Signature",
        "DeviceEncryption": "Encryption",
        "DeviceAuthentication": "Authentication",
    },
    "ActivationCommon": {
        "AccountEncryption": "Encryption",
        "AccountAuthentication": "Authentication",
        "AccountSignature": "Signature",
    },
    "ConnectionApplication": _CONNECTION,
    "ConnectionGroup": _CONNECTION,
    "ConnectionHost": _CONNECTION,
    "ProfileHost": {"KeyEncryption": "Encryption", "KeyAuthentication": "Authentication"},
    "CatalogedGroup": {"EnvelopedActivationAccount": "EnvelopedActivationCommon"},
    "CatalogedDevice": {
        "EnvelopedConnectionUser": "EnvelopedConnectionDevice",
        "EnvelopedActivationDevice": "EnvelopedActivationAccount",
    },
}

_COMMON_ONLY = {
    "Entries",
    "ProfileSignature",
    "AdministratorSignature",
    "AccountEncryption",
    "AccountAuthentication",
    "AccountSignature",
    "Encryption",
    "Authentication",
    "Signature",
}


def modern_tag(tag: str, members: Mapping[str, Any]) -> str:
    """The type name of 2022 for an object written as `tag` with `members`."""
    if tag == "ActivationAccount" and "ActivationKey" not in members and not _COMMON_ONLY.isdisjoint(members):
        return "ActivationCommon"
    return TAGS.get(tag, tag)


def modern_members(tag: str, members: Mapping[str, Any]) -> dict[str, Any]:
    """`members` of the (modern) type `tag` under their names of 2022.

    Raises EncodingError when a member is there under both names: what it means would depend on the reader.
    """
    names = MEMBERS.get(tag, {})
    if tag == "CatalogedDevice" and not names.keys().isdisjoint(members):
        names = {**names, "EnvelopedActivationAccount": "EnvelopedActivationCommon"}
    renamed: dict[str, Any] = {}
    for name, value in members.items():
        modern = names.get(name, name)
        if modern in renamed:
            raise EncodingError(f"{tag} has {modern} under two names")
        renamed[modern] = value
    return renamed
