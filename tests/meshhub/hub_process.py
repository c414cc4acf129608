"""A hub in a process of its own, to be killed: `hub_process.py DATA BROKER`. Prints JSON when it runs."""

import asyncio
import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.meshhub.device import CLIMATE, prepare

from meshhub.app import Hub
from meshhub.config import Config


async def main(data: Path, broker: str) -> None:
    hub = Hub(Config(data=data, broker=broker, mqtt_port=0, batch_seconds=0.05))  # type: ignore[arg-type]
    await hub.start()
    told = {"port": hub.broker.port}
    if not hub.registry.devices():
        admission, account_udf = prepare(hub, CLIMATE, "climate", "Attic")
        await hub.home.admit(admission)
        told |= {
            "udf": admission.udf,
            "device_udf": admission.device_udf.hex(),
            "account_udf": account_udf.hex(),
            "topic_id": admission.topic_id.hex(),
            "psk_run": admission.psk_run.hex(),
            "user": admission.broker.user,
            "password": admission.broker.password,
        }
    print(json.dumps(told), flush=True)
    await asyncio.Event().wait()


os.environ.pop("NOTIFY_SOCKET", None)
asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
