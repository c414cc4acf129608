"""Objects that our own code made are pinned under tests/vectors/mesh: a change of the wire shows here.

``python tests/mathmesh/schema/test_pinned.py`` writes them anew.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from mathmesh.codec import udf
from mathmesh.dare.envelope import Envelope
from mathmesh.keys import derive, ids
from mathmesh.keys.pair import PrivateKey
from mathmesh.schema import (
    ActivationApplicationMail,
    CatalogedNetwork,
    CatalogedPending,
    CatalogedService,
    CatalogedStandard,
    CatalogedTask,
    DevicePreconfigurationPrivate,
    Engagement,
    KeyData,
    MeshObject,
    Reference,
    parse,
)
from mathmesh.schema.build import (
    enveloped,
    make_access_capability,
    make_cataloged_contact,
    make_cataloged_group,
    make_cataloged_mail,
    make_cataloged_preconfigured,
    make_message_complete,
    make_null_capability,
    make_preconfiguration_private,
    make_respond_connection,
)

FOLDER = Path(__file__).parents[2] / "vectors" / "mesh"
SOURCE = "tests/mathmesh/schema/test_pinned.py"


def pinned(
    world: Any, cataloged: Any, publication: Any, claim: Envelope, kinds: Any, source: Any
) -> dict[str, Any]:
    """File name → its content."""
    base = derive.derive_key(world.device_seed, "BaseDeviceEncrypt").to_json()
    activated = world.keys.encryption.to_json()
    store = derive.derive_key(world.account_seed, "CompleteAccountEncryptMMM_Network")
    admin, sign = world.key("AdminSign"), world.key("Sign")
    device = world.profile_device_object
    network = CatalogedNetwork(protocol="", service="home", password="a pass phrase")
    claim_id = parse(claim.body).write()["MessageId"]
    respond = make_respond_connection(
        claim_id,
        "Accept",
        cataloged,
        device,
        sender="alice@hub.local",
        signer=sign,
        entropy=source("respond"),
        now=world.now,
    )
    complete = make_message_complete(
        [Reference(message_id=claim_id, response_id=ids.response_id(claim_id), relationship="Closed")],
        sender="alice@hub.local",
        signer=sign,
        entropy=source("complete"),
        now=world.now,
    )
    private = make_preconfiguration_private(
        world.device_seed,
        world.profile_device,
        f"mcu://maker@hub.local/{udf.text(udf.ENCRYPTION, world.k)}",
        ["mmm-tcp://127.0.0.1:7000"],
        world.now,
        maker_profile=world.other_user,
        administrator=world.key("AdminSign", world.other_seed),
    )
    access = make_access_capability(cataloged, source("access"), world.now, administrator=admin)
    sealed_network = enveloped(network, entropy=source("network"), now=world.now, recipients=[store.public])
    objects: dict[str, tuple[MeshObject | Envelope, list[Any]]] = {
        "ProfileUser": (world.profile_user, []),
        "ProfileDevice": (world.profile_device, []),
        "ProfileService": (world.profile_service, []),
        "CatalogedDevice": (cataloged, [base, activated]),
        "CatalogedAccess": (access, [activated]),
        "CatalogedAccess-revoked": (make_null_capability(world.keys.public.authentication.udf), []),
        "CatalogedPublication": (publication, [udf.text(udf.ENCRYPTION, world.k)]),
        "CatalogedNetwork": (sealed_network, [store.to_json()]),
        "DevicePreconfigurationPrivate": (private, []),
        "MessageClaim": (claim, []),
        "RespondConnection": (respond, [base]),
        "MessageComplete": (complete, []),
        **pinned_kinds(world, cataloged, kinds, private, source),
    }
    files = {
        f"2022/{name}.json": json.dumps(_wrapper(item, opened_by), indent=1) + "\n"
        for name, (item, opened_by) in objects.items()
    }
    files["keys-2022.jsonl"] = "".join(
        _row(key)
        for key in (
            admin,
            sign,
            *(world.key(name, world.other_seed) for name in ("AdminSign", "Sign")),
            world.key("AdminSign", kinds.group_seed),
            world.service_signature,
            derive.derive_key(world.device_seed, "BaseDeviceSign"),
        )
    )
    return files


def pinned_kinds(
    world: Any, cataloged: Any, kinds: Any, private: DevicePreconfigurationPrivate, source: Any
) -> dict[str, tuple[MeshObject | Envelope, list[Any]]]:
    """Name → object and what opens it, for the kinds that `mathmesh.schema.verify` verifies."""
    own, bob = (world.key("Encrypt", seed).to_json() for seed in (world.account_seed, world.other_seed))
    base = derive.derive_key(world.device_seed, "BaseDeviceEncrypt").to_json()
    host = derive.derive_key(kinds.host_seed, "BaseHostEncrypt").to_json()
    activated = world.keys.encryption.to_json()
    escrow = world.key("Escrow").to_json()
    mail = make_cataloged_mail(
        "alice@example.net",
        ActivationApplicationMail(smime_sign=KeyData.of_private(PrivateKey.from_seed("Ed448", bytes(56)))),
        escrow=world.key("Escrow").public,
        entropy=source("mail"),
        now=world.now,
    )
    group = make_cataloged_group(
        kinds.group_seed,
        kinds.profile_group,
        recipient=world.key("Encrypt").public,
        entropy=source("cataloged group"),
        now=world.now,
    )
    engagement = Engagement(key="NAAA", title="water the plants", start=world.now, busy=False)
    task = CatalogedTask(
        key="NAAA",
        title=engagement.title,
        enveloped_task=enveloped(engagement, entropy=source("task"), now=world.now),
    )
    common, access = kinds.threshold
    device_udf = world.profile_device_object.udf
    pending = CatalogedPending(
        id=device_udf,
        device_udf=device_udf,
        enveloped_profile_account=world.profile_user,
        enveloped_profile_device=world.profile_device,
        enveloped_acknowledge_connection=kinds.acknowledgement,
        account_address="alice@hub.local",
    )
    machine = CatalogedService(
        id="hub",
        enveloped_profile_service=world.profile_service,
        enveloped_profile_host=kinds.profile_host,
        enveloped_activation_host=kinds.activation_host,
        enveloped_connection_service=kinds.connection_host,
    )
    contact = make_cataloged_contact(kinds.contact, now=world.now, is_self=True)
    threshold = enveloped(
        common,
        entropy=source("threshold activation"),
        now=world.now,
        signer=world.key("AdminSign"),
        recipients=[world.keys.encryption.public],
    )
    return {
        "ProfileGroup": (kinds.profile_group, []),
        "ProfileHost": (kinds.profile_host, []),
        "ConnectionHost": (kinds.connection_host, []),
        "ActivationHost": (kinds.activation_host, [host]),
        "AccountHostAssignment": (kinds.assignment, []),
        "CatalogedCallsign": (kinds.callsign, []),
        "MessagePin": (kinds.message_pin, [own]),
        "RequestConnection": (kinds.request, []),
        "AcknowledgeConnection": (kinds.acknowledgement, []),
        "RespondConnection-pin": (kinds.response, [base]),
        "ContactPerson": (kinds.their_contact, []),
        "CatalogedContact": (contact, []),
        "MessageContact": (kinds.message_contact, [own]),
        "RequestConfirmation": (kinds.question, [own]),
        "ResponseConfirmation": (kinds.answer, [own, bob]),
        "CatalogedGroup": (group, [own]),
        "CatalogedMember": (kinds.membership.member, []),
        "CatalogedAccess-member": (kinds.membership.access, [host]),
        "GroupInvitation": (kinds.invitation, [bob]),
        "ActivationCommon-threshold": (threshold, [activated]),
        "CatalogedAccess-threshold": (access, [host]),
        "CatalogedApplicationSsh": (kinds.ssh, [escrow]),
        "CatalogedApplicationMail": (mail, [escrow]),
        "ApplicationEntrySsh": (kinds.ssh_entry, [activated]),
        "CatalogedTask": (task, []),
        "CatalogedStandard": (
            CatalogedStandard(
                id=world.account.udf,
                enveloped_profile_account=world.profile_user,
                cataloged_device=cataloged,
            ),
            [base, activated],
        ),
        "CatalogedPending": (pending, []),
        "CatalogedPreconfigured": (make_cataloged_preconfigured(private), []),
        "CatalogedService": (machine, [host]),
    }


def _wrapper(item: MeshObject | Envelope, opened_by: list[Any]) -> dict[str, Any]:
    bare = isinstance(item, Envelope)
    return {
        "commit": "own",
        "source": SOURCE,
        "block": 0,
        "index": 0,
        "type": "list" if bare else item.tag,
        "opened_by": opened_by,
        "object": item.to_value() if isinstance(item, Envelope) else item.to_json(),
    }


def _row(key: PrivateKey) -> str:
    [members] = key.public.to_json().values()
    return json.dumps({"udf": key.public.udf, "crv": members["crv"], "public": members["Public"]}) + "\n"


NAMES = sorted(path.stem for path in (FOLDER / "2022").glob("*.json"))


@pytest.fixture(scope="module")
def made(
    world: Any, cataloged: Any, publication: Any, claim: Envelope, kinds: Any, octets: Any
) -> dict[str, str]:
    return pinned(world, cataloged, publication, claim, kinds, octets)


@pytest.mark.parametrize("name", [*(f"2022/{name}.json" for name in NAMES), "keys-2022.jsonl"])
def test_the_same_seeds_give_the_same_octets(made: dict[str, str], name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == made[name]


def test_every_pinned_file_is_made(made: dict[str, str]) -> None:
    found = {path.relative_to(FOLDER).as_posix() for path in FOLDER.glob("2022/*")}
    assert found | {"keys-2022.jsonl"} == set(made)


if __name__ == "__main__":
    import conftest

    built = conftest.build_world()
    device = conftest.build_cataloged(built)
    contents = pinned(
        built,
        device,
        conftest.build_publication(built),
        conftest.build_claim(built),
        conftest.build_kinds(built, device),
        conftest.source,
    )
    for file, text in contents.items():
        path = FOLDER / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
