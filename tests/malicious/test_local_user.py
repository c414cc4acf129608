"""Attacks by another user of the hub's machine, who is not root, and by what a browser is led to send."""

import asyncio
import io
import os
import socket
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from PIL import Image

from meshhub.api import since_when
from meshhub.dashboard import label_image
from meshhub.dashboard.guard import KEY_HEADER
from meshhub.dashboard.problems import Problem
from meshhub.dashboard.server import Dashboard
from meshhub.errors import HubError
from meshhub.events import EventBus
from meshhub.lock import DataLock


class NoDevices:
    """As much of a hub as its dashboard needs before anybody has signed in."""

    events = EventBus()


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


async def _dashboard(folder: Path, port: int) -> Dashboard:
    await asyncio.to_thread(folder.mkdir, mode=0o700, exist_ok=True)
    made = Dashboard(NoDevices(), folder, port=port)  # type: ignore[arg-type]
    await made.start()
    return made


@pytest.mark.skipif(not _has_ipv6(), reason="this machine has no ::1")
async def test_a_port_of_which_another_program_has_half_is_passed_over(tmp_path: Path) -> None:
    """A browser may take `localhost` as ::1: whoever listens there would read the sign-in link's secret."""
    with socket.socket(socket.AF_INET6) as squatter:
        squatter.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        squatter.bind(("::1", 0))
        squatter.listen()
        taken = squatter.getsockname()[1]
        made = await _dashboard(tmp_path / "data", taken)
        try:
            assert made.port != taken
        finally:
            await made.stop()


async def test_what_a_browser_tells_whoever_takes_the_port_opens_nothing_later(tmp_path: Path) -> None:
    """While the hub is stopped, its address may be another program's: that gets all that a page sends."""
    made = await _dashboard(tmp_path / "data", 0)
    port, told = made.port, []
    async with aiohttp.ClientSession(made.url, cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        async with browser.post("/api/sign-in", json={"token": made.new_link().partition("#")[2]}) as answer:
            browser.headers[KEY_HEADER] = (await answer.json())["key"]
        async with browser.post("/api/alarms/none/dismiss", json={}) as answer:
            assert answer.status == 404  # it is signed in
        await made.stop()
        told = await _squat(port, browser)
    assert told["Cookie"]
    assert told[KEY_HEADER]
    again = await _dashboard(tmp_path / "data", port)
    try:
        assert again.port == port
        async with aiohttp.ClientSession(again.url, headers=told) as squatter:
            async with squatter.post("/api/alarms/none/dismiss", json={}) as answer:
                assert answer.status == 401
    finally:
        await again.stop()


async def _squat(port: int, browser: aiohttp.ClientSession) -> dict[str, str]:
    """Take the port; what the page that is still open sends to it."""
    seen: dict[str, str] = {}

    async def keep(request: web.BaseRequest) -> web.Response:
        seen.update({name: request.headers[name] for name in ("Cookie", KEY_HEADER)})
        return web.Response()

    runner = web.ServerRunner(web.Server(keep))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        async with browser.get(f"http://localhost:{port}/api/events") as answer:
            assert answer.status == 200
    finally:
        await runner.cleanup()
    return seen


async def test_failed_sign_ins_of_others_do_not_lock_the_owner_out(tmp_path: Path) -> None:
    made = await _dashboard(tmp_path / "data", 0)
    try:
        async with aiohttp.ClientSession(made.url) as session:
            answers = []
            for _ in range(25):
                async with session.post("/api/sign-in", json={"token": "guess"}) as answer:
                    answers.append(answer.status)
            assert {403, 429} == set(answers)
            async with session.post(
                "/api/sign-in", json={"token": made.new_link().partition("#")[2]}
            ) as answer:
                assert answer.status == 200
    finally:
        await made.stop()


async def test_a_stranger_cannot_make_the_hub_read_much(tmp_path: Path) -> None:
    made = await _dashboard(tmp_path / "data", 0)

    async def pieces() -> Any:
        yield b'{"token":"' + b"x" * 100_000 + b'"}'

    headers = {"Content-Type": "application/json"}
    try:
        async with aiohttp.ClientSession(made.url) as session:
            for body in (b"{" + b" " * 5000 + b"}", pieces()):
                async with session.post("/api/sign-in", data=body, headers=headers) as answer:
                    assert answer.status == 413
    finally:
        await made.stop()


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_a_data_folder_that_others_may_write_to_is_refused(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(HubError, match="other users"):
        DataLock(folder).take()
    assert list(folder.iterdir()) == []
    folder.chmod(0o755)
    DataLock(folder).take().release()


def test_a_data_folder_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    owner = folder.stat().st_uid
    if owner == 0:
        os.chown(folder, 65534, 65534)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(HubError, match="other users"):
        DataLock(folder).take()


def test_everything_in_a_new_data_folder_is_the_owners_alone(tmp_path: Path) -> None:
    """Also where the umask is as open as can be."""
    program = f"""
import asyncio, os
from pathlib import Path
from meshhub.app import Hub
from meshhub.config import Config
from meshhub.dashboard.server import Dashboard
os.umask(0)
async def main():
    hub = Hub(Config.load(Path({str(tmp_path / "data")!r}), mqtt_port=0))
    await hub.start()
    dashboard = Dashboard(hub, hub.data, port=0)
    await dashboard.start()
    for path in [hub.data, *hub.data.rglob("*")]:
        print(oct(path.lstat().st_mode), path.name)
    await dashboard.stop()
    await hub.stop()
asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True
    )
    found = dict(reversed(line.split(" ", 1)) for line in done.stdout.splitlines())
    assert {"keys.json", "hub.sock", "passwords", "hub.lock"} <= found.keys()
    assert [name for name, mode in found.items() if stat.S_IMODE(int(mode, 8)) & 0o077] == []


@pytest.mark.parametrize("since", ["999999w", "999998w"])
def test_a_span_beyond_the_calendar_is_a_wrong_time(since: str) -> None:
    with pytest.raises(Problem) as raised:
        since_when(since, datetime.now(UTC))
    assert raised.value.status == 422


def test_a_picture_that_unpacks_to_much_memory_is_refused() -> None:
    octets = io.BytesIO()
    Image.new("L", (5000, 5000)).save(octets, "PNG")
    assert len(octets.getvalue()) < 100_000
    with pytest.raises(Problem) as raised:
        label_image.read_label(octets.getvalue())
    assert raised.value.kind == "image-too-large"


async def test_pictures_are_read_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    from meshhub import api

    running = most = 0

    def read(data: bytes) -> str:
        nonlocal running, most
        running += 1
        most = max(most, running)
        import time

        time.sleep(0.02)
        running -= 1
        return "mcu://x"

    monkeypatch.setattr(api, "read_label", read)
    served = api.Api(NoDevices())  # type: ignore[arg-type]
    await asyncio.gather(*(served._code_of_image({"image": "AAAA"}) for _ in range(4)))
    assert most == 1
