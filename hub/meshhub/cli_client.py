"""The commands' side of the local socket: one request, one answer, errors as exit codes."""

import asyncio
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import aiohttp
import click

from meshhub import local_socket

TIMEOUT_SECONDS = 60.0


class Refused(click.ClickException):
    """The hub said no, could not, or does not run: exit code 1."""

    exit_code = 1

    def __init__(self, answer: Mapping[str, Any]) -> None:
        super().__init__(str(answer.get("error", "The hub refused.")))
        self.answer = answer
        self._context = click.get_current_context(silent=True)

    def show(self, file: IO[Any] | None = None) -> None:
        """Tell it on standard error, as JSON when the command was given --json."""
        context = click.get_current_context(silent=True) or self._context
        if context is not None and context.params.get("as_json"):
            click.echo(json.dumps(self.answer, ensure_ascii=False), file=file, err=True)
        else:
            super().show(file)

    def format_message(self) -> str:
        """Error, candidates and remedy, one line each."""
        lines = [self.message]
        lines += [f"  {candidate}" for candidate in self.answer.get("candidates", ())]
        if self.answer.get("remedy"):
            lines.append(str(self.answer["remedy"]))
        return "\n".join(lines)


class HubClient:
    """Talks to the hub that runs with the data folder `data`."""

    def __init__(self, data: Path) -> None:
        self._data = data

    def get(self, path: str, **query: str) -> dict[str, Any]:
        """The JSON answer to GET; raises `Refused`."""
        return asyncio.run(self._request("GET", path, query, None))

    def post(self, path: str, **body: object) -> dict[str, Any]:
        """The JSON answer to POST with `body` (members that are None are left out); raises `Refused`."""
        present = {name: value for name, value in body.items() if value is not None}
        return asyncio.run(self._request("POST", path, {}, present))

    async def _request(
        self, method: str, path: str, query: Mapping[str, str], body: Mapping[str, object] | None
    ) -> dict[str, Any]:
        try:
            with local_socket.short_path(self._data) as socket_path:
                connector = aiohttp.UnixConnector(path=socket_path)
                timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
                async with (
                    aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
                    session.request(method, f"http://hub{path}", params=query, json=body) as response,
                ):
                    answer = await response.json()
        except PermissionError:
            raise Refused(self._not_permitted()) from None
        except (OSError, aiohttp.ClientConnectionError):
            raise Refused(self._not_running()) from None
        except TimeoutError:
            raise Refused({"error": "The hub did not answer in time.", "kind": "timeout"}) from None
        except (ValueError, aiohttp.ClientError):
            raise Refused({"error": "What answers there is no hub.", "kind": "protocol"}) from None
        if response.status >= 400:
            raise Refused(answer)
        return dict(answer)

    def _not_running(self) -> dict[str, str]:
        return {
            "error": f"No hub runs with the data folder {self._data}.",
            "kind": "not-running",
            "remedy": "Start it with `meshhub run`, or name its folder with --data.",
        }

    def _not_permitted(self) -> dict[str, str]:
        user = "the user who started the hub"
        try:
            user = (self._data / local_socket.NAME).owner()
        except (OSError, KeyError):
            pass
        return {
            "error": f"User {os.getuid()} may not talk to this hub.",
            "kind": "not-permitted",
            "remedy": f"Run the command as {user}.",
        }
