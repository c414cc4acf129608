"""Which broker this machine gets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from mathmesh.types import Entropy
from meshhub import ports
from meshhub.broker import mosquitto
from meshhub.broker.base import Broker, listen_addresses
from meshhub.broker.embedded import Embedded
from meshhub.errors import HubError

PATIENCE_SECONDS = 5.0


def make_broker(
    wanted: str,
    *,
    folder: Path,
    bind: str,
    port: int,
    entropy: Entropy,
    changed: Callable[[bool], None] | None = None,
) -> tuple[Broker, str]:
    """The broker (not started) and one sentence that says which and why.

    `wanted`: "auto", "mosquitto" or "amqtt". Raises HubError when mosquitto is demanded and not installed.
    """
    program = mosquitto.find()
    if wanted == "mosquitto" and program is None:
        raise HubError('mosquitto is not installed: `apt-get install mosquitto`, or set broker = "auto"')
    if program is not None and wanted != "amqtt":
        broker: Broker = mosquitto.Mosquitto(
            program=program, folder=folder, bind=bind, port=port, entropy=entropy, changed=changed
        )
        return broker, f"Broker: mosquitto ({program})"
    why = "as configured" if wanted == "amqtt" else "mosquitto is not installed"
    embedded = Embedded(bind=bind, port=port, entropy=entropy, changed=changed)
    return embedded, f"Broker: amqtt inside the hub ({why})"


async def settle_port(bind: str, wish: int, remembered: int | None) -> tuple[int, bool]:
    """The port to use, and whether devices that know the remembered one must be told of another.

    A remembered port is what adopted devices know, so it is waited for: the broker of a hub that was killed a
    moment ago may still hold it.
    """
    first, *others = listen_addresses(bind)
    if remembered:
        deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while not all(ports.bindable(address, remembered) for address in (first, *others)):
            if asyncio.get_running_loop().time() > deadline:
                return ports.choose(first, wish, *others), True
            await asyncio.sleep(0.1)
        return remembered, False
    return ports.choose(first, wish, *others), False
