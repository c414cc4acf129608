"""Frames of an account's stores, sent to a service as they are: it comes to the same tree digests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mathmesh.dare.envelope import Envelope
from mathmesh.service import messages as wire
from mathmesh.service.client import Transport, transact
from mathmesh.stores import INBOUND, LOCAL, OUTBOUND, SPOOLS
from mathmesh.stores.first_frame import first_frame

FRAMES = 64
OCTETS = 4 * 1024 * 1024
"""Envelopes, and octets of their content, in one request."""


async def send_frames(name: str, frames: Sequence[Envelope], present: int, transport: Transport) -> None:
    """Send the frames of a store from number `present` on; `frames` are those from number 1 on.

    Raises ServiceRefusal, with what was sent before kept by the service.
    """
    if name in SPOOLS:
        for part in _parts(frames[max(present - 1, 0) :]):
            request = wire.TransactRequest(
                inbound=part if name == INBOUND else (),
                outbound=part if name == OUTBOUND else (),
                local=part if name == LOCAL else (),
            )
            await transact(transport, request, wire.TransactResponse)
        return
    position = present
    for part in _parts([first_frame(), *frames][present:]):
        update = wire.ContainerUpdate(container=name, index=position, envelopes=part)
        await transact(transport, wire.TransactRequest(updates=(update,)), wire.TransactResponse)
        position += len(part)


def _parts(envelopes: Sequence[Envelope]) -> Iterator[tuple[Envelope, ...]]:
    part: list[Envelope] = []
    octets = 0
    for envelope in envelopes:
        if part and (len(part) == FRAMES or octets + len(envelope.body) > OCTETS):
            yield tuple(part)
            part, octets = [], 0
        part.append(envelope)
        octets += len(envelope.body)
    if part:
        yield tuple(part)
