from collections.abc import Mapping
from typing import Any

import pytest

from mathmesh.schema.cataloged import CatalogedDevice, HubExtension
from mathmesh.schema.mesh_object import MeshObject
from meshhub.errors import AMBIGUOUS, UNKNOWN, VALUE, DeviceError
from meshhub.registry import Presence, Registry, check_name, fold
from meshhub.telemetry_store import Latest

LAMP = {"d": 1, "v": 1, "m": "mesh/lamp1", "n": {"light": {"k": "light", "p": {"on": ["b", "w"]}}}}
UDF = {
    "kitchen": "MAKA-ZJVW-RQHG-L36U-JVQX-JVCB-IEZY",
    "hall": "MAKB-ZJVW-RQHG-L36U-JVQX-JVCB-IEZY",
    "door": "MDOO-ZJVW-RQHG-L36U-JVQX-JVCB-IEZY",
    "twin": "MTWI-ZJVW-RQHG-L36U-JVQX-JVCB-IEZY",
    "sibling": "MAKA-AAAA-RQHG-L36U-JVQX-JVCB-IEZY",
}


class Entries:
    """The Device catalog in memory."""

    def __init__(self) -> None:
        self.held: dict[str, MeshObject] = {}
        self.add("kitchen", "Lamp", "Kitchen")
        self.add("hall", "lamp", "Hall")
        self.add("door", "Garage Door", None)
        self.held["HUB"] = CatalogedDevice(device_udf="HUB", local_name="hub")

    def add(self, key: str, name: str | None, room: str | None) -> None:
        udf = UDF[key]
        extension = HubExtension(room=room, description=LAMP)
        self.held[udf] = CatalogedDevice(
            device_udf=udf, local_name=name, mesh_hub=extension, unknown={"Other": "kept"}
        )

    def entries(self) -> Mapping[str, MeshObject]:
        return self.held

    async def write(self, entry: CatalogedDevice) -> None:
        self.held[entry.device_udf or ""] = entry


@pytest.fixture
def catalog() -> Entries:
    return Entries()


@pytest.fixture
def registry(catalog: Entries) -> Registry:
    latest: dict[str, Any] = {
        UDF["kitchen"]: {("light", "on"): Latest(value=True, time=5, order=(1, 1))},
    }
    return Registry(
        catalog,
        presence=lambda udf: Presence(online=udf == UDF["hall"], last_seen=9),
        latest=lambda udf: latest.get(udf, {}),
    )


@pytest.mark.parametrize(
    ("text", "device"),
    [
        ("kitchen lamp", "kitchen"),
        ("Kitchen  LAMP", "kitchen"),
        ("kitchen/lamp", "kitchen"),
        ("hall lamp", "hall"),
        ("garage door", "door"),
        ("ｇａｒａｇｅ door", "door"),
        (UDF["door"], "door"),
        (UDF["door"].lower(), "door"),
        ("MDOO", "door"),
        ("makazj", "kitchen"),
    ],
)
def test_names_that_are_one_device(registry: Registry, text: str, device: str) -> None:
    assert registry.resolve(text).udf == UDF[device]


@pytest.mark.parametrize(
    ("text", "kind", "candidates"),
    [
        ("lamp", AMBIGUOUS, {"Hall lamp", "Kitchen Lamp"}),
        ("MAK", UNKNOWN, None),
        ("kitchen lmap", UNKNOWN, {"Kitchen Lamp"}),
        ("", UNKNOWN, None),
        ("hub", UNKNOWN, None),
    ],
)
def test_names_that_are_not(registry: Registry, text: str, kind: str, candidates: set[str] | None) -> None:
    with pytest.raises(DeviceError) as caught:
        registry.resolve(text)
    assert caught.value.kind == kind
    if candidates is not None:
        assert candidates <= set(caught.value.candidates)


def test_a_prefix_of_several_lists_them(registry: Registry, catalog: Entries) -> None:
    catalog.add("sibling", "Lamp", "Kitchen")
    with pytest.raises(DeviceError) as caught:
        registry.resolve("kitchen lamp")
    assert caught.value.kind == AMBIGUOUS
    assert sorted(caught.value.candidates) == ["Kitchen Lamp (MAKA-AAAA)", "Kitchen Lamp (MAKA-ZJVW)"]
    with pytest.raises(DeviceError, match="2 devices"):
        registry.resolve("MAKA")
    assert registry.resolve("MAKA-A").udf == UDF["sibling"]


def test_a_record_joins_what_is_known(registry: Registry) -> None:
    names = [device.full_name for device in registry.devices()]
    assert names == ["Garage Door", "Hall lamp", "Kitchen Lamp"]
    kitchen, hall = registry.get(UDF["kitchen"]), registry.get(UDF["hall"])
    assert kitchen.values["light", "on"].value is True
    assert (kitchen.online, hall.online) == (False, True)
    assert kitchen.model == "mesh/lamp1"
    with pytest.raises(DeviceError):
        registry.get("HUB")


async def test_rename_keeps_everything_else(registry: Registry, catalog: Entries) -> None:
    record = await registry.rename(UDF["hall"], "  ceiling   light ")
    assert record.full_name == "Hall ceiling light"
    record = await registry.rename(registry.resolve("ceiling light"), "Lamp", "Attic")
    assert record.full_name == "Attic Lamp"
    entry = catalog.held[UDF["hall"]]
    assert isinstance(entry, CatalogedDevice)
    assert entry.mesh_hub is not None
    assert entry.mesh_hub.description == LAMP
    assert entry.unknown == {"Other": "kept"}
    record = await registry.rename(UDF["hall"], "Lamp", "")
    assert (record.name, record.room) == ("Lamp", "")


@pytest.mark.parametrize("name", ["", "   ", "x" * 65, "a\x00b", "bell\x07", "‮evil"])
async def test_names_that_cannot_be_given(registry: Registry, name: str) -> None:
    with pytest.raises(DeviceError) as caught:
        await registry.rename(UDF["hall"], name)
    assert caught.value.kind == VALUE


async def test_a_name_that_is_taken(registry: Registry) -> None:
    with pytest.raises(DeviceError, match="already"):
        await registry.rename(UDF["hall"], "LAMP", "kitchen")
    assert (await registry.rename(UDF["kitchen"], "LAMP", "kitchen")).full_name == "kitchen LAMP"


def test_proposed_names_are_free(registry: Registry, catalog: Entries) -> None:
    assert registry.propose_name("light") == "light"
    catalog.add("twin", "light", None)
    assert registry.propose_name("light") == "light 2"
    assert registry.propose_name("light", "Kitchen") == "light"


def test_names_are_compared_in_one_form() -> None:
    assert fold("  Küche  LAMPE ") == fold("küche lampe")
    assert check_name("Ku\u0308che") == "Küche"
