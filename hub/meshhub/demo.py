"""Two simulated devices beside the hub, so that a newcomer sees it work without hardware.

A lamp that is already at home and a climate sensor that waits with its label picture. Both run the real
firmware as processes of their own; they are minted once, under the hub's own maker account, and keep their
state in DATA/demo. Like real devices they go on when the hub is killed: a hub that comes back finds them
running, with what they have measured meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mathmesh.errors import MeshError
from meshhub import ports
from meshhub.dashboard.label_image import read_label
from meshhub.errors import HubError
from meshhub.onboarding import Onboarding

PRESS_SECONDS = 600.0
"""A free device closes its window 15 min after the last press; the demo keeps the waiting one open."""
MINT_SECONDS = 60.0
FLASH = "flash"
NOTE = "device.json"
OWNER = "hub.pid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One simulated device; with `room` it is adopted at once."""

    folder: str
    kind: str
    name: str | None = None
    room: str | None = None


UNITS = (
    Unit(folder="lamp", kind="light", name="lamp", room="Kitchen"),
    Unit(folder="climate", kind="climate"),
)


class UnitProcess:
    """The process of one simulated device, which may have been started by a hub that was killed since."""

    def __init__(self, folder: Path) -> None:
        self._flash = folder / FLASH
        self._pid_file = folder / "pid"
        self._child: asyncio.subprocess.Process | None = None

    async def start(self, port: int, owner: Path) -> None:
        """Start it unless it still runs; it ends by itself when the process in `owner` stays away."""
        if self._pid() is not None:
            return
        arguments = ["--state", str(self._flash), "--port", str(port), "--owner", str(owner)]
        self._child = await _spawn("-m", "meshfactory.simulate", *arguments)
        self._pid_file.write_text(str(self._child.pid), encoding="utf-8")

    async def stop(self) -> None:
        """End it as a power cut would."""
        pid = self._pid()
        if pid is None:
            return
        for number, seconds in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._gone()
                    break
        self._pid_file.unlink(missing_ok=True)

    async def _gone(self) -> None:
        if self._child is not None:
            await self._child.wait()
        while self._pid() is not None:  # noqa: ASYNC110 - not our child: its end can only be looked for
            await asyncio.sleep(0.05)

    def _pid(self) -> int | None:
        """Its process id while it runs; another process that got the same number since is not it."""
        try:
            pid = int(self._pid_file.read_text(encoding="utf-8"))
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return None
        return pid if str(self._flash).encode() in command.split(b"\0") else None


class Demo:
    """Owns the simulated devices."""

    def __init__(self, data: Path, onboarding: Onboarding, is_home: Callable[[str], bool]) -> None:
        self._data = data
        self._folder = data / "demo"
        self._onboarding = onboarding
        self._is_home = is_home
        self._units: list[UnitProcess] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, say: Callable[[str], None]) -> None:
        """Mint what is missing, start both devices, adopt the lamp; `say` gets a line for people.

        Raises HubError when a device cannot be made.
        """
        self._folder.mkdir(mode=0o700, exist_ok=True)
        (self._folder / OWNER).write_text(str(os.getpid()), encoding="utf-8")
        await asyncio.gather(*(self._bring_up(unit, say) for unit in UNITS))

    async def stop(self) -> None:
        """End the devices."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(unit.stop() for unit in self._units))

    async def _bring_up(self, unit: Unit, say: Callable[[str], None]) -> None:
        folder = self._folder / unit.folder
        if not (folder / NOTE).exists():
            await self._mint(unit, folder)
        made = json.loads((folder / NOTE).read_text(encoding="utf-8"))
        process = UnitProcess(folder)
        self._units.append(process)
        await process.start(made["port"], self._folder / OWNER)
        if self._is_home(made["udf"]):
            return
        picture = folder / "label.png"
        if unit.room is None:
            say(f"A {unit.kind} sensor waits to be added; its label is the picture {picture}")
            self._tasks.append(asyncio.create_task(self._keep_open(folder / FLASH / "control")))
            return
        code = await asyncio.to_thread(read_label, picture.read_bytes())
        try:
            await self._onboarding.start(code, yes=True, name=unit.name, room=unit.room).wait()
        except MeshError as error:
            say(f"The simulated {unit.folder} could not be added: {error}")

    async def _mint(self, unit: Unit, folder: Path) -> None:
        """A folder that was left half-made by a crash is made anew: nothing in it was used yet."""
        shutil.rmtree(folder, ignore_errors=True)
        port = ports.any_free("127.0.0.1")
        arguments = ["--data", str(self._data), "--kind", unit.kind, "--out", str(folder)]
        arguments += ["--hail", f"mmm-tcp://127.0.0.1:{port}", "--serial", f"demo-{unit.folder}", "--json"]
        process = await _spawn("-m", "meshfactory.cli", "mint", *arguments, capture=True)
        try:
            async with asyncio.timeout(MINT_SECONDS):
                out, problem = await process.communicate()
        except TimeoutError:
            process.kill()
            raise HubError("The factory did not finish making a simulated device.") from None
        if process.returncode:
            raise HubError(f"The simulated {unit.folder} could not be made: {problem.decode().strip()}")
        made = json.loads(out)
        note = folder / f"{NOTE}.new"
        note.write_text(json.dumps({"udf": made["udf"], "port": port}), encoding="utf-8")
        note.rename(folder / NOTE)

    async def _keep_open(self, control: Path) -> None:
        while True:
            await asyncio.sleep(PRESS_SECONDS)
            with control.open("a", encoding="utf-8") as commands:
                commands.write("press\n")


async def _spawn(*arguments: str, capture: bool = False) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE if capture else asyncio.subprocess.DEVNULL
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=pipe,
        stderr=pipe,
        start_new_session=True,
    )
