"""Log lines of the hub: structured, on standard error, with secrets taken out before they are written."""

from __future__ import annotations

import logging
import re
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, MutableMapping
from datetime import datetime
from typing import Any, TextIO

import structlog

from meshhub.quota import Bucket

REDACTED = "[redacted]"
_NAMES = (
    r"k|v|r|ca|mq|own|ent|pin|mac|key|psk\w*|pass\w*|secret\w*|code|seed|token|cookie|wifi\w*|private|value"
)
SECRET_NAME = re.compile(rf"(^|_)({_NAMES})$", re.IGNORECASE)
SECRET_TEXT = re.compile(r"mcu://\S+|(?<![A-Z2-7-])[EZ][A-Z2-7]{3}(?:-[A-Z2-7]{4}){2,}[A-Z2-7-]*")


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """structlog processor: takes out secret members by name, and connection URIs, keys and seeds in texts."""
    return {name: _clean(name, value) for name, value in event.items()}


class Limiter:
    """Lets `BURST` lines about one device, or of one text or library, through, and then one a minute; the
    next one says how many were left out. `clock` counts seconds.
    """

    BURST = 30
    SECONDS = 60.0
    KEPT = 1024

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()
        self._left_out: dict[str, int] = {}

    def __call__(
        self, _logger: object, method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """As a structlog processor; lines of level debug pass."""
        if method != "debug":
            left_out = self.passes(str(event.get("device") or event.get("event")))
            if left_out is None:
                raise structlog.DropEvent
            if left_out:
                event["left_out"] = left_out
        return event

    def filter(self, entry: logging.LogRecord) -> bool:
        """As a filter of the standard library."""
        return self.passes(f"library {entry.name}") is not None

    def passes(self, about: str) -> int | None:
        """None when a line is to be left out, else how many were before it."""
        bucket = self._buckets.setdefault(about, Bucket(1 / self.SECONDS, self.BURST, self._clock))
        self._buckets.move_to_end(about)
        if len(self._buckets) > self.KEPT:
            self._left_out.pop(self._buckets.popitem(last=False)[0], None)
        if bucket.level < 1:
            self._left_out[about] = self._left_out.get(about, 0) + 1
            return None
        bucket.spend(1)
        return self._left_out.pop(about, 0)


def _clean(name: str, value: object) -> object:
    if SECRET_NAME.search(name):
        return REDACTED
    if isinstance(value, Mapping):
        return {str(key): _clean(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean("", item) for item in value]
    if isinstance(value, bytes | bytearray | memoryview):
        return f"[{len(value)} octets]"
    if isinstance(value, str):
        return SECRET_TEXT.sub(REDACTED, value)
    if isinstance(value, BaseException):
        return SECRET_TEXT.sub(REDACTED, _error_text(value))
    return value


def _error_text(error: BaseException) -> str:
    """Name and text of the error; of a group, those of its members: its own text only counts them."""
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(_error_text(inner) for inner in error.exceptions)
    return f"{type(error).__name__}: {error}"


def _for_people(_logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
    """structlog renderer: time, level, text and members in one line; a traceback below it."""
    level = str(event.pop("level", "info")).capitalize()
    text = str(event.pop("event", "")) or "something happened"
    trace = event.pop("exception", "")
    for name in ("timestamp", "module"):
        event.pop(name, None)
    members = ", ".join(f"{name} {value}" for name, value in event.items())
    line = f"{datetime.now().astimezone():%H:%M:%S} {level}: {text}{f' ({members})' if members else ''}"
    return f"{line}\n{trace}" if trace else line


_TAIL: list[Any] = [structlog.processors.format_exc_info, redact]


def configure(level: str = "auto", *, stream: TextIO | None = None, json: bool | None = None) -> None:
    """Set up structlog and the standard library's loggers; JSON lines unless the stream is a terminal.

    level: "debug", "info", "warning", "error", or "auto": warnings for people, "info" for the rest.
    """
    out = stream or sys.stderr
    as_json = not out.isatty() if json is None else json
    usual = "info" if as_json else "warning"
    number = {"debug": 10, "info": 20, "warning": 30, "error": 40}[usual if level == "auto" else level]
    limiter = Limiter()
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: Any = structlog.processors.JSONRenderer() if as_json else _for_people
    structlog.configure(
        processors=[limiter, *shared, *_TAIL, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(file=out),
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_TAIL, renderer],
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(formatter)
    handler.addFilter(limiter)
    root = logging.getLogger()
    root.handlers = [handler]
    # Libraries at "info" tell of every packet and every connection; what the hub has to say it says itself.
    root.setLevel(max(number, logging.WARNING))


def get(name: str) -> Any:
    """A bound logger; the event text first, then members: `log.info("device online", device=udf)`."""
    return structlog.get_logger(module=name)


if not structlog.is_configured():
    # Until the application has set up its own log, warnings go to standard error, redacted all the same.
    structlog.configure(
        processors=[structlog.processors.add_log_level, *_TAIL, structlog.processors.KeyValueRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
