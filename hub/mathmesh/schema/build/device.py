"""A device in an account: its catalog entry, its access and what is handed to a constrained one
(mesh-schema §6, §9).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from mathmesh.dare.envelope import Envelope
from mathmesh.errors import PolicyError, VerificationError
from mathmesh.keys.pair import PrivateKey
from mathmesh.schema.activated import activated_public
from mathmesh.schema.activation import ActivationAccount, ActivationCommon
from mathmesh.schema.build.enveloped import enveloped, seconds
from mathmesh.schema.capability import AccessCapability, NullCapability, cataloged_device_digest
from mathmesh.schema.cataloged import CatalogedAccess, CatalogedDevice, HubExtension
from mathmesh.schema.connection import ConnectionDevice, ConnectionService
from mathmesh.schema.key_data import AGREEMENT, KeyData
from mathmesh.schema.mesh_object import JsonObject
from mathmesh.schema.signed import check_digest, envelope_of, object_in
from mathmesh.schema.validation import administrator_key, verify_profile_device, verify_profile_user
from mathmesh.types import Entropy


def make_cataloged_device(
    profile_user: Envelope,
    profile_device: Envelope,
    administrator: PrivateKey,
    roles: Sequence[str],
    activation_seed: str,
    entropy: Entropy,
    now: datetime,
    activation_common: ActivationCommon | None = None,
    *,
    local_name: str | None = None,
    labels: Sequence[str] | None = None,
    room: str | None = None,
    description: JsonObject | None = None,
    expires: datetime | None = None,
) -> CatalogedDevice:
    """The catalog entry that makes the device of `profile_device` one of the account of `profile_user`.

    Both profiles are verified first. `administrator` is the account's AdministratorSignature key and signs
    both connections and both activations; `activation_seed` is a fresh seed of type 0x0103;
    `activation_common` holds the keys that `roles` grant (none by default). The ActivationAccount is
    encrypted to the device's base encryption key, the ActivationCommon to its activated one. `local_name`
    is the friendly name; `room` and `description` go into the extension member ``MeshHub``. At `expires` the
    rights of the device end: its authentication key is not valid from then on.

    Raises PolicyError when `administrator` is not of this account.
    """
    account = verify_profile_user(profile_user)
    device = verify_profile_device(profile_device)
    if administrator.public.udf != administrator_key(account).udf:
        raise PolicyError(
            f"key {administrator.public.udf} is not the administrator of {account.account_address}"
        )
    keys = activated_public(device, activation_seed)
    base_encryption = _present(device.encryption).public_key(AGREEMENT)
    authentication = replace(
        KeyData.of_public(keys.authentication), not_on_or_after=seconds(expires) if expires else None
    )
    service = ConnectionService(updated=seconds(now), profile_udf=account.udf, authentication=authentication)
    connection = ConnectionDevice(
        updated=seconds(now),
        profile_udf=account.udf,
        authentication=authentication,
        roles=tuple(roles),
        signature=KeyData.of_public(keys.signature),
        encryption=KeyData.of_public(keys.encryption),
    )
    activation = ActivationAccount(activation_key=activation_seed, account_udf=account.udf)
    extension = HubExtension(room=room, description=description) if room or description else None
    return CatalogedDevice(
        local_name=local_name,
        labels=tuple(labels) if labels is not None else None,
        updated=seconds(now),
        udf=keys.authentication.udf,
        device_udf=device.udf,
        signature_udf=keys.signature.udf,
        enveloped_profile_user=profile_user,
        enveloped_profile_device=profile_device,
        enveloped_connection_service=enveloped(
            service, entropy=entropy, now=now, signer=administrator, json_b=True
        ),
        enveloped_connection_device=enveloped(
            connection, entropy=entropy, now=now, signer=administrator, json_b=True
        ),
        enveloped_activation_account=enveloped(
            activation, entropy=entropy, now=now, signer=administrator, recipients=[base_encryption]
        ),
        enveloped_activation_common=enveloped(
            activation_common or ActivationCommon(),
            entropy=entropy,
            now=now,
            signer=administrator,
            recipients=[keys.encryption],
        ),
        mesh_hub=extension,
    )


def adopt_activation(cataloged: CatalogedDevice) -> bytes:
    """The octets of the EnvelopedActivationAccount as a JSON text array: ``act`` of ``adopt`` (protocol
    book).

    The body is the tagged ActivationAccount, encrypted to the device's base encryption key; the trailer
    states the PayloadDigest. These octets go into the transcript of the agreement, so they are to be sent
    exactly as returned.
    """
    envelope = envelope_of(cataloged.enveloped_activation_account, "EnvelopedActivationAccount")
    check_digest(envelope, "ActivationAccount")
    return envelope.to_json()


def make_access_capability(
    cataloged: CatalogedDevice,
    entropy: Entropy,
    now: datetime,
    *,
    administrator: PrivateKey | None = None,
    rights: Sequence[str] | None = None,
) -> CatalogedAccess:
    """The entry of MMM_Access that lets the device of `cataloged` act for the account.

    Its id is the UDF of the activated authentication key. The entry itself is enclosed for the device,
    encrypted to its activated encryption key and, where given, signed by `administrator`. It ends when the
    connection's authentication key does.
    """
    connection = object_in(
        envelope_of(cataloged.enveloped_connection_device, "EnvelopedConnectionDevice"), ConnectionDevice
    )
    envelope = enveloped(
        cataloged,
        entropy=entropy,
        now=now,
        signer=administrator,
        recipients=[_present(connection.encryption).public_key(AGREEMENT)],
    )
    return CatalogedAccess(
        capability=AccessCapability(
            id=_present(connection.authentication).public_key(AGREEMENT).udf,
            active=True,
            expires=_present(connection.authentication).not_on_or_after,
            rights=tuple(rights) if rights is not None else None,
            enveloped_cataloged_device=envelope,
            cataloged_device_digest=cataloged_device_digest(envelope),
        )
    )


def make_null_capability(capability_id: str) -> CatalogedAccess:
    """The entry that takes the place of capability `capability_id` when it is revoked."""
    return CatalogedAccess(capability=NullCapability(id=capability_id, active=False))


def _present(data: KeyData | None) -> KeyData:
    if data is None:
        raise VerificationError("a key that the object must state is missing")
    return data
