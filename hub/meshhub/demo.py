"""Two simulated devices beside the hub, so that a newcomer sees it work without hardware.

A lamp that is already at home and a climate sensor that waits with its label picture. Both run the real
firmware as processes of their own; they are minted once, under the hub's own maker account, and keep their
state in DATA/demo.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mathmesh.errors import MeshError
from meshhub import ports
from meshhub.child import child_arguments
from meshhub.dashboard.label_image import read_label
from meshhub.errors import HubError
from meshhub.onboarding import Onboarding

PRESS_SECONDS = 600.0
"""A free device closes its window 15 min after the last press; the demo keeps the waiting one open."""
MINT_SECONDS = 60.0


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


class Demo:
    """Owns the simulated devices' processes."""

    def __init__(self, data: Path, onboarding: Onboarding, is_home: Callable[[str], bool]) -> None:
        self._data = data
        self._onboarding = onboarding
        self._is_home = is_home
        self._processes: list[asyncio.subprocess.Process] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, say: Callable[[str], None]) -> None:
        """Mint what is missing, start both devices, adopt the lamp; `say` gets a line for people. Raises
        HubError.
        """
        await asyncio.gather(*(self._bring_up(unit, say) for unit in UNITS))

    async def stop(self) -> None:
        """End the devices as a power cut would."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for process in self._processes:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        await asyncio.gather(*(_ended(process) for process in self._processes))

    async def _bring_up(self, unit: Unit, say: Callable[[str], None]) -> None:
        folder = self._data / "demo" / unit.folder
        if not (folder / "device.json").exists():
            await self._mint(unit, folder)
        made = json.loads((folder / "device.json").read_text(encoding="utf-8"))
        self._processes.append(
            await _spawn(
                "-m", "meshfactory.simulate", "--state", str(folder / "flash"), "--port", str(made["port"])
            )
        )
        if self._is_home(made["udf"]):
            return
        picture = folder / "label.png"
        if unit.room is None:
            say(f"A {unit.kind} sensor waits to be added; its label is the picture {picture}")
            self._tasks.append(asyncio.create_task(self._keep_open(folder / "flash" / "control")))
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
        note = folder / "device.json.new"
        note.write_text(json.dumps({"udf": made["udf"], "port": port}), encoding="utf-8")
        note.rename(folder / "device.json")

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
        **child_arguments(),
    )


async def _ended(process: asyncio.subprocess.Process) -> None:
    try:
        async with asyncio.timeout(5):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
