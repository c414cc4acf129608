"""The JSON API of the hub, the same for the dashboard (with a session) and the command line (local socket).

GET  /api/status · /api/devices · /api/devices/{udf} · /api/get?name=[&property=]
GET  /api/history?name=[&since=1h][&property=] · /api/adoptions/{id} · /api/events (Server-Sent Events)
POST /api/set {name, values: {property: value}} · /api/rename {name, to?, room?} · /api/forget {name}
POST /api/alarms/{id}/dismiss
GET  /api/networks · POST /api/networks {networks: [{ssid, password?}]} · /api/networks/forget {ssid}
POST /api/add {code | image (base64), at?, yes?, name?, room?} · /api/adoptions/{id}/confirm {seen}

A name is a friendly name, room and name, or the device's UDF. Errors are {error, kind, candidates?, remedy}.
"""

import asyncio
import base64
import json
import re
import time
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

from aiohttp import web

from mathmesh.errors import EncodingError
from meshhub.dashboard.adoptions import Adoptions
from meshhub.dashboard.alarms import Alarms
from meshhub.dashboard.label_image import MAX_OCTETS, read_label
from meshhub.dashboard.ports import Device, Hub
from meshhub.dashboard.problems import Problem
from meshhub.dashboard.properties import find, path, properties, read_value
from meshhub.dashboard.stream import STILL_ALLOWED, EventStream
from meshhub.dashboard.view import adoption_json, device_json, reading_json

MAX_BODY = MAX_OCTETS * 4 // 3 + 64 * 1024
MAX_SMALL_BODY = 64 * 1024
MAX_STREAMS = 32
MAX_READINGS = 20_000
NAME_LENGTH = 64
ANSWER_TURNS = 100
WORDS = {"to": "name for a device", "room": "name for a room", "at": "address of a device"}
SPANS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
Body = dict[str, object]


class Api:
    """The handlers, over one running hub; `add_to` puts their routes on an application."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._adoptions = Adoptions()
        self._alarms = Alarms(hub.events)
        self._started = time.monotonic()
        self._streams: set[EventStream] = set()
        self._picture = asyncio.Semaphore(1)

    def add_to(self, application: web.Application) -> None:
        """Register every route; the caller sets `client_max_size` to `MAX_BODY`."""
        application.add_routes(
            [
                web.get("/api/status", self.status),
                web.get("/api/devices", self.devices),
                web.get("/api/devices/{udf}", self.device),
                web.get("/api/get", self.get),
                web.get("/api/history", self.history),
                web.get("/api/events", self.events),
                web.post("/api/set", self.set),
                web.post("/api/rename", self.rename),
                web.post("/api/forget", self.forget),
                web.post("/api/add", self.add),
                web.get("/api/adoptions/{id}", self.adoption),
                web.post("/api/adoptions/{id}/confirm", self.confirm),
                web.post("/api/alarms/{id}/dismiss", self.dismiss),
                web.get("/api/networks", self.networks),
                web.post("/api/networks", self.add_networks),
                web.post("/api/networks/forget", self.forget_network),
            ]
        )

    async def status(self, request: web.Request) -> web.Response:
        """What runs here and how many devices it has."""
        devices = self._hub.registry.devices()
        return web.json_response(
            {
                "version": version("mesh-hub"),
                "devices": len(devices),
                "online": sum(device.online for device in devices),
                "up_seconds": int(time.monotonic() - self._started),
                "alarms": [one.to_json() for one in self._alarms.all()],
                **self._hub.status(),
            }
        )

    async def devices(self, request: web.Request) -> web.Response:
        """Every device, by room and name."""
        known = sorted(
            self._hub.registry.devices(), key=lambda one: (one.room.casefold(), one.name.casefold())
        )
        return web.json_response({"devices": [device_json(device, _now()) for device in known]})

    async def device(self, request: web.Request) -> web.Response:
        """One device by its UDF."""
        return web.json_response(device_json(self._find(request.match_info["udf"]), _now()))

    async def get(self, request: web.Request) -> web.Response:
        """One device by name; `property` must exist when given."""
        device = self._find(_query(request, "name"))
        shown = device_json(device, _now())
        if "property" in request.query:
            shown["asked"] = path(find(properties(device.description), request.query["property"]))
        return web.json_response(shown)

    async def set(self, request: web.Request) -> web.Response:
        """Change properties and answer with the device's own result."""
        body = await _body(request)
        device = self._find(_text(body, "name"))
        given = body.get("values")
        if not isinstance(given, dict) or not given:
            raise Problem(400, "no-values", "Nothing to set.", "Give one or more property=value.")
        known = properties(device.description)
        wanted = {}
        for name, value in given.items():
            target = find(known, name)
            wanted[path(target)] = read_value(target, value)
        began = time.monotonic()
        after = await self._hub.commands.set(device, wanted)
        return web.json_response(
            {
                "device": device_json(self._find(device.udf), _now()),
                "values": after,
                "milliseconds": round((time.monotonic() - began) * 1000, 1),
            }
        )

    async def rename(self, request: web.Request) -> web.Response:
        """Give a device another name, another room, or both; an empty room takes it out of its room."""
        body = await _body(request)
        device = self._find(_text(body, "name"))
        name = _label(body, "to", empty=True)
        if name == "":
            raise Problem(422, "bad-name", "A device needs a name.", "Give one of 1 to 64 characters.")
        room = _label(body, "room", empty=True)
        await self._hub.registry.rename(
            device,
            device.name if name is None else name,
            device.room if room is None else room,
        )
        return web.json_response(device_json(self._find(device.udf), _now()))

    async def forget(self, request: web.Request) -> web.Response:
        """Take a device out of the household."""
        device = self._find(_text(await _body(request), "name"))
        await self._hub.forget(device)
        return web.json_response({"forgotten": device.udf, "name": device.name})

    async def add(self, request: web.Request) -> web.Response:
        """Start adding a device; follow it under its id."""
        body = await _body(request, MAX_BODY)
        code = _text(body, "code") if "code" in body else await self._code_of_image(body)
        try:
            adoption = self._hub.onboarding.start(
                code,
                at=_label(body, "at"),
                yes=body.get("yes") is True,
                name=_label(body, "name"),
                room=_label(body, "room"),
            )
        except EncodingError as wrong:
            raise Problem(422, "bad-code", str(wrong), "") from None
        self._adoptions.add(adoption)
        return web.json_response(adoption_json(adoption), status=202)

    async def adoption(self, request: web.Request) -> web.Response:
        """How far an adoption is."""
        return web.json_response(adoption_json(self._adoptions.get(request.match_info["id"])))

    async def confirm(self, request: web.Request) -> web.Response:
        """The answer to "Is this the one that blinks?"."""
        adoption = self._adoptions.get(request.match_info["id"])
        seen = (await _body(request)).get("seen")
        if not isinstance(seen, bool):
            raise Problem(400, "bad-request", "“seen” must be true or false.")
        if adoption.state != "confirm":
            raise Problem(409, "not-asked", "The hub is not waiting for this answer.")
        asked = adoption.question
        adoption.confirm(seen)
        for _ in range(ANSWER_TURNS):  # let the adoption take the answer, so that nobody is asked it twice
            if adoption.state != "confirm" or adoption.question != asked:
                break
            await asyncio.sleep(0.01)
        return web.json_response(adoption_json(adoption))

    async def history(self, request: web.Request) -> web.Response:
        """Stored readings, oldest first; the newest `MAX_READINGS` when there are more."""
        device = self._find(_query(request, "name"))
        since = since_when(request.query.get("since", "1h"), datetime.now(UTC))
        readings = [reading_json(one) for one in await self._hub.telemetry.history(device, since)]
        if "property" in request.query:
            wanted = path(find(properties(device.description), request.query["property"]))
            readings = [one for one in readings if one["property"] == wanted]
        return web.json_response(
            {
                "udf": device.udf,
                "name": device.name,
                "since": int(since.timestamp() * 1000),
                "readings": readings[-MAX_READINGS:],
                "truncated": len(readings) > MAX_READINGS,
            }
        )

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Everything that changes, as it changes."""
        if len(self._streams) >= MAX_STREAMS:
            raise Problem(503, "too-many-pages", "Too many pages are open.", "Close some of them.")
        stream = EventStream(self._hub, self._adoptions, self._alarms, request.get(STILL_ALLOWED, _always))
        self._streams.add(stream)
        try:
            return await stream.run(request)
        finally:
            self._streams.discard(stream)

    async def dismiss(self, request: web.Request) -> web.Response:
        """Put an alarm away."""
        self._alarms.dismiss(request.match_info["id"])
        for stream in self._streams:
            stream.wake()
        return web.json_response({"dismissed": True})

    async def networks(self, request: web.Request) -> web.Response:
        """The Wi-Fi networks; passwords are told to nobody but devices."""
        known = self._hub.networks.listed()
        shown = [{"ssid": one.ssid, "protected": one.protected, "given": one.given} for one in known]
        return web.json_response({"networks": shown})

    async def add_networks(self, request: web.Request) -> web.Response:
        """Keep networks for devices, all or none."""
        given = (await _body(request)).get("networks")
        if not isinstance(given, list) or not all(isinstance(one, dict) for one in given) or not given:
            raise Problem(400, "bad-request", "The networks are missing.")
        wanted = []
        for one in given:
            ssid, password = one.get("ssid"), one.get("password")
            if not isinstance(ssid, str) or not isinstance(password, str | None):
                raise Problem(400, "bad-request", "A network has a name and a password.")
            wanted.append((ssid, password))
        await self._hub.networks.add(wanted)
        return await self.networks(request)

    async def forget_network(self, request: web.Request) -> web.Response:
        """Give a network to no more devices."""
        ssid = (await _body(request)).get("ssid")
        if not isinstance(ssid, str):
            raise Problem(400, "bad-request", "The name of the network is missing.")
        await self._hub.networks.forget(ssid)
        return web.json_response({"forgotten": ssid})

    def start(self) -> None:
        """Gather alarms from now on."""
        self._alarms.start()

    async def stop(self) -> None:
        """Close every open page's stream and stop gathering alarms."""
        self.end_streams()
        await self._alarms.stop()

    def end_streams(self) -> None:
        """Close every open page's stream; pages that still may come back at once."""
        for stream in self._streams:
            stream.end()

    async def _code_of_image(self, body: Body) -> str:
        image = body.get("image")
        if not isinstance(image, str):
            raise Problem(400, "no-code", "Give the code of the label or a picture of it.")
        try:
            data = base64.b64decode(image, validate=True)
        except ValueError:  # letters beyond ASCII raise it too
            raise Problem(400, "bad-request", "“image” must be base64.") from None
        async with self._picture:  # one at a time: a large one takes much memory
            return await asyncio.to_thread(read_label, data)

    def _find(self, name: str) -> Device:
        for device in self._hub.registry.devices():
            if device.udf == name:
                return device
        return self._hub.registry.resolve(name)


def since_when(text: str, now: datetime) -> datetime:
    """The moment that `text` names: a span before `now` such as 90s, 15m, 1h, 2d, 1w, or an ISO 8601 time."""
    span = re.fullmatch(r"(\d{1,6})\s*([smhdw])", text.strip().lower())
    try:
        if span:
            return now - timedelta(seconds=int(span[1]) * SPANS[span[2]])
        moment = datetime.fromisoformat(text.strip())
        return moment if moment.tzinfo else moment.astimezone()
    except (ValueError, OverflowError):
        raise Problem(
            422,
            "bad-time",
            f"“{text}” is not a time.",
            "Write a span such as 15m, 1h or 2d, or 2026-01-31T08:00.",
        ) from None


async def _body(request: web.Request, limit: int = MAX_SMALL_BODY) -> Body:
    if (request.content_length or 0) > limit:
        raise Problem(413, "too-large", "That is too large.", "A picture may have 10 MB.")
    try:
        text = await request.text()
        if len(text) > limit:  # sent in pieces, without its length
            raise Problem(413, "too-large", "That is too large.", "A picture may have 10 MB.")
        body = json.loads(text)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise Problem(400, "bad-request", "The request must be a JSON object.")
    return body


def _text(body: Body, member: str) -> str:
    value = body.get(member)
    if not isinstance(value, str) or not value.strip() or len(value) > 1024:
        raise Problem(400, "bad-request", f"The {WORDS.get(member, member)} is missing.")
    return value.strip()


def _label(body: Body, member: str, *, empty: bool = False) -> str | None:
    """A short text for people, white space tidied; None when absent, or empty and not allowed to be."""
    value = body.get(member)
    if value is None:
        return None
    text = " ".join(value.split()) if isinstance(value, str) else None
    if text is None or len(text) > NAME_LENGTH or not text.isprintable():
        raise Problem(
            422,
            "bad-name",
            f"That is no {WORDS.get(member, member)}.",
            f"It may have {NAME_LENGTH} characters, none of which is a control character.",
        )
    return text if text or empty else None


def _query(request: web.Request, member: str) -> str:
    value = request.query.get(member, "").strip()
    if not value:
        raise Problem(400, "bad-request", f"The {WORDS.get(member, member)} is missing.")
    return value


def _now() -> int:
    return time.time_ns() // 1_000_000


def _always() -> bool:
    return True
