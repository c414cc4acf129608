"""Sealing by a TPM 2.0, through Debian's `tpm2-tools`.

The secret is sealed under the storage primary of the owner hierarchy, which the chip derives anew each time:
nothing is kept in the chip, and another chip cannot open it. It travels on standard input and output and,
between this machine and the chip, under an encrypted session. The chip is the one that TPM2TOOLS_TCTI
names, by default /dev/tpmrm0.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mathmesh.codec import jsonbcd
from mathmesh.errors import EncodingError, KeyUnavailableError

NAME = "tpm2"
TCTI = "TPM2TOOLS_TCTI"
SECONDS = 60.0

_RESOURCE_MANAGER = Path("/dev/tpmrm0")
_TOOL = "tpm2_createprimary"
_ATTRIBUTES = "fixedtpm|fixedparent|userwithauth|noda"


class TpmSealer:
    """A `Sealer` in this machine's TPM. `tcti` names the chip as in TPM2TOOLS_TCTI."""

    def __init__(self, tcti: str | None = None) -> None:
        self._tcti = tcti or os.environ.get(TCTI)

    @property
    def name(self) -> str:
        """`tpm2`."""
        return NAME

    @property
    def available(self) -> bool:
        """Whether the tools are installed and there is a chip to ask."""
        return shutil.which(_TOOL) is not None and (bool(self._tcti) or _RESOURCE_MANAGER.exists())

    def seal(self, secret: bytes) -> bytes:
        """Octets that only this chip opens; KeyUnavailableError when it cannot be used."""
        with self._primary() as folder, self._session(folder, "--enable-decrypt"):
            files = ["-u", "sealed.pub", "-r", "sealed.priv"]
            parent = ["-C", "primary.ctx", "-P", "session:session.ctx", "-a", _ATTRIBUTES]
            self._run(folder, "tpm2_create", *parent, "-i", "-", *files, secret=secret)
            parts = {name: (folder / f"sealed.{name}").read_bytes() for name in ("pub", "priv")}
        return jsonbcd.dumps_b(parts)

    def unseal(self, sealed: bytes) -> bytes:
        """The secret; KeyUnavailableError when another chip sealed it or this one cannot be used."""
        parts = _parts(sealed)
        with self._primary() as folder:
            for name, content in parts.items():
                (folder / f"sealed.{name}").write_bytes(content)
            files = ["-u", "sealed.pub", "-r", "sealed.priv", "-c", "sealed.ctx"]
            self._run(folder, "tpm2_load", "-C", "primary.ctx", *files)
            with self._session(folder, "--enable-encrypt"):
                return self._run(folder, "tpm2_unseal", "-c", "sealed.ctx", "-p", "session:session.ctx")

    @contextmanager
    def _primary(self) -> Iterator[Path]:
        """A private folder with the context of the storage primary in it."""
        if not self.available:
            raise KeyUnavailableError(
                "no TPM can be used here: install tpm2-tools, and let this user open /dev/tpmrm0 (group tss)"
            )
        with tempfile.TemporaryDirectory(prefix="mesh-tpm-") as name:
            folder = Path(name)
            self._run(folder, _TOOL, "-C", "o", "-G", "ecc", "-c", "primary.ctx")
            yield folder

    @contextmanager
    def _session(self, folder: Path, direction: str) -> Iterator[None]:
        """A session whose parameters are encrypted on their way to or from the chip."""
        arguments = ["-S", "session.ctx", "--hmac-session", "--tpmkey-context", "primary.ctx"]
        self._run(folder, "tpm2_startauthsession", *arguments)
        try:
            self._run(folder, "tpm2_sessionconfig", direction, "session.ctx")
            yield
        finally:
            self._run(folder, "tpm2_flushcontext", "session.ctx")

    def _run(self, folder: Path, tool: str, *arguments: str, secret: bytes | None = None) -> bytes:
        environment = dict(os.environ)
        if self._tcti:
            environment[TCTI] = self._tcti
        try:
            done = subprocess.run(  # noqa: S603 - a fixed tool, and arguments of ours
                [tool, "-Q", *arguments] if tool != "tpm2_unseal" else [tool, *arguments],
                cwd=folder,
                env=environment,
                input=secret or b"",
                capture_output=True,
                timeout=SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            raise KeyUnavailableError(f"{tool} cannot be run; install tpm2-tools and try again") from None
        if tool not in ("tpm2_flushcontext", "tpm2_sessionconfig"):
            self._run(folder, "tpm2_flushcontext", "-t")
        if done.returncode != 0 and tool != "tpm2_flushcontext":
            lines = done.stderr.decode(errors="replace").strip().splitlines()
            reason = next((line for line in lines if line.startswith("ERROR")), "no reason given")
            raise KeyUnavailableError(f"the TPM refused {tool}: {reason.removeprefix('ERROR: ')}")
        return done.stdout


def _parts(sealed: bytes) -> dict[str, bytes]:
    try:
        parts = jsonbcd.loads(sealed)
    except EncodingError:
        parts = None
    if not isinstance(parts, dict) or not all(isinstance(parts.get(name), bytes) for name in ("pub", "priv")):
        raise KeyUnavailableError("the sealed key is not that of a TPM; restore the file from the backup")
    return {name: parts[name] for name in ("pub", "priv")}
