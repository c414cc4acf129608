"""What an account tells its service of whom it hears and whom it writes to (protocol book, "Messages between
accounts").
"""

from __future__ import annotations

from mathmesh.schema.mesh_object import mesh_type
from mathmesh.schema.message import Message


@mesh_type
class ContactAccess(Message):
    """Which messages the account exchanges with the one at the address ``contact``; ours.

    ``receive`` and ``send`` list types of messages, ``content_types`` types of content: absent stands for
    all, an empty list for none. With ``contact_udf`` it is for the account with that profile only. It lies
    in MMM_Local, encrypted to the account and to the host of its service; the newest about a contact counts.
    One that is not ``active`` takes back what was said before: the contact is a stranger again.
    """

    contact: str | None = None
    contact_udf: str | None = None
    active: bool | None = None
    receive: tuple[str, ...] | None = None
    send: tuple[str, ...] | None = None
    content_types: tuple[str, ...] | None = None


@mesh_type
class MessageUndelivered(Message):
    """What a service tells an account of a message that it could not deliver to ``account``; ours.

    It is signed by the service and encrypted to the account. ``reference`` is the id of the message,
    ``reason`` says in words why.
    """

    account: str | None = None
    reference: str | None = None
    reason: str | None = None
