"""The files of OpenSSH that this machine needs for the account's keys.

    FOLDER/mesh_<id8>          private key, readable by its owner only (not with an agent)
    FOLDER/mesh_<id8>.pub      public key
    FOLDER/mesh_known_hosts    the servers that the account knows
    FOLDER/mesh_config         to be included in the user's configuration

Files of others are never replaced: in `authorized_keys` only the part between our two marks is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mathmesh.errors import EncodingError, StoreError
from mathmesh.keys.pair import PrivateKey, PublicKey
from mathmesh.stores import folder_name
from meshclient.applications.ssh_key import PublicLine, one_line, private_file, public_line
from meshclient.private_file import write_private

CONFIG, KNOWN_HOSTS, PREFIX = "mesh_config", "mesh_known_hosts", "mesh_"
MAXIMUM_AUTHORIZED = 4 * 1024 * 1024

_KEY_FILE = re.compile(PREFIX + r"[a-z2-7]{8}(\.pub)?")
_MARK = re.compile(r"[A-Za-z0-9@._+-]{1,254}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientKey:
    """A key of the account; `private` is None where an agent holds it."""

    public: PublicKey
    private: PrivateKey | None
    comment: str

    @property
    def name(self) -> str:
        """Name of its private key file."""
        return PREFIX + folder_name(self.public.udf).lower()


def default_folder() -> Path:
    """Where a user's OpenSSH looks."""
    return Path.home() / ".ssh"


def write_client(folder: Path, keys: Sequence[ClientKey], known_hosts: str) -> Path:
    """Write keys, servers and configuration; the file to include is returned.

    Keys that an earlier run wrote here and that are not among `keys` any more are removed.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    names = {key.name for key in keys if key.private is not None} | {f"{key.name}.pub" for key in keys}
    for path in folder.glob(PREFIX + "*"):
        if _KEY_FILE.fullmatch(path.name) and path.name not in names:
            path.unlink()
    for key in keys:
        line = public_line(key.public, key.comment)
        _write(folder / f"{key.name}.pub", line.text + "\n")
        if key.private is not None:
            write_private(folder / key.name, private_file(key.private, key.comment))
    _write(folder / KNOWN_HOSTS, known_hosts)
    config = folder / CONFIG
    _write(config, client_config(folder, keys))
    return config


def client_config(folder: Path, keys: Sequence[ClientKey]) -> str:
    """Configuration for all servers: these keys beside others, and the known servers beside the user's own.

    New servers go into the user's own file, which stands first. With an agent the file named is the public
    one, by which OpenSSH finds the key in the agent.
    """
    names = [key.name if key.private is not None else f"{key.name}.pub" for key in keys]
    identities = [f"    IdentityFile {_quoted(folder / name)}\n" for name in names]
    hosts = " ".join(_quoted(path) for path in (default_folder() / "known_hosts", folder / KNOWN_HOSTS))
    return "".join(["Host *\n", *identities, f"    UserKnownHostsFile {hosts}\n"])


def includes(config: Path, included: Path) -> bool:
    """Whether the user's configuration includes the file `included`."""
    try:
        text = config.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return False
    wanted = {str(included), included.name, _quoted(included)}
    return any(
        line.split()[:1] and line.split()[0].lower() == "include" and line.strip()[7:].strip() in wanted
        for line in text.splitlines()
    )


def authorize(path: Path, account: str, lines: Iterable[PublicLine]) -> bool:
    """Let `path`, a file authorized_keys, hold exactly these keys of `account`; whether that changed it.

    What else stands in the file stays. Raises StoreError for a file that is damaged or too large.
    """
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if len(text) > MAXIMUM_AUTHORIZED:
        raise StoreError(f"{path} is larger than any list of keys")
    made = authorized(text, account, lines)
    if made == text:
        return False
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(path, made.encode())
    return True


def authorized(text: str, account: str, lines: Iterable[PublicLine]) -> str:
    """The content of authorized_keys that was `text`, with exactly these keys of `account`."""
    if not _MARK.fullmatch(account):
        raise EncodingError("the account's address cannot stand in a file of keys")
    begin, end = f"# Keys of {account}, kept by meshman: begin", f"# Keys of {account}, kept by meshman: end"
    kept = text.splitlines()
    if begin in kept or end in kept:
        if kept.count(begin) != 1 or kept.count(end) != 1 or kept.index(begin) > kept.index(end):
            raise StoreError("the marks around the account's keys are damaged; remove these lines by hand")
        del kept[kept.index(begin) : kept.index(end) + 1]
    ours = sorted(one_line(line.text) for line in lines)
    if ours:
        kept += [begin, *ours, end]
    return "".join(line + "\n" for line in kept)


def _write(path: Path, text: str) -> None:
    write_private(path, text.encode())


def _quoted(path: Path) -> str:
    text = os.fspath(path)
    if not text.isprintable() or '"' in text:
        raise StoreError("the folder has a name that a configuration of OpenSSH cannot hold")
    return f'"{text}"' if " " in text else text
