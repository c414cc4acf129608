"""Topics between hub and devices (protocol book, "Running"): `mh/1/<topic id>/up`, `/dn`, `/p`."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from mathmesh.codec import base32

ROOT = "mh/1"
ID_OCTETS = 10
ALL_UP = f"{ROOT}/+/up"
ALL_PRESENCE = f"{ROOT}/+/p"
TOPIC = re.compile(r"mh/1/([a-z2-7]{16})/(up|dn|p)")


class Topic(NamedTuple):
    """A topic taken apart."""

    topic_id: str
    leaf: Literal["up", "dn", "p"]


def topic_id(identifier: bytes) -> str:
    """Topic identifier text of the 10 octets given to a device at its adoption: lower-case Base32."""
    if len(identifier) != ID_OCTETS:
        raise ValueError(f"a topic identifier has {ID_OCTETS} octets")
    return base32.encode(identifier).lower()


def up(identifier: str) -> str:
    """Topic on which a device sends."""
    return f"{ROOT}/{identifier}/up"


def down(identifier: str) -> str:
    """Topic on which a device receives."""
    return f"{ROOT}/{identifier}/dn"


def presence(identifier: str) -> str:
    """Topic of a device's presence, a hint only."""
    return f"{ROOT}/{identifier}/p"


def parse(topic: str) -> Topic | None:
    """Take a topic apart; None when it is not one of ours."""
    match = TOPIC.fullmatch(topic)
    return Topic(match[1], match[2]) if match else None  # type: ignore[arg-type]
