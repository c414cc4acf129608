"""Fixtures shared by the tests of the hub's edges."""

import importlib.util
import sys
from pathlib import Path

import aiohttp
import pytest


def _load(name: str):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
async def hub():
    made = _load("hub_double").household()
    yield made
    await made.close()


@pytest.fixture
async def dashboard(hub, data):
    from meshhub.dashboard.server import Dashboard

    served = Dashboard(hub, data, port=0)
    await served.start()
    yield served
    await served.stop()


@pytest.fixture
async def api(dashboard, data):
    """A client session on the local socket."""
    from meshhub import local_socket

    with local_socket.short_path(data) as path:
        async with aiohttp.ClientSession("http://hub", connector=aiohttp.UnixConnector(path)) as session:
            yield session
