"""Real hardware interfaces on software chips: swtpm behind tpm2-tools, SoftHSM behind python-pkcs11."""

import importlib.util
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from meshclient.keyrings.pkcs11 import Pkcs11Sealer
from meshclient.keyrings.tpm import TpmSealer

SOFTHSM = next((path for path in Path("/usr/lib").glob("**/libsofthsm2.so") if path.is_file()), None)
TPM_TOOLS = ("swtpm", "tpm2_createprimary")
SOCKET_SECONDS = 10


class Chip:
    """A software TPM with a state folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._socket = folder / "tpm"
        self._control = folder / "tpm.ctrl"
        self._process = subprocess.Popen(
            [
                *("swtpm", "socket", "--tpm2", "--tpmstate", f"dir={folder}"),
                *("--server", f"type=unixio,path={self._socket}"),
                *("--ctrl", f"type=unixio,path={self._control}"),
                *("--flags", "not-need-init,startup-clear"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + SOCKET_SECONDS
        while not (self._socket.exists() and self._control.exists()):
            assert time.monotonic() < end, "swtpm did not start"
            time.sleep(0.02)

    @property
    def sealer(self) -> TpmSealer:
        return TpmSealer(f"swtpm:path={self._socket}")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(SOCKET_SECONDS)


@pytest.fixture
def chips(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Chip, Chip]]:
    """Two different chips."""
    missing = [tool for tool in TPM_TOOLS if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"Debian's swtpm and tpm2-tools are needed; missing: {', '.join(missing)}")
    made: list[Chip] = []
    try:
        for name in ("a", "b"):
            made.append(Chip(tmp_path_factory.mktemp(name)))
        yield made[0], made[1]
    finally:
        for chip in made:
            chip.stop()


@pytest.fixture(scope="session")
def token(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The PKCS#11 library, with two tokens `mesh` and `other` in a folder of this session."""
    if SOFTHSM is None or shutil.which("softhsm2-util") is None:
        pytest.skip("Debian's softhsm2 is needed")
    if importlib.util.find_spec("pkcs11") is None:
        pytest.skip("the Python package python-pkcs11 is needed")
    folder = tmp_path_factory.mktemp("softhsm")
    configuration = folder / "softhsm2.conf"
    (folder / "tokens").mkdir()
    configuration.write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(configuration)  # the library reads it when it is first loaded
    for label in ("mesh", "other"):
        words = [
            "--init-token",
            "--free",
            "--label",
            label,
            "--pin",
            "1234",
            "--so-pin",
            secrets.token_hex(4),
        ]
        subprocess.run(["softhsm2-util", *words], check=True, capture_output=True)
    return SOFTHSM


@pytest.fixture
def hsm(token: Path) -> Pkcs11Sealer:
    """A sealer in the token `mesh`."""
    return Pkcs11Sealer(token, token="mesh", pin=lambda: "1234")
