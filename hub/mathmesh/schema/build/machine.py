"""What a machine keeps of its state (mesh-schema §9)."""

from __future__ import annotations

from mathmesh.codec import udf, uri
from mathmesh.errors import LocalProtocolError
from mathmesh.keys import earl
from mathmesh.schema.machine import CatalogedPreconfigured
from mathmesh.schema.preconfiguration import DevicePreconfigurationPrivate
from mathmesh.schema.profile_validation import verify_profile_device
from mathmesh.schema.signed import envelope_of


def make_cataloged_preconfigured(private: DevicePreconfigurationPrivate) -> CatalogedPreconfigured:
    """What a device keeps of its preconfiguration beside its seed: it can check a claim, and nobody can read
    the secret of the label from it.
    """
    profile = envelope_of(private.enveloped_profile_device, "EnvelopedProfileDevice")
    device = verify_profile_device(profile)
    maker, key = uri.parse_mcu(private.connect_uri or "")
    code, secret = udf.parse(key)
    if code != udf.ENCRYPTION:
        raise LocalProtocolError("the preconfiguration has no secret of a label")
    return CatalogedPreconfigured(
        id=device.udf,
        enveloped_profile_device=profile,
        enveloped_connection_service=private.enveloped_connection_service,
        enveloped_connection_device=private.enveloped_connection_device,
        account_address=maker,
        publication_id=earl.publication_id(secret),
        service_authenticator=earl.service_authenticator(secret),
        device_authenticator=earl.device_authenticator(secret),
    )
