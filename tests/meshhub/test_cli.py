"""The commands, against a hub in the same process, over its real local socket."""

import asyncio
import io
import json
import os
import pty
import subprocess
import sys

import pytest
import segno
from click.testing import CliRunner, Result

from meshhub import local_socket
from meshhub.cli import commands

GOOD_CODE = "EDRL-4MZP-3OUD-OZBS-SPZN-7OSO-OM"
WRONG_CODE = "EDQF-7KXK-WNDR-DB6X-WQ3V-7QGQ-VQ"


@pytest.fixture
def meshhub(dashboard, data):
    """Runs a command and gives its result; the hub goes on in this loop meanwhile."""

    async def run(*words: str, typed: str = "") -> Result:
        arguments = [words[0], "--data", str(data), *words[1:]]
        return await asyncio.to_thread(CliRunner().invoke, commands, arguments, input=typed)

    return run


async def test_devices(meshhub):
    result = await meshhub("devices")
    assert result.exit_code == 0
    assert "Everything box" in result.output
    assert "level 40 %" in result.output
    assert [one["room"] for one in json.loads((await meshhub("devices", "--json")).output)["devices"]].count(
        "Kitchen"
    ) == 2


async def test_devices_tells_what_is_over_a_limit(meshhub, hub):
    hub.resolve("kitchen lamp").over_limit = 216
    told = "Lamp (Kitchen): 216 readings are over its limit and not stored; the device repeats what it keeps."
    assert told in (await meshhub("devices")).output
    assert (await meshhub("get", "kitchen", "lamp")).output.splitlines()[1] == told.partition(": ")[2]
    assert "limit" not in (await meshhub("get", "climate")).output


@pytest.mark.parametrize(
    ("words", "output"),
    [
        (("kitchen", "lamp", "level"), "40 %"),
        (("Kitchen Lamp", "on"), "off"),
        (("climate", "temperature"), "21.5 °C"),
        (("everything", "box", "heat.mode"), "heat"),
    ],
)
async def test_get_one_value(meshhub, words, output):
    result = await meshhub("get", *words)
    assert (result.exit_code, result.output.strip()) == (0, output)


async def test_get_a_whole_device_and_as_json(meshhub):
    assert "Lamp (Kitchen): live" in (await meshhub("get", "kitchen", "lamp")).output
    assert json.loads((await meshhub("get", "kitchen lamp", "--json")).output)["name"] == "Lamp"
    value = json.loads((await meshhub("get", "climate", "humidity", "--json")).output)
    assert (value["property"], value["value"], value["unit"]) == ("humidity", 48.0, "%")
    assert (value["name"], value["full_name"]) == ("Climate", (value["room"] + " Climate").strip())


async def test_set(meshhub, hub):
    result = await meshhub("set", "kitchen", "lamp", "on=true", "level=70")
    assert (result.exit_code, result.output.strip()) == (0, "Lamp (Kitchen): on, level 70 %")
    assert hub.resolve("kitchen lamp").values["lamp", "level"].value == 70
    answer = json.loads((await meshhub("set", "kitchen lamp", "on=off", "--json")).output)
    assert answer["values"] == {"lamp.on": False}


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("get", "toaster"), "no device is called"),
        (("set", "lamp", "on=true"), "Bedroom Lamp"),
        (("set", "kitchen lamp", "on=maybe"), "takes true or false"),
        (("set", "kitchen lamp", "level=300"), "It takes a whole number from 0 to 100 %."),
        (("set", "everything box", "heat.target=90"), "It takes a number from 5 to 30 °C."),
        (("set", "everything box", "mode=warm"), "off\n  heat\n  cool\n  auto\nIt takes one of these."),
        (("set", "climate", "temperature=3"), "cannot be set"),
        (("set", "everything box", "on=true"), "left.on"),
        (("get", "kitchen", "lamp", "colour"), "no property"),
        (("history", "climate", "--since", "soon"), "not a time"),
        (("forget", "toaster", "--yes"), "no device is called"),
        (("add", "--yes", "EDRL"), "26 characters"),
        (("add", "--yes", "no/such/label"), "no/such/label is not there."),
        (("add", "--yes", "/"), "/ is a folder: name the picture in it."),
        (("add", "--yes", WRONG_CODE), "No device with this code"),
    ],
)
async def test_what_the_hub_refuses_ends_with_1(meshhub, words, text):
    result = await meshhub(*words)
    assert result.exit_code == 1
    assert text.lower() in result.output.lower()
    assert "Traceback" not in result.output


async def test_a_refusal_as_json(meshhub):
    result = await meshhub("set", "lamp", "on=true", "--json")
    answer = json.loads(result.stderr)
    assert (result.exit_code, result.stdout, answer["kind"]) == (1, "", "ambiguous-device")
    assert answer["candidates"] == ["Kitchen Lamp", "Bedroom Lamp"]


async def test_a_failed_adoption_as_json_says_nothing_else_on_standard_error(meshhub):
    result = await meshhub("add", WRONG_CODE, "--yes", "--json")
    answer = json.loads(result.stderr)
    assert (result.exit_code, result.stdout, answer["state"]) == (1, "", "failed")
    assert answer["error"][0].isupper()
    assert answer["error"].endswith(".")


async def test_names_of_properties_in_any_case(meshhub):
    assert (await meshhub("get", "climate", "HUMIDITY")).output.strip() == "48 %"


async def test_offline(meshhub, hub):
    hub.turn(hub.resolve("kitchen lamp"), online=False)
    result = await meshhub("set", "kitchen lamp", "on=true")
    assert result.exit_code == 1
    assert "offline" in result.output


@pytest.mark.parametrize(
    "words",
    [
        ("set", "kitchen lamp"),
        ("set", "on=true"),
        ("set", "lamp", "=true"),
        ("get",),
        ("rename", "kitchen lamp"),
        ("rename", "no", "such", "name"),
        ("rename", "kitchen lamp", " "),
        ("add", "--yes"),
        ("add", "--yes", "-"),
        ("forget", "kitchen lamp"),
        ("add", GOOD_CODE),
        ("run", "--port", "70000"),
        ("devices", "--colour"),
    ],
)
async def test_wrong_usage_ends_with_2(meshhub, words):
    assert (await meshhub(*words)).exit_code == 2


@pytest.mark.parametrize(
    ("words", "name", "room"),
    [
        (("kitchen lamp", "Spot"), "Spot", "Kitchen"),
        (("kitchen", "lamp", "reading", "light"), "reading light", "Kitchen"),
        (("kitchen lamp", "Spot", "--room", "Study"), "Spot", "Study"),
        (("kitchen", "lamp", "--room", "Study"), "Lamp", "Study"),
        (("kitchen lamp", "--room", ""), "Lamp", ""),
    ],
)
async def test_rename(meshhub, hub, words, name, room):
    udf = hub.resolve("kitchen lamp").udf
    assert (await meshhub("rename", *words)).exit_code == 0
    assert (hub.known[udf].name, hub.known[udf].room) == (name, room)


@pytest.mark.parametrize(("online", "hint"), [(True, "press its button"), (False, "hold its button")])
async def test_forget(meshhub, hub, online, hint):
    hub.turn(hub.resolve("kitchen lamp"), online=online)
    result = await meshhub("forget", "kitchen", "lamp", "--yes")
    assert (result.exit_code, result.stdout.strip()) == (0, "Forgot Lamp (Kitchen).")
    assert hint in result.stderr
    assert len(hub.devices()) == 4


async def test_history(meshhub):
    assert "air.temperature" in (await meshhub("history", "climate")).output
    answer = json.loads((await meshhub("history", "climate", "--since", "5m", "--json")).output)
    assert {one["property"] for one in answer["readings"]} == {"air.temperature", "air.humidity"}


async def test_add_by_code_picture_and_standard_input(meshhub, hub, tmp_path):
    result = await meshhub(
        "add", *GOOD_CODE.lower().split("-"), "--yes", "--name", "Weather", "--room", "Porch"
    )
    assert (result.exit_code, result.stdout.strip()) == (0, "Added Weather (Porch).")
    picture = tmp_path / "label.png"
    out = io.BytesIO()
    segno.make(f"mcu://maker@hub.local/{GOOD_CODE}").save(out, kind="png", scale=4)
    picture.write_bytes(out.getvalue())
    assert (await meshhub("add", str(picture), "--yes")).exit_code == 0
    answer = await meshhub("add", "-", "--yes", "--json", typed=f"{GOOD_CODE}\n")
    assert json.loads(answer.stdout)["state"] == "done"


@pytest.mark.parametrize(("name", "text"), [("missing.png", "is not there"), ("text.png", "can read")])
async def test_add_by_a_picture_that_is_none(meshhub, tmp_path, name, text):
    (tmp_path / "text.png").write_text("no picture")
    result = await meshhub("add", str(tmp_path / name), "--yes")
    assert result.exit_code == 1
    assert text in result.output


async def test_link_and_status(meshhub, dashboard):
    assert (await meshhub("link")).output.startswith(f"{dashboard.url}sign-in#")
    assert json.loads((await meshhub("link", "--json")).output)["url"].startswith(dashboard.url)
    assert "home@hub.local" in (await meshhub("status")).output
    assert json.loads((await meshhub("status", "--json")).output)["devices"] == 5


@pytest.mark.parametrize("left_behind", [False, True])
def test_without_a_hub_one_line_tells_what_to_do(data, left_behind):
    if left_behind:
        local_socket.listen(data).close()
    result = CliRunner().invoke(commands, ["devices", "--data", str(data)])
    assert result.exit_code == 1
    assert "No hub runs" in result.output
    assert "meshhub run" in result.output


def test_without_a_data_folder_too(tmp_path):
    result = CliRunner().invoke(commands, ["devices", "--data", str(tmp_path / "none"), "--json"])
    assert (result.exit_code, json.loads(result.stderr)["kind"]) == (1, "not-running")


async def test_something_else_on_the_socket_is_no_hub(data):
    listener = local_socket.listen(data)

    async def nonsense(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail ready\r\n\r\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_unix_server(nonsense, sock=listener):
        result = await asyncio.to_thread(CliRunner().invoke, commands, ["devices", "--data", str(data)])
    assert result.exit_code == 1
    assert "Traceback" not in result.output


async def test_on_a_terminal_it_asks_which_one_blinks(dashboard, data, hub):
    """The real command on a real terminal."""
    ours, theirs = pty.openpty()
    program = "from meshhub.cli import main; main()"
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, "add", GOOD_CODE, "--data", str(data), "--name", "Weather",
        stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, env=os.environ | {"TERM": "dumb"},
    )  # fmt: skip
    os.close(theirs)
    screen = b""
    async with asyncio.timeout(15):
        while b"blinks? [y/N]" not in screen:
            screen += await asyncio.to_thread(os.read, ours, 4096)
        os.write(ours, b"y\n")
        output, _ = await child.communicate()
    os.close(ours)
    assert (child.returncode, output.decode().strip()) == (0, "Added Weather.")
    assert hub.resolve("weather").online
