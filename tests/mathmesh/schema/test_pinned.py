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
from mathmesh.schema import CatalogedNetwork, MeshObject, Reference, parse
from mathmesh.schema.build import (
    enveloped,
    make_access_capability,
    make_message_complete,
    make_null_capability,
    make_preconfiguration_private,
    make_respond_connection,
)

FOLDER = Path(__file__).parents[2] / "vectors" / "mesh"
SOURCE = "tests/mathmesh/schema/test_pinned.py"


def pinned(world: Any, cataloged: Any, publication: Any, claim: Envelope, source: Any) -> dict[str, Any]:
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
    }
    files = {
        f"2022/{name}.json": json.dumps(_wrapper(item, opened_by), indent=1) + "\n"
        for name, (item, opened_by) in objects.items()
    }
    files["keys-2022.jsonl"] = "".join(
        _row(key) for key in (admin, sign, world.key("AdminSign", world.other_seed))
    )
    return files


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


NAMES = (
    "CatalogedAccess-revoked",
    "CatalogedAccess",
    "CatalogedDevice",
    "CatalogedNetwork",
    "CatalogedPublication",
    "DevicePreconfigurationPrivate",
    "MessageClaim",
    "MessageComplete",
    "ProfileDevice",
    "ProfileService",
    "ProfileUser",
    "RespondConnection",
)


@pytest.fixture(scope="module")
def made(world: Any, cataloged: Any, publication: Any, claim: Envelope, octets: Any) -> dict[str, str]:
    return pinned(world, cataloged, publication, claim, octets)


@pytest.mark.parametrize("name", [*(f"2022/{name}.json" for name in NAMES), "keys-2022.jsonl"])
def test_the_same_seeds_give_the_same_octets(made: dict[str, str], name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == made[name]


def test_every_pinned_file_is_made(made: dict[str, str]) -> None:
    found = {path.relative_to(FOLDER).as_posix() for path in FOLDER.glob("2022/*")}
    assert found | {"keys-2022.jsonl"} == set(made)


if __name__ == "__main__":
    import conftest

    built = conftest.build_world()
    contents = pinned(
        built,
        conftest.build_cataloged(built),
        conftest.build_publication(built),
        conftest.build_claim(built),
        conftest.source,
    )
    for file, text in contents.items():
        path = FOLDER / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
