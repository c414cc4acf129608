"""Making Mesh objects: pure functions of keys, `now` and `entropy`; names of the edition of 2022."""

from mathmesh.schema.build.device import (
    adopt_activation,
    make_access_capability,
    make_cataloged_device,
    make_null_capability,
)
from mathmesh.schema.build.enveloped import enveloped
from mathmesh.schema.build.grants import make_activation_common
from mathmesh.schema.build.message import make_message_claim, make_message_complete, make_respond_connection
from mathmesh.schema.build.profile import make_profile_device, make_profile_service, make_profile_user
from mathmesh.schema.build.publication import make_preconfiguration_private, make_publication

__all__ = [
    "adopt_activation",
    "enveloped",
    "make_access_capability",
    "make_activation_common",
    "make_cataloged_device",
    "make_message_claim",
    "make_message_complete",
    "make_null_capability",
    "make_preconfiguration_private",
    "make_profile_device",
    "make_profile_service",
    "make_profile_user",
    "make_publication",
    "make_respond_connection",
]
