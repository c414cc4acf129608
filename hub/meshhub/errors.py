"""Errors of the running hub, beside those of the core."""

from __future__ import annotations

from collections.abc import Sequence

from mathmesh.errors import MeshError

UNKNOWN = "unknown"
AMBIGUOUS = "ambiguous"
OFFLINE = "offline"
TIMEOUT = "timeout"
REFUSED = "refused"
VALUE = "value"


class DeviceError(MeshError):
    """A device cannot do what was asked: no such name, several of that name, offline, timeout, refused.

    `kind` is one of the constants above, `candidates` the names to choose from when ambiguous, `code` the
    device's own error code (protocol book, table of errors) when the device refused.
    """

    def __init__(self, message: str, *, kind: str, candidates: Sequence[str] = (), code: int | None = None):
        super().__init__(message)
        self.kind = kind
        self.candidates = tuple(candidates)
        self.code = code


class TransportError(MeshError):
    """Broker or network is not there; the message says what to do."""


class HubError(MeshError):
    """The hub cannot start or go on: configuration, data folder, port."""
