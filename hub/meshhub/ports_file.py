"""Ports that were chosen at the first start: devices know them, so the next start takes the same."""

from __future__ import annotations

import json
import os
from pathlib import Path

NAME = "ports.json"


def recall(data: Path, use: str) -> int | None:
    """The port that was chosen for a use ("mqtt"), None when there is none or the file cannot be read."""
    try:
        ports = json.loads((data / NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    port = ports.get(use) if isinstance(ports, dict) else None
    return port if isinstance(port, int) and 0 < port < 65536 else None


def remember(data: Path, use: str, port: int) -> None:
    """Keep a port for the next start."""
    try:
        known = json.loads((data / NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = {}
    ports = known if isinstance(known, dict) else {}
    if ports.get(use) == port:
        return
    fresh = data / f".{NAME}.new"
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
        json.dump(ports | {use: port}, stream)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(data / NAME)
