from pathlib import Path

import pytest

from meshhub import config, ports
from meshhub.config import Config, default_data
from meshhub.errors import HubError


def test_everything_has_a_default(tmp_path: Path) -> None:
    settings = Config.load(tmp_path)
    assert settings.address == "home@hub.local"
    assert settings.mqtt_bind == "127.0.0.1"
    assert settings.socket == tmp_path / "hub.sock"


def test_file_then_given(tmp_path: Path) -> None:
    (tmp_path / config.FILE_NAME).write_text('name = "attic"\nmqtt_port = 2000\nbatch_seconds = 1\n')
    settings = Config.load(tmp_path, mqtt_port=2001, broker=None)
    assert (settings.name, settings.mqtt_port, settings.batch_seconds, settings.broker) == (
        "attic",
        2001,
        1,
        "auto",
    )


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("mqtt_prot = 1", "mqtt_prot"),
        ('mqtt_port = "x"', "mqtt_port"),
        ("mqtt_port = true", "mqtt_port"),
        ("mqtt_port = 70000", "mqtt_port"),
        ('broker = "rabbit"', "broker"),
        ('name = "Has Space"', "Has Space"),
        ("batch_readings = 0", "batch_readings"),
        ("= broken", "cannot be read"),
    ],
)
def test_a_bad_setting_is_named(tmp_path: Path, text: str, names: str) -> None:
    (tmp_path / config.FILE_NAME).write_text(text)
    with pytest.raises(HubError, match=names):
        Config.load(tmp_path)


def test_a_file_that_was_asked_for_must_exist(tmp_path: Path) -> None:
    with pytest.raises(HubError, match="does not exist"):
        Config.load(tmp_path, file=tmp_path / "other.toml")


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"HOME": "/home/u"}, "/home/u/.local/share/mesh-hub"),
        ({"HOME": "/home/u", "XDG_DATA_HOME": "/data"}, "/data/mesh-hub"),
        ({"HOME": "/home/u", "STATE_DIRECTORY": "/var/lib/mesh-hub:/x"}, "/var/lib/mesh-hub"),
    ],
)
def test_where_data_lies(environment: dict[str, str], folder: str) -> None:
    assert default_data(environment) == Path(folder)


def test_a_taken_port_gives_another(unused_tcp_port: int) -> None:
    import socket

    assert ports.choose("127.0.0.1", unused_tcp_port) == unused_tcp_port
    with socket.create_server(("127.0.0.1", unused_tcp_port)):
        chosen = ports.choose("127.0.0.1", unused_tcp_port)
        assert chosen != unused_tcp_port
        assert ports.bindable("127.0.0.1", chosen)
    assert ports.choose("127.0.0.1", 0) > 1023
