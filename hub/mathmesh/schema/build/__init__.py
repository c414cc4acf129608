"""Making Mesh objects: pure functions of keys, `now` and `entropy`; names of the edition of 2022."""

from mathmesh.schema.build.application import (
    is_granted,
    make_application_entry,
    make_cataloged_mail,
    make_cataloged_ssh,
    make_cataloged_vpn,
)
from mathmesh.schema.build.callsign import (
    make_cataloged_callsign,
)
from mathmesh.schema.build.capability import (
    Service,
    SplitKey,
    make_split_key,
    make_threshold_activation,
)
from mathmesh.schema.build.confirmation import (
    make_request_confirmation,
    make_response_confirmation,
)
from mathmesh.schema.build.connection import (
    make_acknowledge_connection,
    make_request_connection,
)
from mathmesh.schema.build.contact import (
    make_cataloged_contact,
    make_contact,
    make_message_contact,
)
from mathmesh.schema.build.device import (
    adopt_activation,
    make_access_capability,
    make_cataloged_device,
    make_null_capability,
)
from mathmesh.schema.build.enveloped import (
    enveloped,
)
from mathmesh.schema.build.grants import (
    make_activation_common,
)
from mathmesh.schema.build.group import (
    Membership,
    make_cataloged_group,
    make_group_invitation,
    make_membership,
)
from mathmesh.schema.build.host import (
    make_account_host_assignment,
    make_activation_host,
    make_connection_host,
)
from mathmesh.schema.build.machine import (
    make_cataloged_preconfigured,
)
from mathmesh.schema.build.message import (
    make_message_claim,
    make_message_complete,
    make_respond_connection,
)
from mathmesh.schema.build.message_access import (
    make_contact_access,
    make_message_undelivered,
)
from mathmesh.schema.build.pin import (
    make_message_pin,
    prove_pin,
)
from mathmesh.schema.build.profile import (
    make_profile_device,
    make_profile_group,
    make_profile_host,
    make_profile_service,
    make_profile_user,
)
from mathmesh.schema.build.publication import (
    make_preconfiguration_private,
    make_publication,
)

__all__ = [
    "Membership",
    "Service",
    "SplitKey",
    "adopt_activation",
    "enveloped",
    "is_granted",
    "make_access_capability",
    "make_account_host_assignment",
    "make_acknowledge_connection",
    "make_activation_common",
    "make_activation_host",
    "make_application_entry",
    "make_cataloged_callsign",
    "make_cataloged_contact",
    "make_cataloged_device",
    "make_cataloged_group",
    "make_cataloged_mail",
    "make_cataloged_preconfigured",
    "make_cataloged_ssh",
    "make_cataloged_vpn",
    "make_connection_host",
    "make_contact",
    "make_contact_access",
    "make_group_invitation",
    "make_membership",
    "make_message_claim",
    "make_message_complete",
    "make_message_contact",
    "make_message_pin",
    "make_message_undelivered",
    "make_null_capability",
    "make_preconfiguration_private",
    "make_profile_device",
    "make_profile_group",
    "make_profile_host",
    "make_profile_service",
    "make_profile_user",
    "make_publication",
    "make_request_confirmation",
    "make_request_connection",
    "make_respond_connection",
    "make_response_confirmation",
    "make_split_key",
    "make_threshold_activation",
    "prove_pin",
]
