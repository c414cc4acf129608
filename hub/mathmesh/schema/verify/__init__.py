"""Verification of messages, contacts, capabilities, applications, callsigns, hosts and machines.

The checks are numbered through all kinds, and listed at the top of the module of each; 1 to 25 are in
`mathmesh.schema.validation` and `mathmesh.schema.claim`.
"""

from mathmesh.schema.verify.application import (
    verify_application_entry,
    verify_cataloged_application,
)
from mathmesh.schema.verify.callsign import (
    verify_callsign_binding,
    verify_cataloged_callsign,
)
from mathmesh.schema.verify.capability import (
    Grantee,
    verify_access_capability,
    verify_capability,
    verify_serviced_share,
)
from mathmesh.schema.verify.confirmation import (
    verify_request_confirmation,
    verify_response_confirmation,
)
from mathmesh.schema.verify.connection_request import (
    VerifiedAcknowledgement,
    VerifiedRequest,
    verify_acknowledge_connection,
    verify_request_connection,
)
from mathmesh.schema.verify.connection_response import (
    Expected,
    PinUse,
    VerifiedResponse,
    verify_respond_connection,
)
from mathmesh.schema.verify.contact import (
    VerifiedContact,
    VerifiedMessageContact,
    verify_cataloged_contact,
    verify_contact,
    verify_message_contact,
)
from mathmesh.schema.verify.group import (
    VerifiedInvitation,
    verify_cataloged_group,
    verify_group_invitation,
)
from mathmesh.schema.verify.host import (
    verify_account_host_assignment,
    verify_activation_host,
    verify_connection_host,
)
from mathmesh.schema.verify.machine import (
    VerifiedMachine,
    verify_cataloged_machine,
)
from mathmesh.schema.verify.message import (
    verify_message,
)
from mathmesh.schema.verify.pin import (
    verify_message_pin,
)

__all__ = [
    "Expected",
    "Grantee",
    "PinUse",
    "VerifiedAcknowledgement",
    "VerifiedContact",
    "VerifiedInvitation",
    "VerifiedMachine",
    "VerifiedMessageContact",
    "VerifiedRequest",
    "VerifiedResponse",
    "verify_access_capability",
    "verify_account_host_assignment",
    "verify_acknowledge_connection",
    "verify_activation_host",
    "verify_application_entry",
    "verify_callsign_binding",
    "verify_capability",
    "verify_cataloged_application",
    "verify_cataloged_callsign",
    "verify_cataloged_contact",
    "verify_cataloged_group",
    "verify_cataloged_machine",
    "verify_connection_host",
    "verify_contact",
    "verify_group_invitation",
    "verify_message",
    "verify_message_contact",
    "verify_message_pin",
    "verify_request_confirmation",
    "verify_request_connection",
    "verify_respond_connection",
    "verify_response_confirmation",
    "verify_serviced_share",
]
