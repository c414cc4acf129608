"""What went wrong, as the API says it: {error, kind, candidates?, remedy} with a fitting HTTP status."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from mathmesh.errors import (
    EncodingError,
    KeyUnavailableError,
    MeshError,
    PolicyError,
    ProtocolError,
    StoreError,
    VerificationError,
)
from meshhub import logging
from meshhub.dashboard.wording import sentence
from meshhub.errors import AMBIGUOUS, OFFLINE, REFUSED, TIMEOUT, UNKNOWN, VALUE, DeviceError, TransportError

log = logging.get(__name__)


class Problem(Exception):
    """A refusal with its HTTP status, a stable `kind`, one sentence for people and what they can do."""

    def __init__(
        self, status: int, kind: str, error: str, remedy: str = "", candidates: Sequence[str] = ()
    ) -> None:
        super().__init__(error)
        self.status = status
        self.kind = kind
        self.error = error
        self.remedy = remedy
        self.candidates = tuple(candidates)

    def to_json(self) -> dict[str, object]:
        """The body of the answer."""
        body: dict[str, object] = {"error": self.error, "kind": self.kind, "remedy": self.remedy}
        if self.candidates:
            body["candidates"] = list(self.candidates)
        return body


def problem_response(problem: Problem) -> web.Response:
    """`problem` as a JSON answer."""
    return web.json_response(problem.to_json(), status=problem.status)


DEVICE_PROBLEMS = {
    UNKNOWN: (404, "unknown-device", "`meshhub devices` lists the names."),
    AMBIGUOUS: (409, "ambiguous-device", "Write the room before the name."),
    OFFLINE: (503, "offline", "Check that the device has power and network; it comes back by itself."),
    TIMEOUT: (504, "timeout", "The device did not answer; look whether it acted before you try again."),
    REFUSED: (409, "refused", "The device said no; its present values are unchanged."),
    VALUE: (422, "bad-value", ""),
}
MESH_PROBLEMS: tuple[tuple[type[MeshError], int, str], ...] = (
    (TransportError, 503, "no-transport"),
    (EncodingError, 400, "malformed"),
    (PolicyError, 409, "refused"),
    (VerificationError, 422, "not-genuine"),
    (KeyUnavailableError, 409, "no-key"),
    (StoreError, 500, "store"),
    (ProtocolError, 502, "protocol"),
)


def as_problem(error: MeshError) -> Problem:
    """The API's form of an error that the hub raised on purpose; its text is meant for people."""
    text = sentence(str(error))
    if isinstance(error, DeviceError):
        status, kind, remedy = DEVICE_PROBLEMS.get(error.kind, (409, error.kind, ""))
        return Problem(status, kind, text, remedy, error.candidates)
    for known, status, kind in MESH_PROBLEMS:
        if isinstance(error, known):
            return Problem(status, kind, text)
    return Problem(409, "failed", text)


@web.middleware
async def problems(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Turn every error into JSON; one that nobody foresaw is logged and told without its inside."""
    try:
        return await handler(request)
    except Problem as problem:
        return problem_response(problem)
    except MeshError as error:
        return problem_response(as_problem(error))
    except web.HTTPException as raised:
        return _from_http(raised)
    except (ConnectionError, asyncio.CancelledError):
        raise
    except Exception as error:
        log.error("request failed", path=request.path, error=type(error).__name__, exc_info=error)
        return problem_response(
            Problem(500, "failed", "The hub failed at this.", "Its log says why; the hub goes on running.")
        )


def _from_http(raised: web.HTTPException) -> web.Response:
    texts = {
        404: ("not-found", "There is nothing at this address."),
        405: ("bad-method", "This address does not take that method."),
        413: ("too-large", "That is too large."),
    }
    kind, text = texts.get(raised.status, ("bad-request", sentence(raised.reason)))
    return problem_response(Problem(raised.status, kind, text))
