"""The firmware's entry: one life, chosen by what is stored."""

import asyncio
import json
import sys

import board_config

from meshdevice.adoption import FREE, Adoption

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def main() -> None:
    """Live until the board restarts. The state folder is the first argument, or the board's own."""
    folder = sys.argv[1] if len(sys.argv) > 1 else board_config.FOLDER
    adoption = Adoption(folder)
    if adoption.state == FREE:
        from meshdevice.life_free import FreeLife as Life
    else:
        from meshdevice.life_adopted import AdoptedLife as Life
    asyncio.run(Life(folder, _options(folder), adoption).live())


def _options(folder: str) -> "dict[str, Any]":
    try:
        with open(folder + "/device.json") as stream:
            return json.load(stream)
    except (OSError, ValueError):
        return {}
