"""What the sequences of an account mean: catalogs, spools, and what one side lacks of another's.

Names are those on the wire (mesh-schema §9, §10).
"""

ACCESS = "MMM_Access"
APPLICATION = "MMM_Application"
BOOKMARK = "MMM_Bookmark"
CONTACT = "MMM_Contact"
CREDENTIAL = "MMM_Credential"
DEVICE = "MMM_Device"
MEMBER = "MMM_Member"
NETWORK = "MMM_Network"
PUBLICATION = "MMM_Publication"
TASK = "MMM_Task"

INBOUND = "MMM_Inbound"
OUTBOUND = "MMM_Outbound"
LOCAL = "MMM_Local"

CATALOGS = (ACCESS, APPLICATION, BOOKMARK, CONTACT, CREDENTIAL, DEVICE, NETWORK, PUBLICATION, TASK)
SPOOLS = (INBOUND, OUTBOUND, LOCAL)

HOST_READABLE = frozenset({ACCESS, PUBLICATION})
"""Catalogs whose entries are encrypted to the host's AccessEncrypt key as well, because the service acts on
them.
"""

FOLDER_CHARACTERS = 8
"""An account's folder is named by that many first characters of its UDF, dashes left out."""

MAXIMUM_NAME = 64
_NAME_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")


def is_store_name(name: str) -> bool:
    """Whether `name` may name a store: `MMM_` and letters, digits and underscores, so that it is a safe
    file name.
    """
    return name.startswith("MMM_") and 4 < len(name) <= MAXIMUM_NAME and _NAME_CHARACTERS.issuperset(name)


def folder_name(udf: str) -> str:
    """The name of the folder that holds the stores of the account with this UDF."""
    return udf.replace("-", "")[:FOLDER_CHARACTERS]
