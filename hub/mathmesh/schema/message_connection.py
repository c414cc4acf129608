"""Messages by which a device asks to be connected, and PINs that answer for it (mesh-schema §10)."""

from __future__ import annotations

from datetime import datetime

from mathmesh.dare.envelope import Envelope
from mathmesh.schema.mesh_object import mesh_type
from mathmesh.schema.message import Message

DEVICE, CONTACT = "Device", "Contact"
"""Actions of a PIN."""


@mesh_type
class MessagePinValidated(Message):
    """A message whose ``authenticated_data`` is vouched for by knowledge of a PIN.

    ``client_nonce`` has 16 octets, ``pin_witness`` 64.
    """

    authenticated_data: Envelope | None = None
    client_nonce: bytes | None = None
    pin_id: str | None = None
    pin_witness: bytes | None = None


@mesh_type
class RequestConnection(MessagePinValidated):
    """The request of a device, with its enveloped ProfileDevice."""

    account_address: str | None = None


@mesh_type
class AcknowledgeConnection(Message):
    """The request as the service passes it on, with a nonce and the witness of both sides."""

    enveloped_request_connection: Envelope | None = None
    server_nonce: bytes | None = None
    witness: str | None = None


@mesh_type
class MessagePin(Message):
    """What an account keeps of a PIN that it gave out; ``action`` is Device or Contact.

    With ``automatic`` a request that proves the PIN is accepted without asking, with the ``roles`` here.
    """

    account: str | None = None
    expires: datetime | None = None
    automatic: bool | None = None
    salted_pin: str | None = None
    action: str | None = None
    roles: tuple[str, ...] | None = None
