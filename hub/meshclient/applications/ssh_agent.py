"""The user's SSH agent: it is given a key so that no file need hold it (draft-ietf-sshm-ssh-agent)."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from mathmesh.errors import StoreError
from mathmesh.keys.pair import PrivateKey
from meshclient.applications.ssh_key import agent_key

SOCKET = "SSH_AUTH_SOCK"
WAIT_SECONDS = 5.0

_ADD, _ADD_CONSTRAINED, _REMOVE = 17, 25, 18
_SUCCESS = 6
_LIFETIME, _CONFIRM = 1, 2


def add(key: PrivateKey, comment: str, *, seconds: int | None = None, confirm: bool = False) -> None:
    """Give `key` to the agent, for `seconds` only or asked for at each use. Raises StoreError."""
    constraints = b""
    if seconds is not None:
        constraints += bytes([_LIFETIME]) + seconds.to_bytes(4, "big")
    if confirm:
        constraints += bytes([_CONFIRM])
    kind = _ADD_CONSTRAINED if constraints else _ADD
    _ask(bytes([kind]) + agent_key(key, comment) + constraints)


def remove(blob: bytes) -> None:
    """Take the key with this public blob from the agent. Raises StoreError when it has none."""
    _ask(bytes([_REMOVE]) + len(blob).to_bytes(4, "big") + blob)


def path() -> Path:
    """Where the agent listens; StoreError where none runs."""
    stated = os.environ.get(SOCKET)
    if not stated:
        raise StoreError(f"no SSH agent runs here ({SOCKET} is not set); start one with ssh-agent")
    return Path(stated)


def _ask(message: bytes) -> None:
    where = path()
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as agent:
            agent.settimeout(WAIT_SECONDS)
            agent.connect(str(where))
            agent.sendall(len(message).to_bytes(4, "big") + message)
            answer = agent.recv(5)
    except OSError as error:
        raise StoreError(f"the SSH agent at {where} does not answer: {error.strerror or error}") from None
    if answer[4:] != bytes([_SUCCESS]):
        raise StoreError("the SSH agent refused")
