"""The client side of a transaction: a conversation of one request and one answer, whatever carries it."""

from __future__ import annotations

from collections.abc import Generator
from typing import Protocol, TypeVar

from mathmesh.errors import PolicyError
from mathmesh.service import messages as wire
from mathmesh.service.access import Caller

R = TypeVar("R", bound=wire.Response)
Result = TypeVar("Result")


class Transport(Protocol):
    """Carries encoded requests to a service, as one caller."""

    async def exchange(self, request: bytes) -> bytes:
        """Send a request, return the answer; TransportError or OSError when there is none."""


class Service(Protocol):
    """A service that can be spoken to as different callers."""

    def as_caller(self, caller: Caller | None) -> Transport:
        """The transport that acts as `caller`; None is a stranger."""


class ServiceRefusal(PolicyError):
    """The service answered that it did not do it. `response` is the whole answer."""

    def __init__(self, operation: str, response: wire.Response) -> None:
        text = response.status_description or "no reason given"
        super().__init__(f"{operation}: {text} (status {response.status})")
        self.response = response

    @property
    def status(self) -> int:
        """The status of the answer."""
        return self.response.status or 0

    @property
    def status_extended(self) -> int:
        """The extended status of the answer, 0 when there is none."""
        return self.response.status_extended or 0


async def transact(transport: Transport, request: wire.Request, expected: type[R]) -> R:
    """Send a request and return the answer of type `expected`.

    Raises ServiceRefusal unless the status is 2xx, ProtocolError for an answer that is none.
    """
    response = wire.decode_response(await transport.exchange(request.encode()), expected)
    if not response.succeeded:
        raise ServiceRefusal(request.OPERATION, response)
    return response


async def converse(
    transport: Transport, conversation: Generator[wire.Request, wire.Response, Result]
) -> Result:
    """Run a conversation with the service: send each request it yields, give it the answer or the refusal."""
    try:
        request = next(conversation)
        while True:
            try:
                answer = await transact(transport, request, wire.response_type(request.OPERATION))
            except ServiceRefusal as refusal:
                request = conversation.throw(refusal)
            else:
                request = conversation.send(answer)
    except StopIteration as end:
        result: Result = end.value
        return result
