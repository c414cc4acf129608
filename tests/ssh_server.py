"""A real SSH server that tests log in to."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path


class Sshd:
    """Debian's sshd on loopback, for this user alone."""

    PROGRAM = Path("/usr/sbin/sshd")

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.host_key = folder / "host_key"
        self.authorized = folder / "authorized_keys"
        self.log = folder / "log"
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        settings = {
            "ListenAddress": "127.0.0.1",
            "Port": self.port,
            "HostKey": self.host_key,
            "AuthorizedKeysFile": self.authorized,
            "PidFile": "none",
            "StrictModes": "no",
            "UsePAM": "no",
            "PasswordAuthentication": "no",
            "KbdInteractiveAuthentication": "no",
            "PermitRootLogin": "prohibit-password",
        }
        self.config = folder / "sshd_config"
        self.config.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def is_installed(cls) -> bool:
        """Whether server and client are on this machine."""
        return cls.PROGRAM.exists() and shutil.which("ssh") is not None

    @property
    def name(self) -> str:
        return f"[127.0.0.1]:{self.port}"

    def start(self) -> None:
        with self.log.open("w") as log:
            self._process = subprocess.Popen([self.PROGRAM, "-D", "-e", "-f", self.config], stderr=log)
        end = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except ConnectionRefusedError:
                if time.monotonic() > end or self._process.poll() is not None:
                    raise AssertionError(self.log.read_text()) from None
                time.sleep(0.05)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)

    def login(self, config: Path | str, *more: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Log in with a configuration as `ssh setup` writes it; the server must be known."""
        return login(self.port, config, *more, **environment)


def login(port: int, config: Path | str, *more: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Log in to the server at a port of loopback; it prints `in`."""
    options = [
        *("-o", "StrictHostKeyChecking=yes", "-o", "ConnectTimeout=10"),
        *(more or ("-o", "BatchMode=yes")),
    ]
    command = ["ssh", "-F", str(config), *options, "-p", str(port), f"{getpass.getuser()}@127.0.0.1"]
    return subprocess.run(
        [*command, "echo", "in"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**{name: value for name, value in os.environ.items() if name != "SSH_AUTH_SOCK"}, **environment},
    )
