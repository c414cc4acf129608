"""Boards as hardware/boards describes them: the sole source of chips and pins."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
BOARDS = CHECKOUT / "hardware" / "boards"


class UnknownBoardError(ValueError):
    """There is no such board; the message lists those that there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One file of hardware/boards. pins by role: number, or a name on the Pico W."""

    name: str
    title: str
    chip: str
    firmware: str
    driver: str
    network: str
    flash_kib: int
    folder: str
    step_ms: int
    ring: int
    port: int
    capabilities: Mapping[str, bool]
    pins: Mapping[str, int | str]

    def config_source(self) -> str:
        """The module `board_config` that the firmware reads: Python text with constants only."""
        lines = [
            f'"""Generated from hardware/boards/{self.name}.toml; change that file."""',
            "",
            f"NAME = {self.name!r}",
            f"CHIP = {self.chip!r}",
            f"DRIVER = {self.driver!r}",
            f"NETWORK = {self.network!r}",
            f"FOLDER = {self.folder!r}",
            f"STEP_MS = {self.step_ms}",
            f"RING = {self.ring}",
            f"PORT = {self.port}",
            f"LED = {self.capabilities.get('led', False)}",
            f"LED_INVERTED = {self.capabilities.get('led_inverted', False)}",
            f"BOTH = {self.capabilities.get('both', False)}",
            f"TLS = {self.capabilities.get('tls', False)}",
            f"PINS = {dict(self.pins)!r}",
        ]
        return "\n".join(lines) + "\n"


def names() -> list[str]:
    """Names of all boards, sorted."""
    return sorted(path.stem for path in BOARDS.glob("*.toml"))


def load(name: str) -> Board:
    """The board `name`; raises UnknownBoardError."""
    if name not in names():
        raise UnknownBoardError(f"no board {name!r}: choose one of {', '.join(names())}")
    with (BOARDS / f"{name}.toml").open("rb") as stream:
        return Board(**tomllib.load(stream))
