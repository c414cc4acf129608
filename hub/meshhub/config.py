"""Settings of the hub: defaults, an optional TOML file, then what the caller gives.

Every setting has a default that works, so the file need not exist. It is `hub.toml` in the data folder or
the one named by the caller. A setting that is not known is refused by its name.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, Self

from meshhub.errors import HubError

FILE_NAME = "hub.toml"
NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Settings of one hub. Ports are wishes: the next free one is taken when a port is in use.

    name: host name of the hub, lower-case letters, digits and hyphens; the account's domain is `<name>.local`
    account: account address (`user@domain`), None for `home@<name>.local`
    broker: "auto" takes mosquitto when installed, else the embedded amqtt
    mqtt_bind: address the broker listens on for devices; 127.0.0.1 for simulated ones only
    mqtt_host: address written into devices at onboarding, None for `mqtt_bind` or this machine's LAN address
    batch_seconds, batch_readings: a telemetry batch is written after that time or that many readings
    device_readings, device_octets: readings per second and octets per day that one device may have stored
    disk_reserve: octets of the disk that telemetry leaves free, at most a twentieth of it
    command_seconds: how long a device may take to answer a command
    log_level: "auto" logs warnings to a terminal, "info" elsewhere
    """

    data: Path
    name: str = "hub"
    account: str | None = None
    broker: Literal["auto", "mosquitto", "amqtt"] = "auto"
    mqtt_bind: str = "127.0.0.1"
    mqtt_host: str | None = None
    mqtt_port: int = 1883
    dashboard_port: int = 8080
    service_port: int = 15099
    batch_seconds: float = 10.0
    batch_readings: int = 64
    device_readings: float = 5.0
    device_octets: int = 20_000_000
    disk_reserve: int = 268_435_456
    command_seconds: float = 5.0
    log_level: Literal["auto", "debug", "info", "warning", "error"] = "auto"

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise HubError(f"hub name {self.name!r}: use lower-case letters, digits and hyphens, at most 63")
        for port in ("mqtt_port", "dashboard_port", "service_port"):
            if not 0 <= getattr(self, port) <= 65535:
                raise HubError(f"{port} must be between 0 and 65535 (0: any free port)")
        if self.batch_seconds <= 0 or self.batch_readings < 1 or self.command_seconds <= 0:
            raise HubError("batch_seconds, batch_readings and command_seconds must be above zero")
        if self.device_readings <= 0 or self.device_octets <= 0 or self.disk_reserve < 0:
            raise HubError("device_readings and device_octets must be above zero, disk_reserve not below it")

    @property
    def address(self) -> str:
        """Account address of the household, lower case."""
        return (self.account or f"home@{self.name}.local").lower()

    @property
    def socket(self) -> Path:
        """Unix socket for the command line on this machine."""
        return self.data / "hub.sock"

    @property
    def broker_folder(self) -> Path:
        """Folder of the broker's generated files; disposable."""
        return self.data / "broker"

    @classmethod
    def load(cls, data: Path | None = None, *, file: Path | None = None, **given: Any) -> Self:
        """Read the settings file, when there is one, and put the given settings over it (None: not given).

        Raises HubError for a file that cannot be read or a setting that is unknown or of the wrong type.
        """
        folder = (data or default_data()).expanduser().absolute()
        path = file or folder / FILE_NAME
        settings = _read(path, required=file is not None)
        settings.update({name: value for name, value in given.items() if value is not None})
        _check(settings, path)
        return cls(data=folder, **settings)


def default_data(environment: Mapping[str, str] | None = None) -> Path:
    """Data folder when none is given: systemd's STATE_DIRECTORY (/var/lib/mesh-hub in our unit), else XDG."""
    env = os.environ if environment is None else environment
    if state := env.get("STATE_DIRECTORY"):
        return Path(state.split(":")[0])
    base = env.get("XDG_DATA_HOME")
    home = Path(env.get("HOME") or Path.home())
    return (Path(base) if base else home / ".local" / "share") / "mesh-hub"


def _read(path: Path, *, required: bool) -> dict[str, Any]:
    try:
        with path.open("rb") as stream:
            return tomllib.load(stream)
    except FileNotFoundError:
        if required:
            raise HubError(f"settings file {path} does not exist") from None
        return {}
    except (OSError, tomllib.TOMLDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise HubError(f"settings file {path} cannot be read: {reason}") from error


def _check(settings: Mapping[str, Any], path: Path) -> None:
    kinds = {
        "name": str, "account": str, "broker": str, "mqtt_bind": str, "mqtt_host": str, "log_level": str,
        "mqtt_port": int, "dashboard_port": int, "service_port": int,
        "device_readings": (int, float), "device_octets": int, "disk_reserve": int,
        "batch_readings": int, "batch_seconds": (int, float), "command_seconds": (int, float),
    }  # fmt: skip
    choices = {
        "broker": ("auto", "mosquitto", "amqtt"),
        "log_level": ("auto", "debug", "info", "warning", "error"),
    }
    assert set(kinds) == {field.name for field in fields(Config)} - {"data"}
    for name, value in settings.items():
        if name not in kinds:
            raise HubError(f"{path}: unknown setting {name!r}; known are {', '.join(sorted(kinds))}")
        if not isinstance(value, kinds[name]) or isinstance(value, bool):  # type: ignore[arg-type]
            raise HubError(f"{path}: setting {name!r} has the wrong type")
        if name in choices and value not in choices[name]:
            raise HubError(f"{path}: {name} must be one of {', '.join(choices[name])}")
