"""Commands to devices: checked against the description first, answered by the device itself or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from mathmesh.errors import ProtocolError
from meshhub.errors import OFFLINE, REFUSED, TIMEOUT, VALUE, DeviceError
from meshhub.registry import Named, full_name
from meshlink import description as descriptions
from meshlink import kinds
from meshlink.messages import ERRORS, LinkError

LIFETIME_MS = 10_000
DONE = 0


class Target(Named, Protocol):
    """What a command needs of a device's record."""

    @property
    def description(self) -> Mapping[str, object]: ...


class Sender(Protocol):
    """Sends one command; raises DeviceError (offline)."""

    def __call__(
        self, device: str, node: str, prop: str, value: object, *, expires: int, allow: bool
    ) -> Awaitable[bytes]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One checked command: set the property `node.name` to `value`."""

    node: str
    name: str
    value: object

    @property
    def key(self) -> str:
        """`node.property`."""
        return f"{self.node}.{self.name}"


Record = Callable[[str, str, str, Mapping[str, object]], Awaitable[None]]
"""Writes to the activity log: who, what, device, detail."""


class Commander:
    """Sends commands and brings their results back to whoever waits."""

    def __init__(self, send: Sender, record: Record, *, seconds: float):
        self._send = send
        self._record = record
        self._seconds = seconds
        self._waiting: dict[tuple[str, bytes], asyncio.Future[Mapping[str, Any]]] = {}

    async def set(
        self, device: Target, values: Mapping[str, object], *, who: str = "owner"
    ) -> Mapping[str, object]:
        """Set properties, named `property` or `node.property`, and return the device's own values afterwards.

        Everything is checked before anything is sent. Raises DeviceError: value (name or value does not
        fit), offline, timeout, refused (with the device's code). A device that is asked for consent first
        (locks) is given it: the call is the consent.
        """
        settings = [self._check(device, key, value) for key, value in values.items()]
        results = {}
        for setting in settings:
            try:
                results[setting.key] = await self._set_one(device, setting)
            except DeviceError as error:
                await self._note(who, device, setting, error.kind)
                raise
            await self._note(who, device, setting, "done")
        return results

    def result(self, device: str, value: Mapping[str, Any]) -> None:
        """A device's `res`; one that nobody waits for is late and dropped."""
        waiting = self._waiting.get((device, bytes(value["id"])))
        if waiting is not None and not waiting.done():
            waiting.set_result(value)

    def _check(self, device: Target, key: str, value: object) -> Setting:
        description = dict(device.description)
        try:
            node, name = descriptions.resolve(description, key)
            prop = kinds.property_of(description, node, name)
            if not prop.writable:
                raise LinkError(53, f"{node}.{name} can be read only")
            return Setting(node=node, name=name, value=kinds.check_value(prop, value))
        except LinkError as error:
            raise DeviceError(
                f"{full_name(device)}: {error}",
                kind=VALUE,
                code=error.code,
                candidates=[f"{prop.node}.{prop.name}" for prop in kinds.properties(description)],
            ) from error

    async def _set_one(self, device: Target, setting: Setting) -> object:
        try:
            identifier = await self._send(
                device.udf, setting.node, setting.name, setting.value, expires=LIFETIME_MS, allow=True
            )
        except ProtocolError as error:
            raise DeviceError(
                f"{full_name(device)} has no session at the moment: try again shortly", kind=OFFLINE
            ) from error
        key = (device.udf, identifier)
        waiting = self._waiting[key] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(self._seconds):
                answer = await waiting
        except TimeoutError:
            raise DeviceError(
                f"{full_name(device)} did not answer within {self._seconds:g} s: is it still in reach?",
                kind=TIMEOUT,
            ) from None
        finally:
            del self._waiting[key]
        if answer["c"] != DONE:
            reason = ERRORS.get(answer["c"], f"error {answer['c']}")
            raise DeviceError(f"{full_name(device)} refused: {reason}", kind=REFUSED, code=answer["c"])
        return answer["v"]

    async def _note(self, who: str, device: Target, setting: Setting, outcome: str) -> None:
        detail = {"property": setting.key, "value": setting.value, "outcome": outcome}
        await self._record(who, "set", device.udf, detail)
