"""A household in memory, for tests of the web and command-line edges alone."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from mathmesh.codec import udf
from mathmesh.errors import EncodingError
from meshhub.errors import AMBIGUOUS, OFFLINE, UNKNOWN, DeviceError
from meshhub.events import DeviceOnline, DevicesChanged, EventBus, OnboardingStep, ValueChanged

LAMP = {
    "d": 1,
    "v": 1,
    "m": "maker/lamp",
    "n": {"lamp": {"k": "light", "p": {"on": ["b", "w"], "level": ["i", "w", "0:100", "%"]}}},
}
CLIMATE = {
    "d": 1,
    "v": 1,
    "m": "maker/climate",
    "n": {
        "air": {
            "k": "sensor",
            "p": {"temperature": ["f", "r", "", "°C"], "humidity": ["f", "r", "0:100", "%"]},
        }
    },
}
BUTTON = {
    "d": 1,
    "v": 1,
    "m": "maker/button",
    "n": {"button": {"k": "button", "p": {"press": ["e", "e", "single,double,long"]}}},
}
MANY = {
    "d": 1,
    "v": 1,
    "m": "maker/many",
    "n": {
        "left": {"k": "switch", "p": {"on": ["b", "w"]}},
        "right": {"k": "switch", "p": {"on": ["b", "w"]}},
        "blind": {
            "k": "cover",
            "p": {"position": ["i", "w", "0:100", "%"], "move": ["e", "w", "open,close,stop"]},
        },
        "door": {"k": "lock", "p": {"locked": ["b", "w"]}},
        "heat": {
            "k": "climate",
            "p": {
                "temperature": ["f", "r", "", "°C"],
                "target": ["f", "w", "5:30", "°C"],
                "mode": ["e", "w", "off,heat,cool,auto"],
            },
        },
        "leak": {"k": "binary", "p": {"leak": ["b", "r"]}},
        "note": {"k": "text", "p": {"value": ["s", "w"]}},
    },
}
GOOD_CODE = "EDRL-4MZP-3OUD-OZBS-SPZN-7OSO-OM"
STEPS = ("found", "proved", "blink", "joined", "signed", "value")


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubleValue:
    value: object
    time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubleReading:
    time: int
    node: str
    property: str
    value: object


@dataclass(slots=True, kw_only=True)
class DoubleDevice:
    udf: str
    name: str
    room: str
    description: Mapping[str, object]
    online: bool = True
    last_seen: int | None = None
    over_limit: int = 0
    values: dict[tuple[str, str], DoubleValue] = field(default_factory=dict)
    readings: list[DoubleReading] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class DoubleStep:
    name: str
    state: str
    text: str


@dataclass(slots=True, kw_only=True)
class DoubleAdoption:
    id: str
    steps: list[DoubleStep]
    state: str = "running"
    error: str = ""
    question: str = ""
    device: str | None = None
    answer: asyncio.Future[bool] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def confirm(self, seen: bool) -> None:
        self.answer.set_result(seen)


class DoubleHub:
    """Registry, commands, telemetry, onboarding and events of one household."""

    def __init__(self) -> None:
        self.events = EventBus()
        self.registry = self
        self.commands = self
        self.telemetry = self
        self.onboarding = self
        self.known: dict[str, DoubleDevice] = {}
        self.tasks: set[asyncio.Task[None]] = set()
        self.delay = 0.02

    def put(self, name: str, room: str, description: Mapping[str, object], **values: object) -> DoubleDevice:
        udf = f"M{len(self.known):03}-DEMO"
        device = DoubleDevice(udf=udf, name=name, room=room, description=description)
        self.known[udf] = device
        for path, value in values.items():
            node, _, name_ = path.partition("__")
            self.report(device, node, name_, value)
        self.events.publish(DevicesChanged(time=now(), device=udf, change="added"))
        return device

    def report(self, device: DoubleDevice, node: str, name: str, value: object) -> None:
        device.last_seen = now()
        device.values[node, name] = DoubleValue(value=value, time=device.last_seen)
        device.readings.append(DoubleReading(time=device.last_seen, node=node, property=name, value=value))
        self.events.publish(
            ValueChanged(time=device.last_seen, device=device.udf, node=node, property=name, value=value)
        )

    def turn(self, device: DoubleDevice, online: bool) -> None:
        device.online = online
        self.events.publish(DeviceOnline(time=now(), device=device.udf, online=online))

    def devices(self) -> Sequence[DoubleDevice]:
        return list(self.known.values())

    def resolve(self, text: str) -> DoubleDevice:
        wanted = " ".join(text.casefold().split())
        found = [
            one
            for one in self.known.values()
            if wanted in (one.name.casefold(), f"{one.room} {one.name}".casefold())
        ]
        if not found:
            raise DeviceError(f"no device is called {text!r}", kind=UNKNOWN)
        if len(found) > 1:
            places = [f"{one.room} {one.name}" for one in found]
            raise DeviceError(f"several devices are called {text!r}", kind=AMBIGUOUS, candidates=places)
        return found[0]

    async def rename(self, device: DoubleDevice, name: str, room: str) -> None:
        device.name, device.room = name, room
        self.events.publish(DevicesChanged(time=now(), device=device.udf, change="renamed"))

    async def forget(self, device: DoubleDevice) -> None:
        del self.known[device.udf]
        self.events.publish(DevicesChanged(time=now(), device=device.udf, change="forgotten"))

    def status(self) -> Mapping[str, object]:
        return {"name": "hub", "account": "home@hub.local", "broker": "none"}

    async def set(self, device: DoubleDevice, values: Mapping[str, object]) -> Mapping[str, object]:
        await asyncio.sleep(self.delay)
        if not device.online:
            raise DeviceError(f"{device.name} is offline", kind=OFFLINE)
        for path, value in values.items():
            node, _, name = path.partition(".")
            self.report(device, node, name, value)
        return dict(values)

    async def history(self, device: DoubleDevice, since: datetime) -> Sequence[DoubleReading]:
        return [one for one in device.readings if one.time >= since.timestamp() * 1000]

    def start(
        self,
        code: str,
        at: str | None = None,
        yes: bool = False,
        name: str | None = None,
        room: str | None = None,
    ) -> DoubleAdoption:
        uri = canonical(code)
        adoption = DoubleAdoption(
            id=f"a{len(self.tasks)}",
            steps=[DoubleStep(name=step, state="waiting", text=step.capitalize()) for step in STEPS],
        )
        task = asyncio.create_task(self._adopt(adoption, uri, yes, name or "Climate sensor", room or ""))
        self.tasks.add(task)
        return adoption

    async def _adopt(self, adoption: DoubleAdoption, uri: str, yes: bool, name: str, room: str) -> None:
        for step in adoption.steps:
            step.state = "running"
            self.events.publish(OnboardingStep(time=now(), adoption=adoption.id, step=step.name))
            await asyncio.sleep(self.delay)
            failure = "" if uri.endswith(GOOD_CODE) else "No device with this code was found."
            if step.name == "blink" and not yes:
                adoption.state, adoption.question = "confirm", "Is this the one that blinks?"
                failure = "" if await adoption.answer else "Stopped: it is not the one that blinks."
                adoption.state = "running"
            if failure:
                step.state, adoption.state, adoption.error = "failed", "failed", failure
                return
            step.state = "done"
        device = self.put(name, room, CLIMATE, air__temperature=20.5, air__humidity=45.0)
        adoption.state, adoption.device = "done", device.udf
        self.events.publish(OnboardingStep(time=now(), adoption=adoption.id, step="done"))

    async def close(self) -> None:
        self.events.close()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


def canonical(code: str) -> str:
    """The label's code in its printed form, as the onboarding part reads it."""
    kind, octets = udf.parse(code.rpartition("/")[2])
    if kind != udf.ENCRYPTION or len(octets) != 15:
        raise EncodingError("This is not a device code: it has 26 characters and begins with E.")
    return udf.text(kind, octets)


def now() -> int:
    return time.time_ns() // 1_000_000


def household() -> DoubleHub:
    """A lamp and a climate sensor in the kitchen, a lamp, a button and an everything box elsewhere."""
    hub = DoubleHub()
    hub.put("Lamp", "Kitchen", LAMP, lamp__on=False, lamp__level=40)
    hub.put("Climate", "Kitchen", CLIMATE, air__temperature=21.5, air__humidity=48.0)
    hub.put("Lamp", "Bedroom", LAMP, lamp__on=True, lamp__level=80)
    hub.put("Doorbell", "Hall", BUTTON, button__press="single")
    hub.put("Everything box", "", MANY, left__on=True, right__on=False, blind__position=30, door__locked=True,
            heat__temperature=19.5, heat__target=21.0, heat__mode="heat", leak__leak=False,
            note__value="hello")  # fmt: skip
    return hub
