"""Telling systemd how the service is (sd_notify): readiness, stopping, a line of status."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping


def notify(text: str, environment: Mapping[str, str] | None = None) -> bool:
    """Send e.g. `READY=1`; False when no supervisor listens or it cannot be reached."""
    address = (os.environ if environment is None else environment).get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as supervisor:
        try:
            supervisor.sendto(text.encode(), address)
        except OSError:
            return False
    return True
