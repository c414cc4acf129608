"""mosquitto as a child process: generated files, restart when it dies, death when the hub dies."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from mathmesh.types import Entropy
from meshhub import logging
from meshhub.broker.base import START_SECONDS, Broker
from meshhub.broker.files import BrokerFiles
from meshhub.child import child_arguments
from meshhub.errors import TransportError

PROGRAM = "mosquitto"
SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")
STOP_SECONDS = 3.0
STABLE_SECONDS = 0.05
OPEN_FILES = 1024
"""Most connections at a time, nearly: mosquitto's own limit is forgotten when it reads its accounts anew."""

log = logging.get(__name__)


def find() -> str | None:
    """Path of the mosquitto program, also where only root's PATH has it; None when it is not installed."""
    return shutil.which(PROGRAM) or shutil.which(PROGRAM, path=os.pathsep.join(SYSTEM_FOLDERS))


class Mosquitto(Broker):
    """One supervised mosquitto."""

    kind = "mosquitto"

    def __init__(
        self,
        *,
        program: str,
        folder: Path,
        bind: str,
        port: int,
        entropy: Entropy,
        changed: Callable[[bool], None] | None = None,
    ):
        super().__init__(bind=bind, port=port, entropy=entropy, changed=changed)
        self._program = program
        self._files = BrokerFiles(folder)
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def _open(self) -> None:
        await asyncio.to_thread(
            self._files.write, addresses=self.addresses, port=self.port, accounts=self._accounts.values()
        )
        self._process = await asyncio.create_subprocess_exec(
            self._program,
            "-c",
            str(self._files.configuration),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
            **child_arguments(),  # its own group: Ctrl-C is for the hub, which stops the broker last
        )
        with suppress(ProcessLookupError):
            resource.prlimit(self._process.pid, resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
        self._reader = asyncio.create_task(_copy_log(self._process), name="broker log")
        await self._wait_ready(self._process)

    async def _wait_ready(self, process: asyncio.subprocess.Process) -> None:
        deadline = asyncio.get_running_loop().time() + START_SECONDS
        while asyncio.get_running_loop().time() < deadline:
            if process.returncode is None and await self._answering():
                # Another program on that port would answer too, while ours is about to give up.
                with suppress(TimeoutError):
                    await asyncio.wait_for(asyncio.shield(process.wait()), STABLE_SECONDS)
                if process.returncode is None:
                    return
            if process.returncode is not None:
                raise TransportError(
                    f"mosquitto ended at once (exit code {process.returncode}) on port {self.port}; "
                    "is the port taken? The log line before this one has its reason"
                )
            await asyncio.sleep(0.02)
        await self._close()
        raise TransportError(f"mosquitto does not answer on port {self.port} within {START_SECONDS:.0f} s")

    async def _close(self) -> None:
        process, self._process = self._process, None
        reader, self._reader = self._reader, None
        if process and process.returncode is None:
            with suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), STOP_SECONDS)
            except TimeoutError:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if reader:
            await reader

    async def _reload(self) -> None:
        await asyncio.to_thread(self._files.write_accounts, list(self._accounts.values()))
        if self._process and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGHUP)

    async def _failed(self) -> str:
        assert self._process is not None
        code = await self._process.wait()
        return f"killed by signal {-code}" if code < 0 else f"exit code {code}"


async def _copy_log(process: asyncio.subprocess.Process) -> None:
    assert process.stderr is not None
    async for line in process.stderr:
        text = line.decode(errors="replace").strip()
        stamp, _, rest = text.partition(": ")
        told = rest if stamp.isdecimal() else text
        # Its warnings tell of our own configuration and of clients that come back; an error ends it.
        (log.warning if told.startswith("Error") else log.info)("mosquitto", line=told)
