"""The JSON API over the local socket: devices, values, names, history, adding, the event stream."""

import asyncio
import base64
import io
import json
import stat

import aiohttp
import pytest
import segno

from mathmesh.errors import PolicyError
from meshhub import local_socket
from meshhub.dashboard.server import Dashboard
from meshhub.events import Alarm

GOOD_CODE = "EDRL-4MZP-3OUD-OZBS-SPZN-7OSO-OM"
WRONG_CODE = "EDQF-7KXK-WNDR-DB6X-WQ3V-7QGQ-VQ"


async def ask(api: aiohttp.ClientSession, method: str, path: str, **body: object) -> tuple[int, dict]:
    given = {"params": body} if method == "GET" else {"json": body}
    async with api.request(method, path, **given) as answer:
        return answer.status, await answer.json()


async def test_devices_are_listed_by_room(api):
    status, answer = await ask(api, "GET", "/api/devices")
    assert status == 200
    assert [(one["room"], one["name"]) for one in answer["devices"]][:3] == [
        ("", "Everything box"),
        ("Bedroom", "Lamp"),
        ("Hall", "Doorbell"),
    ]


async def test_a_device_tells_its_properties(api):
    status, lamp = await ask(api, "GET", "/api/get", name="kitchen lamp")
    assert (status, lamp["kind"], lamp["state"]) == (200, "light", "live")
    level = lamp["properties"][1]
    assert (level["key"], level["value"], level["unit"], level["range"]) == ("level", 40, "%", [0, 100])
    assert await ask(api, "GET", f"/api/devices/{lamp['udf']}") == (200, lamp)


async def test_a_property_of_two_parts_is_named_with_its_part(api):
    _, box = await ask(api, "GET", "/api/get", name="everything box")
    assert [one["key"] for one in box["properties"]][:3] == ["left.on", "right.on", "position"]


@pytest.mark.parametrize(
    ("path", "query", "status", "kind"),
    [
        ("/api/get", {"name": "toaster"}, 404, "unknown-device"),
        ("/api/get", {"name": "lamp"}, 409, "ambiguous-device"),
        ("/api/get", {}, 400, "bad-request"),
        ("/api/get", {"name": "kitchen lamp", "property": "colour"}, 404, "unknown-property"),
        ("/api/history", {"name": "climate", "since": "soon"}, 422, "bad-time"),
        ("/api/devices/MNONE", {}, 404, "unknown-device"),
        ("/api/adoptions/none", {}, 404, "unknown-adoption"),
        ("/api/nothing", {}, 404, "not-found"),
        ("/api/set", {}, 405, "bad-method"),
    ],
)
async def test_questions_that_have_no_answer(api, path, query, status, kind):
    answered, problem = await ask(api, "GET", path, **query)
    assert (answered, problem["kind"]) == (status, kind)
    assert problem["error"]


async def test_an_ambiguous_name_lists_the_candidates(api):
    _, problem = await ask(api, "GET", "/api/get", name="lamp")
    assert problem["candidates"] == ["Kitchen Lamp", "Bedroom Lamp"]


async def test_set_answers_with_the_device_s_own_values(api, hub):
    status, answer = await ask(
        api, "POST", "/api/set", name="kitchen lamp", values={"on": "true", "level": 55}
    )
    assert (status, answer["values"]) == (200, {"lamp.on": True, "lamp.level": 55})
    assert answer["device"]["properties"][0]["value"] is True
    assert answer["milliseconds"] >= 20


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"name": "kitchen lamp", "values": {"on": "perhaps"}}, 422, "bad-value"),
        ({"name": "kitchen lamp", "values": {}}, 400, "no-values"),
        ({"name": "kitchen lamp", "values": [1]}, 400, "no-values"),
        ({"name": "everything box", "values": {"on": True}}, 409, "ambiguous-property"),
        ({"name": "climate", "values": {"temperature": 20}}, 409, "read-only"),
        ({"name": 4, "values": {"on": True}}, 400, "bad-request"),
        ({"name": "lamp", "values": {"on": True}}, 409, "ambiguous-device"),
    ],
)
async def test_a_wrong_set_changes_nothing(api, hub, body, status, kind):
    before = [dict(one.values) for one in hub.devices()]
    answered, problem = await ask(api, "POST", "/api/set", **body)
    assert (answered, problem["kind"]) == (status, kind)
    assert [dict(one.values) for one in hub.devices()] == before


async def test_a_device_without_power_is_told_as_offline(api, hub):
    hub.turn(hub.resolve("kitchen lamp"), online=False)
    status, problem = await ask(api, "POST", "/api/set", name="kitchen lamp", values={"on": True})
    assert (status, problem["kind"]) == (503, "offline")
    assert problem["remedy"]


@pytest.mark.parametrize(
    ("body", "name", "room"),
    [
        ({"to": "Reading  lamp "}, "Reading lamp", "Kitchen"),
        ({"room": "Study"}, "Lamp", "Study"),
        ({"to": "Spot", "room": ""}, "Spot", ""),
    ],
)
async def test_rename_and_move(api, hub, body, name, room):
    status, answer = await ask(api, "POST", "/api/rename", name="kitchen lamp", **body)
    assert (status, answer["name"], answer["room"]) == (200, name, room)
    assert hub.resolve(f"{room} {name}" if room else name).udf == answer["udf"]


@pytest.mark.parametrize("to", ["x" * 65, "bell\u0007", 7])
async def test_a_name_is_a_short_printable_text(api, to):
    status, problem = await ask(api, "POST", "/api/rename", name="kitchen lamp", to=to)
    assert (status, problem["kind"]) == (422, "bad-name")


async def test_forget(api, hub):
    status, _ = await ask(api, "POST", "/api/forget", name="kitchen lamp")
    assert status == 200
    assert (await ask(api, "GET", "/api/get", name="kitchen lamp"))[0] == 404


async def test_history_of_one_property(api, hub):
    hub.report(hub.resolve("climate"), "air", "temperature", 22.5)
    _, answer = await ask(api, "GET", "/api/history", name="climate", since="1h", property="temperature")
    assert [(one["property"], one["value"]) for one in answer["readings"]] == [
        ("air.temperature", 21.5),
        ("air.temperature", 22.5),
    ]


async def followed(api: aiohttp.ClientSession, identifier: str, *states: str) -> dict:
    async with asyncio.timeout(5):
        while True:
            _, adoption = await ask(api, "GET", f"/api/adoptions/{identifier}")
            if adoption["state"] in states:
                return adoption
            await asyncio.sleep(0.01)


async def test_add_asks_which_one_blinks(api, hub):
    typed = GOOD_CODE.lower().replace("-", " ")
    status, adoption = await ask(api, "POST", "/api/add", code=typed, name="Weather", room="Porch")
    assert (status, adoption["state"]) == (202, "running")
    await followed(api, adoption["id"], "confirm")
    status, _ = await ask(api, "POST", f"/api/adoptions/{adoption['id']}/confirm", seen=True)
    assert status == 200
    done = await followed(api, adoption["id"], "done")
    assert {step["state"] for step in done["steps"]} == {"done"}
    assert hub.resolve("porch weather").udf == done["device"]


async def test_add_stops_when_it_is_not_the_one(api, hub):
    _, adoption = await ask(api, "POST", "/api/add", code=GOOD_CODE)
    await followed(api, adoption["id"], "confirm")
    await ask(api, "POST", f"/api/adoptions/{adoption['id']}/confirm", seen=False)
    assert (await followed(api, adoption["id"], "failed"))["error"]


async def test_add_by_picture(api):
    out = io.BytesIO()
    segno.make(f"mcu://maker@hub.local/{GOOD_CODE}").save(out, kind="png", scale=4)
    picture = base64.b64encode(out.getvalue()).decode()
    _, adoption = await ask(api, "POST", "/api/add", image=picture, yes=True)
    assert (await followed(api, adoption["id"], "done", "failed"))["state"] == "done"


async def test_a_wrong_code_fails_with_its_reason(api):
    _, adoption = await ask(api, "POST", "/api/add", code=WRONG_CODE, yes=True)
    failed = await followed(api, adoption["id"], "done", "failed")
    assert (failed["state"], failed["error"]) == ("failed", "No device with this code was found.")


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({}, 400, "no-code"),
        ({"code": "EDRL"}, 422, "bad-code"),
        ({"code": "MDRL-4MZP-3OUD-OZBS-SPZN-7OSO-OM"}, 422, "bad-code"),
        ({"image": "%%%"}, 400, "bad-request"),
        ({"image": base64.b64encode(b"text").decode()}, 422, "not-an-image"),
    ],
)
async def test_what_is_no_label_is_refused(api, body, status, kind):
    answered, problem = await ask(api, "POST", "/api/add", **body)
    assert (answered, problem["kind"]) == (status, kind)


async def test_a_confirmation_that_nobody_asked_for_is_refused(api):
    _, adoption = await ask(api, "POST", "/api/add", code=GOOD_CODE, yes=True)
    await followed(api, adoption["id"], "done")
    status, problem = await ask(api, "POST", f"/api/adoptions/{adoption['id']}/confirm", seen=True)
    assert (status, problem["kind"]) == (409, "not-asked")


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 20_000, '"x"'])
async def test_a_body_that_is_no_object_is_refused(api, text):
    async with api.post("/api/set", data=text, headers={"Content-Type": "application/json"}) as answer:
        assert answer.status == 400


async def test_a_long_body_is_refused_where_no_picture_belongs(api):
    status, problem = await ask(api, "POST", "/api/set", name="x" * 70_000)
    assert (status, problem["kind"]) == (413, "too-large")


class Events:
    """Reads Server-Sent Events of an answer."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._lines = answer.content

    async def next(self, *kinds: str) -> tuple[str, dict]:
        async with asyncio.timeout(5):
            kind = ""
            while True:
                line = (await self._lines.readline()).decode().rstrip("\n")
                if line.startswith("event: "):
                    kind = line[7:]
                elif line.startswith("data: ") and kind in kinds:
                    return kind, json.loads(line[6:])


async def test_the_stream_tells_every_change(api, hub):
    async with api.get("/api/events") as answer:
        assert answer.content_type == "text/event-stream"
        events = Events(answer)
        _, first = await events.next("devices")
        assert len(first["devices"]) == 5
        lamp = hub.resolve("kitchen lamp")
        hub.report(lamp, "lamp", "on", True)
        _, told = await events.next("device")
        assert (told["udf"], told["properties"][0]["value"]) == (lamp.udf, True)
        hub.turn(lamp, online=False)
        assert (await events.next("device"))[1]["state"] == "offline"
        await hub.forget(lamp)
        assert (await events.next("removed"))[1] == {"udf": lamp.udf}
        await ask(api, "POST", "/api/add", code=GOOD_CODE, yes=True)
        while (await events.next("adoption"))[1]["state"] != "done":
            pass


async def test_an_alarm_waits_until_it_was_seen(api, hub):
    lamp = hub.resolve("kitchen lamp")
    hub.events.publish(Alarm(time=1, kind="clone", text="An older counter.", device=lamp.udf))
    hub.events.publish(Alarm(time=2, kind="clone", text="An older counter again.", device=lamp.udf))
    async with api.get("/api/events") as answer:
        events = Events(answer)
        _, told = await events.next("alarms")
        [alarm] = told["alarms"]
        assert (alarm["text"], alarm["device"]) == ("An older counter again.", lamp.udf)
        assert (await ask(api, "GET", "/api/status"))[1]["alarms"] == [alarm]
        path = f"/api/alarms/{alarm['id']}/dismiss"
        assert (await ask(api, "POST", path))[0] == 200
        assert (await events.next("alarms"))[1] == {"alarms": []}
        assert (await ask(api, "POST", path))[0] == 404


async def test_a_stream_that_fell_behind_gets_all_devices_again(api, hub):
    async with api.get("/api/events") as answer:
        events = Events(answer)
        await events.next("devices")
        lamp = hub.resolve("kitchen lamp")
        for level in range(1000):
            hub.report(lamp, "lamp", "level", level % 101)
        _, told = await events.next("devices")
        assert (
            next(one for one in told["devices"] if one["udf"] == lamp.udf)["properties"][1]["value"]
            == 999 % 101
        )


async def test_streams_end_when_the_hub_stops(data, hub):
    dashboard = Dashboard(hub, data, port=0)
    await dashboard.start()
    with local_socket.short_path(data) as path:
        async with (
            aiohttp.ClientSession("http://hub", connector=aiohttp.UnixConnector(path)) as session,
            session.get("/api/events") as answer,
        ):
            await Events(answer).next("devices")
            async with asyncio.timeout(3):
                await dashboard.stop()
    assert not (data / local_socket.NAME).exists()


async def test_the_socket_is_for_its_owner_only(dashboard, data):
    assert stat.S_IMODE((data / local_socket.NAME).stat().st_mode) == 0o600


async def test_the_socket_of_a_killed_hub_is_replaced_and_that_of_a_live_one_is_not(data):
    first = local_socket.listen(data)
    with pytest.raises(PolicyError, match="another hub"):
        local_socket.listen(data)
    first.close()
    assert (data / local_socket.NAME).exists()
    local_socket.listen(data).close()


async def test_a_long_folder_name_does_not_matter(tmp_path):
    data = tmp_path / ("x" * 120) / ("y" * 120)
    data.mkdir(parents=True)
    listener = local_socket.listen(data)
    assert local_socket.is_answered(data)
    listener.close()
    assert not local_socket.is_answered(data)


async def test_an_error_that_nobody_foresaw_is_told_without_its_inside(api, hub, monkeypatch):
    async def broken(*_: object) -> None:
        raise KeyError("inside")

    monkeypatch.setattr(hub, "set", broken)
    status, problem = await ask(api, "POST", "/api/set", name="kitchen lamp", values={"on": True})
    assert (status, problem["kind"]) == (500, "failed")
    assert "inside" not in json.dumps(problem)
