"""What the web and command-line edges need from the running hub, as Protocol classes.

`meshhub.app.Hub` has all of it; so may any other composition of the same parts.
"""

from collections.abc import Awaitable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from meshhub.events import EventBus


class Value(Protocol):
    """A value of a property and when the device had it: `time` in milliseconds since 1970."""

    @property
    def value(self) -> object: ...
    @property
    def time(self) -> int: ...


class Device(Protocol):
    """One onboarded device as the registry knows it."""

    @property
    def udf(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def room(self) -> str: ...
    @property
    def description(self) -> Mapping[str, object]: ...
    @property
    def online(self) -> bool: ...
    @property
    def last_seen(self) -> int | None: ...
    @property
    def over_limit(self) -> int: ...
    @property
    def values(self) -> Mapping[tuple[str, str], Value]: ...


class Registry(Protocol):
    """Devices by friendly name; errors are `DeviceError` with kind unknown or ambiguous."""

    def devices(self) -> Sequence[Device]: ...
    def resolve(self, text: str) -> Device: ...
    async def rename(self, device: Device, name: str, room: str) -> object: ...


class Commander(Protocol):
    """Sends commands; raises `DeviceError` with kind offline, timeout, refused or value."""

    def set(self, device: Device, values: Mapping[str, object]) -> Awaitable[Mapping[str, object]]:
        """Set properties (`node.property`) and return the device's own values after it."""


class Reading(Value, Protocol):
    """One stored reading."""

    @property
    def node(self) -> str: ...
    @property
    def property(self) -> str: ...


class Telemetry(Protocol):
    """Stored readings of a device, oldest first."""

    def history(self, device: Device, since: datetime) -> Awaitable[Sequence[Reading]]: ...


class Step(Protocol):
    """A step of an adoption: `state` is waiting, running, done or failed."""

    @property
    def name(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def text(self) -> str: ...


class Adoption(Protocol):
    """One attempt to add a device: `state` is running, confirm, done or failed."""

    @property
    def id(self) -> str: ...
    @property
    def steps(self) -> Sequence[Step]: ...
    @property
    def state(self) -> str: ...
    @property
    def error(self) -> str: ...
    @property
    def question(self) -> str:
        """What `confirm` answers, such as "Is this the one that blinks?"; empty while nothing is asked."""

    @property
    def device(self) -> str | None:
        """UDF of the device once it is in the household."""

    def confirm(self, seen: bool) -> None: ...


class Onboarding(Protocol):
    """Starts adoptions."""

    def start(
        self,
        code: str,
        at: str | None = None,
        yes: bool = False,
        name: str | None = None,
        room: str | None = None,
    ) -> Adoption: ...


class Network(Protocol):
    """A Wi-Fi network of the household, without its passphrase."""

    @property
    def ssid(self) -> str: ...
    @property
    def protected(self) -> bool: ...
    @property
    def given(self) -> bool: ...


class Networks(Protocol):
    """The Wi-Fi networks that devices are given; errors are `MeshError`s."""

    def listed(self) -> Sequence[Network]: ...
    async def add(self, networks: Iterable[tuple[str, str | None]]) -> None: ...
    async def forget(self, ssid: str) -> None: ...


class Hub(Protocol):
    """The running hub."""

    @property
    def registry(self) -> Registry: ...
    @property
    def commands(self) -> Commander: ...
    @property
    def telemetry(self) -> Telemetry: ...
    @property
    def events(self) -> EventBus: ...
    @property
    def onboarding(self) -> Onboarding: ...
    @property
    def networks(self) -> Networks: ...
    def forget(self, device: Device) -> Awaitable[object]: ...
    def status(self) -> Mapping[str, object]: ...
