"""One simulated device: the real firmware as a process, under MicroPython where there is one, else CPython.

The state folder is the unit's flash and face: `identity.0/1` (from the factory) must lie there; the device
keeps its records beside them, shows itself in `status.json`, tells events in `events.jsonl` and errors in
`device.log`, and takes presses of its button from `control`.

    meshfactory simulate FOLDER [--kind light] [--interval 10] [--py] [--cpython]
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import click

from meshfactory import bundle

HEAP = "192K"
FLASH = "flash"
GESTURES = ("single", "double", "long", "hold10")
INTERVAL = 10.0
LINGER = 600.0
"""Seconds that a device stays on after its owner's process has gone."""
_STOP_LIMIT = 3.0
_POLL = 0.02
_WATCHDOG = 1.0
_MOST_EVENTS = 1 << 20


class SimulationError(RuntimeError):
    """The device cannot be started, has died, or did not do in time what was waited for."""


class SimulatedDevice:
    """A unit whose flash is the folder `state`.

    kind: product instead of the identity's; compiled: run .mpy, else .py; cpython: do not use MicroPython;
    interval, heartbeat: seconds between readings; seed: of the sensor's drift; host, port: where onboarding
    listens (port 0: any); heap: MicroPython's heap, such as "192K"; firmware: a bundle folder to run.

    A thread keeps its process going, as a board's watchdog would, and the kernel ends the process with it.
    `crashes` counts the times that the firmware failed since `start`.
    """

    def __init__(
        self,
        state: Path,
        *,
        kind: str | None = None,
        compiled: bool = True,
        cpython: bool = False,
        interval: float = INTERVAL,
        heartbeat: float | None = None,
        seed: int | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        heap: str = HEAP,
        firmware: Path | None = None,
    ) -> None:
        self.state = state
        self._micropython = None if cpython else micropython()
        self._compiled = compiled and self._micropython is not None
        self._heap = heap
        self._firmware = firmware
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper: threading.Thread | None = None
        self._off = threading.Event()
        self._running = threading.Event()
        self._lock = threading.Lock()
        self.crashes = 0
        self._started = self._told = 0
        options = {
            "kind": kind,
            "interval": interval,
            "heartbeat": heartbeat,
            "seed": seed,
            "host": host,
            "port": port,
        }
        self._options = {name: value for name, value in options.items() if value is not None}

    @property
    def runtime(self) -> str:
        """`micropython` or `cpython`."""
        return "cpython" if self._micropython is None else "micropython"

    @property
    def alive(self) -> bool:
        """Whether it is powered on; its process may be between two starts."""
        return self._keeper is not None and self._keeper.is_alive()

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def start(self) -> None:
        """Power on. SimulationError: there is no identity; BundleError: the firmware is not whole."""
        if self.alive:
            return
        if not _holds_identity(self.state):
            raise _no_identity(self.state)
        folder = self._firmware or bundle.build("simulator", compiled=self._compiled).folder
        (self.state / "device.json").write_text(json.dumps(self._options))
        (self.state / "status.json").unlink(missing_ok=True)
        events = self.state / "events.jsonl"
        if events.is_file() and events.stat().st_size > _MOST_EVENTS:
            events.unlink()
        self._started = self._told = events.stat().st_size if events.is_file() else 0
        self.crashes = 0
        self._off.clear()
        self._running.clear()
        self._keeper = threading.Thread(target=self._keep, args=(folder,), daemon=True)
        self._keeper.start()
        self._running.wait(_STOP_LIMIT)

    def stop(self, *, hard: bool = False) -> None:
        """Power off, as a pulled plug does: a device has no shutdown. hard: SIGKILL at once."""
        self._off.set()
        keeper, self._keeper = self._keeper, None
        if keeper is None:
            return
        with self._lock:
            process = self._process
            if process is not None and process.poll() is None:
                process.kill() if hard else process.terminate()
        keeper.join(_STOP_LIMIT)
        if keeper.is_alive() and process is not None:
            process.kill()
            keeper.join()

    def press(self, gesture: str = "single") -> None:
        """Use the button: single, double, long or hold10 (wipes the unit)."""
        work = self.state / "control.new"
        control = self.state / "control"
        former = control.read_text() if control.is_file() else ""
        work.write_text(f"{former}{gesture}\n")
        work.rename(control)

    def hold10(self) -> None:
        """Hold the button for ten seconds: everything an owner gave is wiped."""
        self.press("hold10")

    def status(self) -> dict[str, Any]:
        """What a person standing before the unit sees, and a few figures; empty before it has started."""
        try:
            status: dict[str, Any] = json.loads((self.state / "status.json").read_text())
        except (OSError, ValueError):
            return {}
        return status

    def events(self) -> list[dict[str, Any]]:
        """Events since the last `start`."""
        return self._read_events(self._started)[0]

    def new_events(self) -> list[dict[str, Any]]:
        """Events since the last call of this, or since `start`."""
        events, self._told = self._read_events(self._told)
        return events

    def _read_events(self, position: int) -> tuple[list[dict[str, Any]], int]:
        try:
            with (self.state / "events.jsonl").open("rb") as stream:
                stream.seek(position)
                data = stream.read()
        except OSError:
            return [], position
        whole = data[: data.rfind(b"\n") + 1]
        return [json.loads(line) for line in whole.splitlines() if line.startswith(b"{")], position + len(
            whole
        )

    def wait_event(
        self, name: str, timeout: float = 10, *, count: int = 1, **fields: object
    ) -> dict[str, Any]:
        """The count-th event `name` since `start` with these fields; SimulationError after `timeout` s."""
        end = time.monotonic() + timeout
        while True:
            found = [e for e in self.events() if e["ev"] == name and _has(e, fields)]
            if len(found) >= count:
                return found[count - 1]
            if self.crashes or not self.alive:
                raise SimulationError(f"the device has failed or is off, see {self.state / 'device.log'}")
            if time.monotonic() > end:
                raise SimulationError(f"no event {name} {fields or ''} within {timeout} s")
            time.sleep(_POLL)

    def wait_port(self, timeout: float = 10) -> int:
        """The TCP port of the onboarding carrier, once the window is open."""
        return int(self.wait_event("window", timeout, open=True)["port"])

    def __enter__(self) -> SimulatedDevice:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _keep(self, folder: Path) -> None:
        """Run the process again whenever it ends by itself: a restart of the board, or its watchdog.

        It lives as long as the device, because the kernel kills the process when this thread ends.
        """
        while not self._off.is_set():
            with self._lock:
                if self._off.is_set():
                    return
                process = self._process = self._run(folder)
            self._running.set()
            code = process.wait()
            if code > 0:
                self.crashes += 1
                self._off.wait(_WATCHDOG)

    def _run(self, folder: Path) -> subprocess.Popen[bytes]:
        with (self.state / "events.jsonl").open("ab") as out, (self.state / "device.log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603  (our own firmware)
                [*_die_with_parent(), *self._command()],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=log,
                env=self._environment(folder),
                start_new_session=True,
            )

    def _command(self) -> list[str]:
        run = ["-c", "import boot, main", str(self.state)]
        if self._micropython is None:
            return [sys.executable, "-B", "-P", "-u", *run]
        return [str(self._micropython), "-X", f"heapsize={self._heap}", *run]

    def _environment(self, folder: Path) -> dict[str, str]:
        path = os.environ.get("PATH", os.defpath)
        if self._micropython is None:
            return {"PATH": path, "PYTHONPATH": str(folder)}
        return {"PATH": path, "MICROPYPATH": f"{folder}:.frozen"}


def micropython() -> Path | None:
    """The MicroPython of this environment; None where its wheel does not exist."""
    beside = Path(sys.executable).with_name("micropython")
    return beside if beside.is_file() else None


def is_running(pid_file: Path) -> bool:
    """Whether the process whose id the file holds is alive."""
    try:
        os.kill(int(pid_file.read_text()), 0)
    except (OSError, ValueError):
        return False
    return True


def _has(event: Mapping[str, Any], fields: Mapping[str, object]) -> bool:
    return all(name in event and event[name] == value for name, value in fields.items())


def _die_with_parent() -> list[str]:
    """Words before a command that make the kernel kill it when the thread that started it ends.

    A program does it, and no code between fork and exec, which can hang where other threads hold locks.
    """
    setpriv = shutil.which("setpriv")
    if setpriv is not None:
        return [setpriv, "--pdeathsig", "KILL", "--"]
    code = "import ctypes,os,sys; ctypes.CDLL(None).prctl(1,9); os.execv(sys.argv[1],sys.argv[1:])"
    return [sys.executable, "-c", code]


def flash_of(folder: Path) -> Path:
    """The unit's flash: `folder` itself, or the flash in a folder that `meshfactory mint` has made.

    Raises SimulationError when neither holds an identity.
    """
    for candidate in (folder, folder / FLASH):
        if _holds_identity(candidate):
            return candidate
    raise _no_identity(folder)


def _holds_identity(folder: Path) -> bool:
    return any((folder / f"identity.{index}").is_file() for index in (0, 1))


def _no_identity(folder: Path) -> SimulationError:
    return SimulationError(f"{folder} holds no identity: make one with `meshfactory mint`.")


@click.command(short_help="Run one simulated device until interrupted.")
@click.argument("folder", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.option("--state", type=click.Path(path_type=Path, file_okay=False), help="The same as FOLDER.")
@click.option("--kind", type=click.Choice(["light", "climate", "button"]), help="Instead of the identity's.")
@click.option("--interval", type=float, default=INTERVAL, show_default=True, help="Seconds between readings.")
@click.option("--seed", type=int, help="Of the sensor's drift.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen for an adopter.")
@click.option("--port", type=int, default=0, help="TCP port for an adopter; any free one by default.")
@click.option("--py", "sources", is_flag=True, help="Run the .py sources instead of .mpy.")
@click.option("--cpython", is_flag=True, help="Run under CPython even where MicroPython is installed.")
@click.option("--heap", default=HEAP, show_default=True, help="MicroPython's heap.")
@click.option(
    "--owner", type=click.Path(path_type=Path), help="File with a process id: end when it is long dead."
)
def main(
    folder: Path | None,
    state: Path | None,
    kind: str | None,
    interval: float,
    seed: int | None,
    host: str,
    port: int,
    sources: bool,
    cpython: bool,
    heap: str,
    owner: Path | None,
) -> None:
    """Run the simulated device in FOLDER until interrupted, and start it again when it dies.

    FOLDER is one that `meshfactory mint` has made, or the flash in it. A device does not die with its hub.
    With --owner it ends by itself when the process named in that file has been gone for ten minutes.
    """
    given = folder or state
    if given is None or (folder and state):
        raise click.UsageError("Give the device's folder.")
    try:
        flash = flash_of(given)
    except SimulationError as error:
        raise click.ClickException(str(error)) from error
    device = SimulatedDevice(
        flash,
        kind=kind,
        interval=interval,
        seed=seed,
        host=host,
        port=port,
        compiled=not sources,
        cpython=cpython,
        heap=heap,
    )
    if device.runtime == "cpython" and not cpython:
        click.echo("No MicroPython on this machine: CPython runs the same firmware.", err=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        device.start()
        click.echo(f"simulated device on {device.runtime}, process {device.pid}")
        crashes = 0
        while True:
            for event in device.new_events():
                click.echo(json.dumps(event))
            if device.crashes > crashes:
                crashes = device.crashes
                click.echo(f"the firmware has failed, see {flash / 'device.log'}; it starts again", err=True)
            time.sleep(0.2)
    except (SimulationError, bundle.BundleError) as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        return
    finally:
        device.stop()


if __name__ == "__main__":
    main()
