import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from meshhub import ports
from meshhub.broker import mosquitto
from meshhub.broker.accounts import BrokerAccount, hash_password, new_password, new_user
from meshhub.broker.base import Broker
from meshhub.broker.choose import make_broker
from meshhub.mqtt import topics
from meshhub.mqtt.client import heeded


class Peer:
    """An account with its password, and a way in."""

    def __init__(self, broker: Broker):
        self.id = topics.topic_id(os.urandom(10))
        self.password = new_password(os.urandom)
        self.account = BrokerAccount(
            user=new_user(os.urandom),
            password_hash=hash_password(self.password, os.urandom),
            topic_id=self.id,
        )
        self.broker = broker

    def client(self, **given: Any) -> aiomqtt.Client:
        settings = {
            "username": self.account.user,
            "password": self.password,
            "identifier": self.id,
            "timeout": 15,
        }
        return heeded(
            aiomqtt.Client(**({"hostname": "127.0.0.1", "port": self.broker.port} | settings | given))
        )


@pytest.fixture(params=["mosquitto", "amqtt"])
def kind(request: pytest.FixtureRequest) -> str:
    if request.param == "mosquitto" and mosquitto.find() is None:
        pytest.skip("mosquitto is not installed")
    return str(request.param)


@pytest.fixture
def new_broker(kind: str, tmp_path: Path) -> Callable[[], Broker]:
    port = ports.any_free("127.0.0.1")
    return lambda: make_broker(
        kind, folder=tmp_path / "broker", bind="127.0.0.1", port=port, entropy=os.urandom
    )[0]


@pytest.fixture
async def broker(new_broker: Callable[[], Broker]) -> AsyncIterator[Broker]:
    broker = new_broker()
    await broker.start()
    yield broker
    await broker.stop()


@asynccontextmanager
async def hub_client(broker: Broker) -> AsyncIterator[aiomqtt.Client]:
    login = broker.login
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(
            heeded(
                aiomqtt.Client(
                    login.host,
                    login.port,
                    username=login.user,
                    password=login.password,
                    identifier="hub",
                    timeout=15,
                )
            )
        )
        await client.subscribe("mh/1/+/up", qos=1)
        await client.subscribe("mh/1/+/p", qos=1)
        yield client
